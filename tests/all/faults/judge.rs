//! Runs one cell to its end, and says where that is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use switchover::apply::engine::summary;
use switchover::apply::event::{EventKind, Summary};
use switchover::model::Json;
use switchover::plan::Undo;
use switchover::world::sim::{Called, Outcome as Answer, SimWorld};

use super::cell::{Cell, What};
use super::matrix::Outcome;
use super::person::{self, Command};
use super::script::{Mend, Script};
use super::story::Story;
use super::trials::Case;
use crate::crash;
use crate::support::pipeline::{self, End, Setting, Way};
use crate::support::{Die, MemoryStore};

/// Processes of one run, at most.
const ROUNDS: usize = 12;
/// How long a person waits who is told to wait until something shows.
const PATIENCE: Duration = Duration::from_hours(2);
/// How a run says that it could not know.
const UNANSWERED: &str = "its call had no answer, and nothing of it has shown";
/// After this everything that was under way has come to its end.
const AFTERMATH: Duration = Duration::from_hours(6);

struct Trying<'a> {
    case: &'a Case,
    cell: &'a Cell,
    world: Arc<SimWorld>,
    store: Arc<MemoryStore>,
    script: Script,
    story: Story,
    choices: fastrand::Rng,
    /// Whether a run took something as not done that nobody has answered for, and said so.
    assumed: bool,
}

/// Where a cell ends, or why that is nowhere, and its story.
pub async fn judge(case: &Case, cell: &Cell, heard: bool) -> (Result<Outcome, String>, Story) {
    let mut trying = Trying {
        case,
        cell,
        world: case.world(),
        store: case.journal.copy(),
        script: Script::new(&cell.faults),
        story: Story { heard, ..Story::default() },
        choices: fastrand::Rng::with_seed(cell.choices),
        assumed: false,
    };
    trying.story.say(|| format!("{}: {:?}", case.name, cell.faults));
    for step in &case.plan.steps {
        trying.story.say(|| format!("  {} [{:?}] {} | back: {}", step.id, step.phase, step.title, way_back(&step.undo)));
    }
    let verdict = trying.run().await;
    for Called { info, outcome, effect } in trying.world.calls() {
        let number = info.number;
        trying
            .story
            .say(|| format!("call {number}: {} {} {outcome:?}{}", info.call, info.target, if effect && info.write { ", effect" } else { "" }));
    }
    for hit in trying.script.hits() {
        trying.story.say(|| format!("fault: {hit}"));
    }
    (verdict, trying.story)
}

fn way_back(undo: &Undo) -> &str {
    match undo {
        Undo::Nothing => "nothing to undo",
        Undo::Operations { title, .. } => title,
        Undo::Keep(why) => why,
        Undo::Impossible(lost) => lost,
    }
}

