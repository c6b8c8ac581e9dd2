//! Faults: what the caller hears, and what happened.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use serde_json::json;

use super::support::{aws, hook, slack, world, world_with};
use crate::world::sim::{Fault, Outcome, SimWorld};
use crate::world::{CallError, Failure, Readers, Writers};

async fn post(world: &SimWorld) -> Result<(), CallError> {
    world.chat().await.unwrap().post(&slack(), "x").await
}

fn posts(world: &SimWorld) -> usize {
    world.snapshot().pointer("/slack/messages").and_then(|messages| messages.as_array()).map_or(0, Vec::len)
}

#[tokio::test]
async fn each_fault_says_what_is_known_and_has_the_effect_it_should() {
    let unknown = Failure::Unknown { retry_after: None };
    for (fault, failure, effect) in [
        (Fault::ReplyLost {}, unknown, 1),
        (Fault::Throttle { retry_after_seconds: Some(7) }, Failure::Throttled { retry_after: Some(super::Duration::from_secs(7)) }, 0),
        (Fault::ServerError { status: None, after_effect: false, retry_after_seconds: None }, unknown, 0),
        (Fault::ServerError { status: Some(502), after_effect: true, retry_after_seconds: None }, unknown, 1),
        (Fault::Refusal { code: "E1".to_owned(), message: "no".to_owned() }, Failure::Refused, 0),
        (Fault::Denied { code: "ExpiredToken".to_owned(), message: "no".to_owned() }, Failure::Denied, 0),
        (Fault::Unreachable {}, Failure::Unreachable, 0),
        (Fault::Slow { seconds: 61 }, unknown, 1),
    ] {
        let world = world();
        world.allow_time(true);
        hook(&world, "slack:post", fault.clone());
        let error = post(&world).await.unwrap_err();
        assert_eq!((error.failure, posts(&world)), (failure, effect), "{fault:?}");
        let call = world.calls().pop().unwrap();
        assert_eq!((call.effect, matches!(call.outcome, Outcome::Failed(_)), call.info.number), (effect == 1, true, 1), "{fault:?}");
        post(&world).await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_reply_moves_the_clock() {
    let world = world();
    world.allow_time(true);
    let start = world.clock().now();
    hook(&world, "slack:post", Fault::Slow { seconds: 20 });
    post(&world).await.unwrap();
    assert_eq!(crate::model::time::between(start, world.clock().now()).as_secs(), 20);
}

#[test]
fn a_hanging_call_never_returns_and_holds_nothing() {
    for after_effect in [false, true] {
        let world = world();
        hook(&world, "slack:post", Fault::Hang { after_effect });
        {
            let mut call = pin!(post(&world));
            assert!(matches!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
            assert_eq!(posts(&world), usize::from(after_effect));
        }
        assert_eq!(world.calls()[0].outcome, Outcome::Hung);
        let mut again = pin!(post(&world));
        assert!(matches!(again.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(Ok(()))));
    }
}

#[tokio::test]
async fn a_script_hits_the_calls_it_names() {
    let script = json!([{"call": "rds:DescribeDBInstances", "target": "dev", "nth": 2, "times": 2, "fault": {"kind": "refusal", "code": "Nope"}}]);
    let world = world_with("/faults", script);
    let rds = world.rds(&aws()).await.unwrap();
    let mut heard = Vec::new();
    for name in ["dev-db", "other", "dev-db", "dev-db", "dev-db"] {
        heard.push(rds.instance(name).await.is_ok());
    }
    assert_eq!(heard, [true, true, false, false, true]);
}

#[tokio::test]
async fn chance_is_drawn_from_the_seed() {
    let run = async |share: f64| {
        let world = world_with("/chaos", json!({"throttle": share}));
        let mut heard = Vec::new();
        for _ in 0..200 {
            heard.push(post(&world).await.is_ok());
        }
        heard
    };
    let some = run(0.3).await;
    assert_eq!(some, run(0.3).await);
    let count = some.iter().filter(|ok| !**ok).count();
    assert!((30..90).contains(&count), "{count}");
    assert!(run(0.0).await.iter().all(|ok| *ok));
    assert!(run(1.0).await.iter().all(|ok| !*ok));
}
