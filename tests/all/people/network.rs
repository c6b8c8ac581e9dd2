//! A network that is lost, for ten minutes or for longer than anybody waits, from every call of a run on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use switchover::model::time::{self, Timestamp};
use switchover::world::Readers;
use switchover::world::sim::Fault;

use super::scenes::{self, Example};
use super::stage::{Ran, Stage, Straight, Way, every, straight};

/// From the `at`th call of the run on nothing can be reached for a while; the reply to that call itself gets lost when it `cuts`.
fn lose(stage: &Stage, at: u64, lasts: Duration, cuts: bool) {
    let world = Arc::downgrade(&stage.world);
    let lost: Mutex<Option<Timestamp>> = Mutex::new(None);
    stage.world.set_hook(Box::new(move |info| {
        let now = Readers::clock(&*world.upgrade()?).now();
        let mut lost = lost.lock().unwrap();
        if info.number < at {
            return None;
        }
        let begins = lost.is_none();
        let since = *lost.get_or_insert(now);
        if begins && cuts {
            return Some(Fault::ReplyLost {});
        }
        (time::between(since, now) < lasts).then_some(Fault::Unreachable {})
    }));
}

async fn lost_at(example: Example, at: u64, lasts: Duration, cuts: bool) -> (Stage, Ran) {
    let stage = Stage::new(example).await;
    lose(&stage, stage.calls() + at, lasts, cuts);
    let ran = stage.run(Way::New).await;
    stage.world.clear_hook();
    (stage, ran)
}

/// What is said of one pause: that it is one, and now and then that it still is; not a line for every look.
fn few_words(ran: &Ran, cell: &str) {
    let notes = ran.notes();
    let about_it = notes.iter().filter(|note| note.contains("network is unreachable") || note.contains("closed before")).count();
    assert!(about_it <= 24, "{cell}: {about_it} notes about one pause: {notes:#?}");
}

#[tokio::test]
async fn ten_minutes_without_a_network_are_waited_out_wherever_they_fall() {
    for make in [scenes::refresh as fn() -> Example, scenes::swap] {
        let Straight { calls, declared, .. } = straight(make()).await;
        let mut ends: BTreeMap<u8, u64> = BTreeMap::new();
        for at in (1..=calls).step_by(every(3)) {
            for cuts in [false, true] {
                let (stage, ran) = lost_at(make(), at, Duration::from_mins(10), cuts).await;
                let cell = format!("lost at call {at} of {calls}, cut: {cuts}");
                few_words(&ran, &cell);
                stage.check_calls(&cell).await;
                *ends.entry(ran.code()).or_default() += 1;
                match ran.code() {
                    0 => assert_eq!(stage.now(), declared, "{cell}"),
                    // Nothing had begun, and nothing is begun without a network.
                    1 => assert_eq!(stage.now(), stage.original, "{cell}: {:?}", ran.summary),
                    code => panic!("{cell}: exit {code}: {:?}", ran.summary),
                }
                stage.converge(&cell).await;
                assert_eq!(stage.now(), declared, "{cell}");
            }
        }
        println!("lost for ten minutes: {calls} calls, ends by exit code {ends:?}");
    }
}

#[tokio::test]
async fn a_network_that_stays_away_ends_in_words_that_can_be_followed() {
    for make in [scenes::refresh as fn() -> Example, scenes::swap] {
        let Straight { calls, .. } = straight(make()).await;
        let mut ends: BTreeMap<u8, u64> = BTreeMap::new();
        for at in (1..=calls).step_by(every(7)) {
            let (stage, ran) = lost_at(make(), at, Duration::from_hours(24 * 365), false).await;
            let cell = format!("lost for good at call {at} of {calls}");
            *ends.entry(ran.code()).or_default() += 1;
            if ran.code() == 5 {
                let needs = ran.needs();
                assert!((needs.contains("network") || needs.contains("could not be sent")) && needs.contains("`switchover r"), "{cell}: {needs}");
                let way = if needs.contains("`switchover resume") { Way::On } else { Way::Back };
                let again = stage.run(way).await;
                // Backwards it comes to its end as one that failed.
                assert!([0, 4].contains(&again.code()), "{cell}: {needs}\n{:?}", again.summary);
            } else {
                assert_eq!(ran.code(), 1, "{cell}: {:?}", ran.summary);
                assert_eq!(stage.now(), stage.original, "{cell}");
            }
            stage.check_calls(&cell).await;
            stage.converge(&cell).await;
        }
        println!("lost for good: ends by exit code {ends:?}");
    }
}
