//! What can have happened, told by an automaton for each step and a few flags of the whole run. It shares nothing with the fold but the records.
//!
//! A step is *idle* until it is seen, *seen* when it is watched, *out* while a call of it is not answered, *answered* once it is, *lost* when the
//! process that called died first, and then *done*; on the way back the same goes for each operation, until it is *gone*.

use std::collections::{BTreeMap, BTreeSet};

use switchover::apply::event::Summary;
use switchover::apply::journal::{Answer, Entry, Record};
use switchover::plan::{Plan, Undo};

/// A call of one operation.
#[derive(Clone, Copy, PartialEq)]
enum Called {
    Out,
    Refused,
    Answered,
    Lost,
}

/// One operation's calls.
#[derive(Clone, Copy)]
struct Line {
    count: u32,
    last: Called,
    /// Whether an earlier call than the last may have had an effect.
    doubt: bool,
    /// Whether one was answered well.
    taken: bool,
    /// Whether somebody was told that nothing came of it, and whether it failed for whatever cause and somebody goes on.
    told: bool,
    again: bool,
}

impl Line {
    fn without_effect(self) -> bool {
        self.last == Called::Refused && !self.doubt && !self.taken
    }
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Open,
    Done,
    Gone,
}

struct Walk {
    seen: bool,
    ever_called: bool,
    forward: Option<Line>,
    back: Option<(usize, Line)>,
    end: End,
    /// Whether it failed because nothing is seen of what was taken, and whether that was on its way back.
    unseen: bool,
    back_failed: bool,
    failed: bool,
    /// Whether it is only taken to be gone.
    assumed: bool,
}

impl Walk {
    fn new() -> Self {
        Walk {
            seen: false,
            ever_called: false,
            forward: None,
            back: None,
            end: End::Open,
            unseen: false,
            back_failed: false,
            failed: false,
            assumed: false,
        }
    }

    fn fails(&mut self, back: bool, unseen: bool) -> Result<(), String> {
        let awaited = self.back.map(|(_, line)| line).or(self.forward.filter(|_| self.end == End::Open));
        need(!unseen || awaited.is_some_and(|line| line.taken), "what was not taken is not seen")?;
        (self.unseen, self.back_failed, self.failed) = (unseen, back, true);
        Ok(())
    }

    fn is_out(&self) -> bool {
        [self.forward, self.back.map(|(_, line)| line)].into_iter().flatten().any(|line| line.last == Called::Out)
    }
}

/// The whole run.
struct Run<'a> {
    plan: &'a Plan,
    walks: BTreeMap<&'a str, Walk>,
    back: bool,
    over: bool,
    ended: bool,
    given_up: bool,
    wrote: bool,
    outages: BTreeSet<&'a str>,
}

fn need(condition: bool, why: &str) -> Result<(), String> {
    if condition { Ok(()) } else { Err(why.to_owned()) }
}

/// Whether this can have happened.
pub fn accept(entries: &[Entry]) -> Result<(), String> {
    let Some(Entry { record: Record::Begun { plan, .. }, .. }) = entries.first() else { return Err("it has no beginning".to_owned()) };
    let walks = plan.steps.iter().map(|step| (step.id.as_str(), Walk::new())).collect();
    let mut run = Run { plan, walks, back: false, over: false, ended: false, given_up: false, wrote: false, outages: BTreeSet::new() };
    for (at, entry) in entries.iter().enumerate().skip(1) {
        run.step(&entry.record).map_err(|why| format!("at {at}: {why}"))?;
    }
    Ok(())
}

