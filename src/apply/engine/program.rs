//! A plan made ready to run: its operations decoded, its order checked. Everything that can be wrong with a plan is found here, before anything
//! is done.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::apply::event::Event;
use crate::apply::journal::RunState;
use crate::apply::operation::{Operation, Operations};
use crate::model::{Error, Exit, Result, guard};
use crate::plan::{Plan, Step, Undo};

/// Finds what a kind can run, by the kind's name.
pub type Kinds = fn(&str) -> Option<&'static dyn Operations>;

/// One step, decoded.
pub struct Ready {
    /// The step's place in the plan.
    pub at: usize,
    /// What it does.
    pub operation: Arc<dyn Operation>,
    /// Its way back, in order.
    pub undo: Vec<Arc<dyn Operation>>,
    /// Places of the steps before it.
    pub after: Vec<usize>,
}

/// A plan made ready.
pub struct Program {
    /// The plan.
    pub plan: Arc<Plan>,
    /// Its steps, in the plan's order.
    pub steps: Vec<Ready>,
    /// Facts of the plan by id.
    pub facts: BTreeMap<String, usize>,
    /// How facts are read.
    pub kinds: Kinds,
}

impl Program {
    /// Decodes every operation, checks that ids are unique, that `after` and `facts` name what is there, that the order has no cycle, and that nothing that is
    /// written is protected.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(plan: Arc<Plan>, kinds: Kinds) -> Result<Self> {
        let bad =
            |what: String| Error::new(Exit::Error, format!("the plan cannot be run: {what}"), "make a new plan with this version of switchover");
        if plan.steps.iter().enumerate().any(|(at, step)| plan.place(&step.id) != Some(at)) {
            return Err(bad("two steps have one id".to_owned()));
        }
        let facts: BTreeMap<String, usize> = plan.facts.iter().enumerate().map(|(at, fact)| (fact.id.clone(), at)).collect();
        let mut steps = Vec::with_capacity(plan.steps.len());
        for (at, step) in plan.steps.iter().enumerate() {
            let kind = kinds(&step.address.kind).ok_or_else(|| bad(format!("there is no kind `{}`", step.address.kind)))?;
            let decode = |operation| kind.decode(operation).map(Arc::from).map_err(|why| bad(format!("{}: {why}", step.id)));
            let undo = match &step.undo {
                Undo::Operations { operations, .. } => operations.iter().map(decode).collect::<Result<Vec<_>>>()?,
                _ => Vec::new(),
            };
            let after = step.after.iter().map(|id| plan.place(id).ok_or_else(|| bad(format!("{} waits for {id}, which is not there", step.id))));
            if let Some(fact) = step.facts.iter().find(|id| !facts.contains_key(*id)) {
                return Err(bad(format!("{} relies on {fact}, which is not there", step.id)));
            }
            steps.push(Ready { at, operation: decode(&step.operation)?, undo, after: after.collect::<Result<_>>()? });
        }
        let program = Program { plan, steps, facts, kinds };
        if let Some(id) = program.in_cycle() {
            return Err(bad(format!("{id} waits for itself")));
        }
        for ready in &program.steps {
            program.guard(ready.at)?;
        }
        Ok(program)
    }

    /// One step's data.
    #[must_use]
    pub fn step(&self, at: usize) -> &Step {
        &self.plan.steps[at]
    }

    /// Gives an event the service's own word for what its step does at the moment: `rds:ModifyDBInstance`; on the way back that of the way back.
    pub fn name_operation(&self, event: &mut Event, state: &RunState) {
        let Some((id, ready)) = event.step.as_deref().and_then(|id| Some((id, self.steps.get(self.plan.place(id)?)?))) else { return };
        let index = state.step(id).undo.as_ref().map_or(0, |(index, _)| *index);
        let back = ready.undo.get(index).filter(|_| state.turned_back.is_some());
        event.operation = Some(back.unwrap_or(&ready.operation).name().to_owned());
    }

    /// Refuses what would write a protected name, in the step or in its way back; checked again just before every call.
    pub fn guard(&self, at: usize) -> Result<()> {
        let (step, ready) = (self.step(at), &self.steps[at]);
        let operations = std::iter::once(&ready.operation).chain(&ready.undo);
        let names = step.writes.iter().cloned().chain(operations.flat_map(|operation| operation.writes()));
        for name in names {
            if let Some(word) = guard::protected(&self.plan.protect, &name) {
                return Err(Error::new(
                    Exit::Error,
                    format!("{} would write `{name}`, and the environment protects everything that holds `{word}`", step.id),
                    "nothing was written; if this is really meant, change `protect` in the environment block",
                ));
            }
        }
        Ok(())
    }

    fn in_cycle(&self) -> Option<String> {
        let mut waiting: Vec<usize> = self.steps.iter().map(|ready| ready.after.len()).collect();
        let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); self.steps.len()];
        for ready in &self.steps {
            for before in &ready.after {
                dependents[*before].push(ready.at);
            }
        }
        let mut free: Vec<usize> = (0..self.steps.len()).filter(|at| waiting[*at] == 0).collect();
        let mut seen = 0;
        while let Some(at) = free.pop() {
            seen += 1;
            for next in &dependents[at] {
                waiting[*next] -= 1;
                if waiting[*next] == 0 {
                    free.push(*next);
                }
            }
        }
        if seen == self.steps.len() { None } else { (0..self.steps.len()).find(|at| waiting[*at] > 0).map(|at| self.step(at).id.clone()) }
    }
}
