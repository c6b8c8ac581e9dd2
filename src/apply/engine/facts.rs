//! What the plan relied on, read again.

use futures_util::stream::{self, StreamExt};

use super::{Engine, Program};
use crate::apply::operation::Cx;
use crate::model::{Error, Exit, Result};
use crate::world::CallResult;

/// Facts read at once.
const AT_ONCE: usize = 8;
/// Reads of one fact that fail for the moment, before the run does not begin.
const READS_MAX: u32 = 4;
/// The longest pause before another read: nothing has begun yet, so whoever is told to wait longer can come again.
const PAUSE_MAX: std::time::Duration = std::time::Duration::from_mins(1);

/// The first of these facts that is not what it was, in words; none when all hold.
pub async fn first_changed(program: &Program, facts: &[String], cx: &Cx<'_>) -> CallResult<Option<String>> {
    for id in facts {
        let Some(fact) = program.facts.get(id).map(|at| &program.plan.facts[*at]) else { continue };
        let Some(kind) = (program.kinds)(&fact.address.kind) else { continue };
        let found = kind.read_fact(&fact.read, cx).await?;
        if found != fact.value {
            return Ok(Some(format!("{} has changed since the plan was made: {}", fact.title, difference(&fact.value.json(), &found.json()))));
        }
    }
    Ok(None)
}

/// The error of a run that cannot begin, since nobody answers.
pub fn not_answered(limit: std::time::Duration) -> Error {
    let what = format!("cannot check what the plan relies on: no answer within {}; nothing was changed", crate::model::time::words(limit));
    Error::new(Exit::Error, what, "the services do not answer: try again in some minutes")
}

/// The first difference, short enough for one line.
fn difference(before: &crate::model::Json, after: &crate::model::Json) -> String {
    use crate::model::Json;
    if let (Json::Object(before), Json::Object(after)) = (before, after) {
        for key in before.keys().chain(after.keys()) {
            let (was, is) = (before.get(key).unwrap_or(&Json::Null), after.get(key).unwrap_or(&Json::Null));
            if was != is {
                return format!("{key}: {}", difference(was, is));
            }
        }
    }
    let short = |value: &Json| match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => text.chars().take(80).collect(),
        other => other.to_string().chars().take(80).collect(),
    };
    format!("was {}, is {}", short(before), short(after))
}

impl Engine {
    /// Reads every fact of the plan before the first step. One that has changed makes the plan stale: nothing was done.
    pub(super) async fn check_all_facts(&mut self) -> Result<()> {
        let program = std::sync::Arc::clone(&self.program);
        let writers = std::sync::Arc::clone(&self.writers);
        let plan = &program.plan;
        let outputs = std::collections::BTreeMap::new();
        let changed: Vec<CallResult<Option<String>>> = stream::iter(&plan.facts)
            .map(|fact| {
                let (program, writers, outputs) = (&program, &writers, &outputs);
                async move {
                    let readers: &dyn crate::world::Readers = &**writers;
                    let cx =
                        Cx { readers, providers: &plan.providers, environment: &plan.environment, run: &plan.run, step: "", outputs, started: None };
                    let mut tries = 1;
                    loop {
                        match first_changed(program, std::slice::from_ref(&fact.id), &cx).await {
                            Err(error) if error.may_pass() && tries < READS_MAX => {
                                let pause = error.retry_after().unwrap_or(std::time::Duration::from_secs(1 << tries)).min(PAUSE_MAX);
                                readers.clock().sleep(pause).await;
                                tries += 1;
                            }
                            result => return result,
                        }
                    }
                }
            })
            .buffered(AT_ONCE)
            .collect()
            .await;
        for result in changed {
            match result {
                Ok(None) => {}
                Ok(Some(why)) => {
                    return Err(Error::new(
                        Exit::Stale,
                        format!("the plan is stale: {why}"),
                        "nothing was changed; make a new plan and have it reviewed",
                    ));
                }
                Err(error) => return Err(error.into_error(Exit::Error).within("cannot check what the plan relies on; nothing was changed")),
            }
        }
        Ok(())
    }
}