impl<'a> Run<'a> {
    fn step(&mut self, record: &'a Record) -> Result<(), String> {
        if let Record::Continued { mode, .. } = record {
            return self.another_process(mode);
        }
        need(!self.over, "a process that had left wrote on")?;
        match record {
            Record::Begun { .. } | Record::Continued { .. } => Err("it begins again".to_owned()),
            Record::Watching { step } => self.look(step),
            Record::Intent { step, undo: None, attempt } => self.call(step, *attempt),
            Record::Intent { step, undo: Some(index), attempt } => self.call_back(step, *index, *attempt),
            Record::Answered { step, undo, answer } => self.answer(step, *undo, answer),
            Record::Noted { step, .. } => need(self.walk(step)?.is_out(), "a note without a call"),
            Record::Done { step, .. } => self.done(step),
            Record::Failed { step, undo: false, unseen, .. } => self.failed(step, *unseen),
            Record::Failed { step, undo: true, unseen, .. } => {
                let back = self.back;
                let walk = self.walk(step)?;
                need(back && walk.ever_called && walk.end != End::Gone && !walk.is_out(), "a way back failed that was not gone")?;
                walk.fails(true, *unseen)
            }
            Record::TurnedBack { .. } => {
                need(!self.back && !self.walks.values().any(Walk::is_out), "turned back twice, or over an open call")?;
                self.back = true;
                Ok(())
            }
            Record::Undone { step, assumed } => self.gone(step, *assumed),
            Record::OutageStarted { outage } => {
                let known = self.plan.steps.iter().any(|step| step.outage.as_ref().is_some_and(|known| known.name() == outage));
                need(known && self.outages.insert(outage), "an outage that is open or unknown begins")
            }
            Record::OutageEnded { outage, .. } => need(self.outages.remove(outage.as_str()), "an outage ends that is not open"),
            Record::Stopped { summary, .. } => self.leave(summary, false),
            Record::Finished { summary, given_up } => {
                self.given_up = *given_up;
                self.leave(summary, true)
            }
        }
    }

    fn walk(&mut self, step: &str) -> Result<&mut Walk, String> {
        self.walks.get_mut(step).ok_or_else(|| format!("{step} is unknown"))
    }

    fn another_process(&mut self, mode: &str) -> Result<(), String> {
        need(matches!(mode, "resume" | "rollback"), "nobody goes on like that")?;
        need(!self.given_up, "nobody goes on with what was given up")?;
        if self.ended && !self.wrote && mode == "resume" {
            // Nothing had been done: all begins anew.
            self.back = false;
            self.walks.values_mut().for_each(|walk| *walk = Walk::new());
        }
        (self.over, self.ended) = (false, false);
        let lose = |line: Line| match line {
            line if line.without_effect() => None,
            line if line.last == Called::Answered => Some(line),
            line => Some(Line { last: Called::Lost, ..line }),
        };
        let goes_back = self.back;
        for walk in self.walks.values_mut() {
            if std::mem::take(&mut walk.assumed) {
                // Whoever goes on looks again.
                walk.end = End::Open;
            }
            let back_failed = std::mem::take(&mut walk.back_failed);
            let failed = back_failed || (walk.failed && !goes_back);
            let told = std::mem::take(&mut walk.unseen) && (back_failed || !goes_back);
            let hear = |line: Line, told, again| Line { told: line.told || told, again: line.again || again, ..line };
            let before = walk.forward.map(|line| hear(line, told && walk.back.is_none(), failed));
            if walk.end == End::Open {
                walk.forward = before.and_then(lose);
                // What was refused for good has not begun.
                walk.seen &= before.is_none();
            }
            walk.back = walk.back.and_then(|(index, line)| Some((index, lose(hear(line, told, back_failed))?)));
        }
        Ok(())
    }

    fn forwards(&mut self, step: &str) -> Result<&mut Walk, String> {
        let planned = self.plan.steps.iter().find(|planned| planned.id == step).ok_or_else(|| format!("{step} is unknown"))?;
        need(!self.back, "forwards in a run that goes back")?;
        need(planned.after.iter().all(|before| self.walks[before.as_str()].end == End::Done), "before what it waits for")?;
        self.walk(step)
    }

    fn look(&mut self, step: &str) -> Result<(), String> {
        let walk = self.forwards(step)?;
        need(walk.end == End::Open && walk.forward.is_none(), "watched after its call")?;
        walk.seen = true;
        walk.failed = false;
        Ok(())
    }

    fn call(&mut self, step: &str, attempt: u32) -> Result<(), String> {
        let walk = self.forwards(step)?;
        need(walk.end == End::Open && !walk.is_out(), "called when done, or twice at once")?;
        walk.forward = Some(next(walk.forward, attempt)?);
        (walk.unseen, walk.failed) = (false, false);
        walk.ever_called = true;
        self.wrote = true;
        Ok(())
    }