impl Trying<'_> {
    async fn run(&mut self) -> Result<Outcome, String> {
        let mut way = self.case.way;
        let mut die = self.cell.death.map(|(at, after)| if after { Die::AfterCall(at) } else { Die::BeforeCall(at) });
        let mut stopped = false;
        for _ in 0..ROUNDS {
            self.story.say(|| format!("--- {way:?}"));
            let setting = Setting { die: die.take(), faults: Some(self.script.hook()), program: Some(Arc::clone(&self.case.program)) };
            let (end, events) = pipeline::run_in(&self.world, &self.store, &self.case.plan, way, setting).await;
            self.story.events(&events);
            self.assumed = events.iter().any(|event| matches!(&event.kind, EventKind::Notice { message } if message.starts_with(UNANSWERED)));
            self.story.say(|| format!("--- {end:?}"));
            match end {
                End::Died => way = self.after_death().await,
                End::Ended(summary) if summary.exit_code == 5 => {
                    stopped = true;
                    way = self.obey(&summary).await?;
                }
                End::Ended(summary) => return self.ended(&summary, stopped).await,
            }
        }
        Err(format!("{ROUNDS} processes, and no end"))
    }

    /// Somebody finds that the process is gone.
    async fn after_death(&mut self) -> Way {
        let Some(state) = pipeline::state(&*self.store, &self.case.plan).await else { return Way::New };
        if state.asked_back() || (self.choices.bool() && summary::gone(&state).is_empty()) { Way::Back } else { Way::On }
    }

    /// Does what the report says.
    async fn obey(&mut self, summary: &Summary) -> Result<Way, String> {
        let state = pipeline::state(&*self.store, &self.case.plan).await.ok_or("a stop without a journal")?;
        let order = person::read(&summary.needs, &self.case.plan.environment, self.choices.usize(..2))?;
        self.story.say(|| format!("--- a person: {order:?}"));
        for (mend, told) in &order.mends {
            self.script.mend(*mend, told);
        }
        if order.mends.iter().any(|(mend, _)| *mend == Mend::Wait) {
            self.world.advance(PATIENCE);
        }
        match order.command {
            Command::RollBack if !summary::gone(&state).is_empty() => Err(format!("told to roll back, which is refused: {:?}", summary.needs)),
            Command::Resume if !state.asked_back() => Ok(Way::On),
            Command::RollBack | Command::Resume => Ok(Way::Back),
        }
    }

    /// The run says that it is over: is it as it says?
    async fn ended(&mut self, told: &Summary, stopped: bool) -> Result<Outcome, String> {
        let state = pipeline::state(&*self.store, &self.case.plan).await.ok_or("an end without a journal")?;
        let declared = match told.exit_code {
            0 => state.turned_back.is_none(),
            1 | 4 | 6 => false,
            code => return Err(format!("exit code {code}: {told:?}")),
        };
        crash::check_calls(&self.world, &self.store, "");
        looked_before_repeating(&self.world.calls())?;
        self.script.lift_all();
        self.world.advance(AFTERMATH);
        let found = (self.case.essence)(&self.world.snapshot());
        let wanted = if declared { &self.case.declared } else { &self.case.original };
        if let Err(diff) = same(&found, wanted) {
            if !declared && self.assumed && self.shows_an_hour_late() {
                self.converges(false).await?;
                return Ok(Outcome::BeyondSight);
            }
            return Err(format!("exit code {}, and another world than that says:\n{diff}", told.exit_code));
        }
        // A stop's report is believed only when the next plan has shown it; of the rest of the pairs every fourth will do.
        if stopped || self.cell.faults.len() == 1 || self.choices.u8(..4) == 0 {
            self.converges(declared).await?;
        }
        Ok(match (stopped, declared) {
            (false, true) => Outcome::Declared,
            (false, false) => Outcome::Original,
            (true, true) => Outcome::StoppedDeclared,
            (true, false) => Outcome::StoppedOriginal,
        })
    }

    /// Whether the cell has an effect in it that is seen later than any visibility limit.
    fn shows_an_hour_late(&self) -> bool {
        self.cell.faults.iter().any(|fault| fault.what == What::LateHour)
    }

    /// Planning again yields nothing, or what leads to nothing.
    async fn converges(&self, declared: bool) -> Result<(), String> {
        let plan = pipeline::plan_of(&self.case.desired, &*self.world).await;
        let steps = |plan: &switchover::plan::Plan| plan.steps.iter().map(|step| step.id.clone()).collect::<Vec<_>>();
        if !plan.errors.is_empty() {
            return Err(format!("planning again fails: {:?}", plan.errors));
        }
        if declared {
            return if plan.steps.is_empty() { Ok(()) } else { Err(format!("planning again yields {:?}", steps(&plan))) };
        }
        let plan = Arc::new(plan);
        let (end, _) = pipeline::run(&self.world, &MemoryStore::new(), &plan, Way::New, None).await;
        if end.code() != Some(0) {
            return Err(format!("the next plan is not done: {end:?}"));
        }
        let left = steps(&pipeline::plan_of(&self.case.desired, &*self.world).await);
        if left.is_empty() { Ok(()) } else { Err(format!("after the next plan there is left {left:?}")) }
    }
}

/// Between two equal writes, the first of which was not answered properly, somebody has looked.
fn looked_before_repeating(calls: &[Called]) -> Result<(), String> {
    let mut unknown: BTreeMap<(&str, &str), bool> = BTreeMap::new();
    for called in calls {
        if !called.info.write {
            for looked in unknown.values_mut() {
                *looked = true;
            }
            continue;
        }
        let key = (called.info.call, called.info.target.as_str());
        if unknown.remove(&key) == Some(false) {
            return Err(format!("repeated without a look: {called:?}"));
        }
        if matches!(&called.outcome, Answer::Hung) || matches!(&called.outcome, Answer::Failed(why) if why.contains("was not answered properly")) {
            unknown.insert(key, false);
        }
    }
    Ok(())
}

/// The lines that differ.
fn same(found: &Json, wanted: &Json) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    let (wanted, found) = (serde_json::to_string_pretty(wanted).unwrap(), serde_json::to_string_pretty(found).unwrap());
    let diff = similar::TextDiff::from_lines(&wanted, &found);
    Err(diff.unified_diff().context_radius(2).header("wanted", "found").to_string())
}
