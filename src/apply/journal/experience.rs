//! Journals of earlier runs → how long their steps and outages took.

use std::collections::BTreeMap;

use super::{Entry, Record};
use crate::model::time::{self, Timestamp};
use crate::plan::{Experience, Step};

/// Adds what one run tells; the newest run first. Only what went through in one go counts: a step that a stop or another process came between took
/// longer than it takes, and an outage that was switched back shorter or longer than one that was not.
pub fn add(entries: &[Entry], experience: &mut Experience) {
    let Some(Record::Begun { plan, .. }) = entries.first().map(|entry| &entry.record) else { return };
    let steps: BTreeMap<&str, &Step> = plan.steps.iter().map(|step| (step.id.as_str(), step)).collect();
    let mut begun: BTreeMap<&str, Timestamp> = BTreeMap::new();
    let mut in_one_go = true;
    for entry in entries {
        match &entry.record {
            Record::Watching { step } | Record::Intent { step, undo: None, .. } => drop(begun.entry(step).or_insert(entry.time)),
            Record::Done { step, .. } => {
                if let (Some(since), Some(step)) = (begun.remove(step.as_str()), steps.get(step.as_str())) {
                    experience.add_step(step, time::between(since, entry.time));
                }
            }
            Record::Failed { step, .. } => drop(begun.remove(step.as_str())),
            Record::Continued { .. } => {
                begun.clear();
                in_one_go = false;
            }
            Record::TurnedBack { .. } => return,
            Record::OutageStarted { .. } => in_one_go = true,
            Record::OutageEnded { outage, seconds } if in_one_go => experience.add_outage(outage, std::time::Duration::from_secs(*seconds)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::plan::{Estimate, Left, Plan};
    use crate::review::sample;

    fn told(plan: &Plan, records: Vec<(u64, Record)>) -> Vec<Entry> {
        let begun = (0, Record::Begun { plan: Arc::new(plan.clone()), actor: "ana".to_owned() });
        let start = sample::at("2026-11-05T13:00:00Z");
        let all = std::iter::once(begun).chain(records).zip(0..);
        all.map(|((after, record), seq)| Entry { seq, time: time::after(start, Duration::from_secs(after)), record }).collect()
    }

    fn intent(step: &Step, attempt: u32) -> Record {
        Record::Intent { step: step.id.clone(), undo: None, attempt }
    }

    fn done(step: &Step) -> Record {
        Record::Done { step: step.id.clone(), outputs: BTreeMap::default(), detail: String::new() }
    }

    #[test]
    fn a_step_counts_from_its_first_call_and_only_when_nothing_came_between() {
        let plan = sample::database();
        let (tag, restore, rename) = (&plan.steps[0], &plan.steps[2], &plan.steps[7]);
        let entries = told(
            &plan,
            vec![
                (1, intent(tag, 1)),
                (4, intent(tag, 2)),
                (6, done(tag)),
                (7, intent(restore, 1)),
                (1_000, Record::Continued { mode: "resume".to_owned(), actor: "ana".to_owned() }),
                (90_000, done(restore)),
                (90_001, Record::OutageStarted { outage: "dev-openverse-db".to_owned() }),
                (90_001, intent(rename, 1)),
                (90_101, done(rename)),
                (90_433, Record::OutageEnded { outage: "dev-openverse-db".to_owned(), seconds: 432 }),
            ],
        );
        let mut known = Experience::default();
        add(&entries, &mut known);
        assert_eq!((known.step(tag).duration, known.step(tag).runs), (Duration::from_secs(5), 1));
        assert_eq!(known.step(restore).runs, 0, "another process came between");
        assert_eq!(known.step(rename).duration, Duration::from_secs(100));
        assert_eq!(known.outage(&plan.outage[0]).duration, Duration::from_secs(432));
    }

    #[test]
    fn what_is_turned_back_teaches_nothing_more() {
        let plan = sample::database();
        let rename = &plan.steps[7];
        let entries = told(
            &plan,
            vec![
                (1, Record::OutageStarted { outage: "dev-openverse-db".to_owned() }),
                (1, intent(rename, 1)),
                (9, Record::TurnedBack { why: "no".to_owned() }),
                (20, Record::OutageEnded { outage: "dev-openverse-db".to_owned(), seconds: 19 }),
            ],
        );
        let mut known = Experience::default();
        add(&entries, &mut known);
        assert!(known.is_empty());
    }

    #[test]
    fn a_median_of_the_newest_few_and_else_a_guess() {
        let plan = sample::database();
        let restore = &plan.steps[2];
        let mut known = Experience::default();
        assert_eq!(known.step(restore), Estimate::guess(Duration::from_mins(45)));
        for (took, words) in [(840, "as in the last run"), (900, "median of 2 runs"), (60, "median of 3 runs")] {
            known.add_step(restore, Duration::from_secs(took));
            assert_eq!(known.step(restore).basis(), words);
        }
        assert_eq!(known.step(restore).short(), "14m");
        for _ in 0..10 {
            known.add_step(restore, Duration::from_hours(9));
        }
        assert_eq!(known.step(restore), Estimate { duration: Duration::from_mins(15), runs: 5 }, "the oldest no longer count");
        assert_eq!(known.step(&plan.steps[1]).basis(), "a guess");
    }

    #[test]
    fn another_operation_under_the_same_id_is_another_step() {
        let plan = sample::database();
        let mut other = plan.steps[2].clone();
        other.operation = serde_json::json!({ "type": "wait" }).into();
        let mut known = Experience::default();
        known.add_step(&other, Duration::from_secs(1));
        assert_eq!(known.step(&plan.steps[2]).runs, 0);
    }

    #[test]
    fn a_plan_is_informed_for_showing_alone() {
        let plan = sample::database();
        let mut known = Experience::default();
        known.add_step(&plan.steps[2], Duration::from_mins(10));
        known.add_outage("dev-openverse-db", Duration::from_secs(433));
        let (informed, steps) = known.informed(&plan);
        assert_eq!((steps, informed.steps[2].limits.expected), (1, Duration::from_mins(10)));
        assert_eq!(informed.outage[0].expected, Duration::from_secs(433));
        assert_eq!(informed.expected + Duration::from_mins(35), plan.expected);
        assert_eq!(known.run(&plan, |step| step.phase == crate::model::Phase::Switch), Duration::from_mins(8));
    }

    #[test]
    fn what_is_left_is_what_no_step_has_taken_yet() {
        let plan = sample::database();
        let minutes = Duration::from_mins;
        let (restore, mut known) = (&plan.steps[2], Experience::default());
        let left = known.left(&plan, |_| Some(Duration::ZERO));
        assert_eq!((left.duration, left.known, left.basis()), (known.run(&plan, |_| true), 0, "a guess"));
        known.add_step(restore, restore.limits.expected + minutes(30));
        let longer = known.left(&plan, |_| Some(Duration::ZERO));
        assert_eq!((longer.duration, longer.known, longer.basis()), (left.duration + minutes(30), 1, "partly a guess"));
        let only = |elapsed: u64| known.left(&plan, move |step| (step.id == restore.id).then(|| minutes(elapsed)));
        assert_eq!((only(10).duration, only(10).basis()), (restore.limits.expected + minutes(20), "as earlier runs took"));
        assert_eq!(only(100_000).duration, Duration::ZERO, "longer than expected");
        assert_eq!(known.left(&plan, |_| None), Left { duration: Duration::ZERO, steps: 0, known: 0 });
    }
}