    fn call_back(&mut self, step: &str, index: usize, attempt: u32) -> Result<(), String> {
        let planned = self.plan.steps.iter().find(|planned| planned.id == step).ok_or_else(|| format!("{step} is unknown"))?;
        need(matches!(&planned.undo, Undo::Operations { operations, .. } if operations.len() > index), "there is no such way back")?;
        need(self.back && !self.walks.values().any(Walk::is_out), "a call back in a run that goes forward, or beside another call")?;
        let walk = self.walk(step)?;
        need(walk.ever_called && walk.end != End::Gone, "a call back of what is not there")?;
        let line = walk.back.filter(|(at, _)| *at == index).map(|(_, line)| line);
        walk.back = Some((index, next(line, attempt)?));
        (walk.unseen, walk.failed) = (false, false);
        self.wrote = true;
        Ok(())
    }

    fn answer(&mut self, step: &str, undo: Option<usize>, answer: &Answer) -> Result<(), String> {
        let walk = self.walk(step)?;
        let line = match undo {
            None if walk.end == End::Open => walk.forward.as_mut(),
            None => None,
            Some(index) => walk.back.as_mut().filter(|(at, _)| *at == index).map(|(_, line)| line),
        };
        let line = line.filter(|line| line.last == Called::Out).ok_or("an answer to no call")?;
        line.taken |= *answer == Answer::Good;
        line.last = match answer {
            Answer::Nothing { .. } => Called::Refused,
            Answer::Good => Called::Answered,
            Answer::Unknown { .. } => Called::Lost,
        };
        Ok(())
    }

    fn done(&mut self, step: &str) -> Result<(), String> {
        let walk = self.forwards(step)?;
        need(walk.end == End::Open && !walk.is_out() && (walk.seen || walk.forward.is_some()), "done out of nothing")?;
        walk.end = End::Done;
        walk.failed = false;
        Ok(())
    }

    fn failed(&mut self, step: &str, unseen: bool) -> Result<(), String> {
        let walk = self.forwards(step)?;
        need(walk.end == End::Open && !walk.is_out(), "failed when done, or while an answer is awaited")?;
        walk.fails(false, unseen)
    }

    fn gone(&mut self, step: &str, assumed: bool) -> Result<(), String> {
        let back = self.back;
        let stays = self.plan.steps.iter().any(|planned| planned.id == step && matches!(planned.undo, Undo::Keep(_) | Undo::Impossible(_)));
        let walk = self.walk(step)?;
        need(back && !stays && walk.ever_called && walk.end != End::Gone && !walk.is_out(), "gone out of turn")?;
        let unknown = walk.end == End::Open && walk.back.is_none() && walk.forward.is_some_and(|line| !line.without_effect());
        need(!assumed || unknown, "taken to be gone, of which more is known")?;
        (walk.end, walk.assumed) = (End::Gone, assumed);
        (walk.failed, walk.back_failed) = (false, false);
        Ok(())
    }

    fn leave(&mut self, summary: &Summary, ended: bool) -> Result<(), String> {
        let mut lists: [Vec<&str>; 4] = Default::default();
        for step in &self.plan.steps {
            let walk = &self.walks[step.id.as_str()];
            let list = match (walk.end, walk.forward) {
                (End::Done, _) => 0,
                (End::Gone, _) => 1,
                (End::Open, Some(line)) if !line.without_effect() => 2,
                (End::Open, _) => 3,
            };
            lists[list].push(&step.id);
        }
        let told = [&summary.done, &summary.undone, &summary.in_flight, &summary.not_started];
        need(lists.iter().zip(told).all(|(list, told)| list.iter().copied().eq(told.iter().map(String::as_str))), "its last word is not true")?;
        (self.over, self.ended) = (true, ended);
        Ok(())
    }
}

/// One more call of an operation.
fn next(line: Option<Line>, attempt: u32) -> Result<Line, String> {
    need(line.is_none_or(|line| line.last != Called::Answered || line.told || line.again), "called again after it was answered well")?;
    let (count, doubt) = line.map_or((0, false), |line| (line.count, line.doubt || line.last == Called::Lost));
    need(attempt == count + 1, "calls are not counted so")?;
    let taken = line.is_some_and(|line| line.taken);
    Ok(Line { count: attempt, last: Called::Out, doubt, taken, told: false, again: false })
}
