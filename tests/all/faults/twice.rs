//! Every step run twice: each call that may be repeated goes out twice in a row, as if the first answer was lost and its effect not seen. The end is the same.

use std::sync::Arc;

use async_trait::async_trait;
use switchover::apply::engine::Program;
use switchover::apply::operation::{Cx, Look, Operation, Operations, StartCx};
use switchover::kinds;
use switchover::model::Data;
use switchover::world::{CallError, CallResult, Failure};

use super::trials::{self, Case};
use super::workers::block_on;
use crate::crash;
use crate::support::pipeline::{self, Setting, Way};

/// A kind whose operations call twice.
struct Twice(&'static str);

static TWICE: [Twice; 2] = [Twice("database"), Twice("dns_zone")];

struct Doubled(Box<dyn Operation>);

#[async_trait]
impl Operations for Twice {
    fn decode(&self, operation: &Data) -> Result<Box<dyn Operation>, String> {
        Ok(Box::new(Doubled(kinds::find(self.0).unwrap().decode(operation)?)))
    }

    async fn read_fact(&self, read: &Data, cx: &Cx<'_>) -> CallResult<Data> {
        kinds::find(self.0).unwrap().read_fact(read, cx).await
    }
}

#[async_trait]
impl Operation for Doubled {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn writes(&self) -> Vec<String> {
        self.0.writes()
    }

    fn repeat_is_safe(&self) -> bool {
        self.0.repeat_is_safe()
    }

    fn starts(&self) -> bool {
        self.0.starts()
    }

    fn lasts(&self) -> bool {
        self.0.lasts()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        self.0.look(cx).await
    }

    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let first = self.0.start(cx).await;
        if !self.0.repeat_is_safe() {
            return first;
        }
        // What a service refuses the second time is not known from that answer.
        let second = self.0.start(cx).await;
        second.map_err(|error| CallError::new(error.call.clone(), Failure::Unknown { retry_after: None }, format!("called twice: {}", error.message)))
    }
}

async fn prove(case: &Case) {
    let (world, store) = (case.world(), case.journal.copy());
    let twice = |kind: &str| TWICE.iter().find(|twice| twice.0 == kind).map(|twice| twice as &dyn Operations);
    let program = Some(Arc::new(Program::new(Arc::clone(&case.plan), twice).unwrap()));
    let (end, events) = pipeline::run_in(&world, &store, &case.plan, case.way, Setting { program, ..Setting::default() }).await;
    assert_eq!(end.code(), Some(0), "{}: {end:?}\n{events:#?}", case.name);
    let wanted = if case.way == Way::Back { &case.original } else { &case.declared };
    crash::same(&(case.essence)(&world.snapshot()), wanted, case.name);
    let restores = world.calls().iter().filter(|called| called.effect && called.info.call == "rds:RestoreDBInstanceFromDBSnapshot").count();
    assert!(restores <= 1, "{}: {restores} instances were made", case.name);
    if case.way == Way::New {
        let again = pipeline::plan_of(&case.desired, &*world).await;
        assert!(again.steps.is_empty(), "{}: planning again yields something", case.name);
    }
}

#[test]
fn every_step_run_twice_ends_in_the_same_world() {
    for case in trials::all() {
        block_on(prove(&case));
    }
}
