//! *switch*: one batch call, one transaction; the same operation, with the inverse changes, is its undo.
//!
//! `look` reads the zone once and judges change by change, so it does not matter who made a change or when: a call whose answer was
//! lost, an earlier attempt, a process that is gone. What a repeated call would be refused for (a record that exists already, an id that is
//! not there any more) is a change that is done.

use std::collections::HashMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::super::batch::{Alteration, Changes};
use super::super::rows::{line, record_line};
use super::records;
use crate::apply::{Cx, Look, Operation, StartCx};
use crate::world::dns::{self, NewRecord, Patch, Record};
use crate::world::{CallError, CallResult, Failure};

/// What Cloudflare says to a repeated call: the record exists (twice), or is not there any more.
const REPEATED: [&str; 3] = ["81057", "81058", "81044"];

/// One batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// The Cloudflare provider.
    pub provider: String,
    /// The zone's name.
    pub zone: String,
    /// The zone's id.
    pub zone_id: String,
    /// What it changes.
    pub changes: Changes,
}

/// What one read of the zone says about a batch.
struct Judged {
    /// What is still to be sent.
    pending: dns::Batch,
    /// Changes that are there.
    done: usize,
    /// Why it can never be done as planned.
    conflicts: Vec<String>,
}

impl Judged {
    fn pending(&self) -> usize {
        self.pending.deletes.len() + self.pending.patches.len() + self.pending.posts.len()
    }
}

impl Batch {
    fn judge(&self, records: &[Record]) -> Judged {
        let by_id: HashMap<&str, &Record> = records.iter().map(|record| (record.id.as_str(), record)).collect();
        let by_answer: HashMap<(&str, &str, &str), &Record> =
            records.iter().map(|record| ((record.name.as_str(), record.rtype.as_str(), record.content.as_str()), record)).collect();
        let mut judged = Judged { pending: dns::Batch::default(), done: 0, conflicts: Vec::new() };
        for removal in &self.changes.deletes {
            let key = (removal.name.as_str(), removal.rtype.as_str(), removal.content.as_str());
            let found = match &removal.id {
                Some(id) => by_id.get(id.as_str()),
                None => by_answer.get(&key),
            };
            match found {
                None => judged.done += 1,
                Some(record) if (record.name.as_str(), record.rtype.as_str(), record.content.as_str()) == key => {
                    judged.pending.deletes.push(record.id.clone());
                }
                Some(record) => judged.conflicts.push(format!("{} has become {}", line(key.1, key.0, key.2), record_line(record))),
            }
        }
        for Alteration { from, to } in &self.changes.patches {
            match by_id.get(to.id.as_str()) {
                Some(record) if is(record, to) => judged.done += 1,
                Some(record) if is(record, from) => judged.pending.patches.push(to.clone()),
                Some(record) => judged.conflicts.push(format!("{} has become {}", line(&from.rtype, &from.name, &from.content), record_line(record))),
                None => judged.conflicts.push(format!("{} is gone", line(&from.rtype, &from.name, &from.content))),
            }
        }
        for post in &self.changes.posts {
            match by_answer.get(&(post.name.as_str(), post.rtype.as_str(), post.content.as_str())) {
                Some(record) if settings_fit(record, post) => judged.done += 1,
                Some(record) => judged.conflicts.push(format!(
                    "{} exists with TTL {}{}, and TTL {}{} was planned",
                    record_line(record),
                    record.ttl,
                    proxied_word(record.proxied),
                    post.ttl,
                    proxied_word(post.proxied)
                )),
                None => judged.pending.posts.push(post.clone()),
            }
        }
        judged
    }

    /// The whole batch as it is sent when nothing of it is there yet; none when it must look for ids first.
    fn whole(&self) -> Option<dns::Batch> {
        Some(dns::Batch {
            deletes: self.changes.deletes.iter().map(|removal| removal.id.clone()).collect::<Option<_>>()?,
            patches: self.changes.patches.iter().map(|change| change.to.clone()).collect(),
            posts: self.changes.posts.clone(),
        })
    }

    /// Reads the zone and sends what is not there yet.
    async fn send_the_rest(&self, door: &dyn dns::DnsWrite) -> CallResult<()> {
        let judged = self.judge(&door.records(&self.zone_id).await?);
        if let Some(conflict) = judged.conflicts.first() {
            return Err(CallError::new("cloudflare:batch", Failure::Refused, conflict.clone()));
        }
        if judged.pending() == 0 { Ok(()) } else { door.batch(&self.zone_id, &judged.pending).await }
    }

    /// After the service has said that a part of the whole batch is there already.
    async fn after_refusal(&self, door: &dyn dns::DnsWrite) -> CallResult<()> {
        if self.judge(&door.records(&self.zone_id).await?).done == 0 {
            // An earlier call took effect and the listing does not show it yet: nothing to send, only to look on.
            return Ok(());
        }
        match self.send_the_rest(door).await {
            Err(error) if is_repetition(&error) => Ok(()),
            answer => answer,
        }
    }
}

/// Whether the service refused a call because its effect, or a part of it, is there already. A record that is gone may come as a 404.
fn is_repetition(error: &CallError) -> bool {
    matches!(error.failure, Failure::Refused | Failure::NotFound) && error.code.as_deref().is_some_and(|code| REPEATED.contains(&code))
}

/// Whether the record is what the patch says, as far as it says anything.
fn is(record: &Record, patch: &Patch) -> bool {
    let tags_fit = patch.tags.as_ref().is_none_or(|tags| {
        let (mut here, mut there) = (record.tags.clone(), tags.clone());
        here.sort();
        there.sort();
        here == there
    });
    record.name == patch.name
        && record.rtype == patch.rtype
        && record.content == patch.content
        && patch.ttl.is_none_or(|ttl| ttl == record.ttl)
        && patch.proxied.is_none_or(|proxied| proxied == record.proxied)
        && patch.comment.as_ref().is_none_or(|comment| comment == record.comment.as_deref().unwrap_or(""))
        && tags_fit
}

/// Whether a record that exists has the settings of the one to be made; the TTL of a proxied one is Cloudflare's.
fn settings_fit(record: &Record, post: &NewRecord) -> bool {
    record.proxied == post.proxied && (record.proxied || record.ttl == post.ttl)
}

fn proxied_word(proxied: bool) -> &'static str {
    if proxied { ", proxied" } else { "" }
}

#[async_trait]
impl Operation for Batch {
    fn name(&self) -> &'static str {
        "cloudflare:batch"
    }

    fn writes(&self) -> Vec<String> {
        self.changes.writes()
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let judged = self.judge(&records(cx, &self.provider, &self.zone_id).await?);
        Ok(match judged.conflicts.as_slice() {
            [] if judged.pending() == 0 => Look::done(),
            [] => Look::Pending,
            conflicts => Look::Conflict(format!("records of {} were changed by somebody else: {}", self.zone, conflicts.join("; "))),
        })
    }

    /// One call. All of it is sent, as planned; only when the service says that a part of it is there already does it read the zone and
    /// send what is left, which the service takes or refuses as a whole again.
    async fn start(&self, cx: &StartCx<'_>) -> CallResult<()> {
        let door = cx.writers.dns_writer(cx.cx.cloudflare(&self.provider)?).await?;
        let answer = match self.whole() {
            Some(whole) => door.batch(&self.zone_id, &whole).await,
            None => self.send_the_rest(door.as_ref()).await,
        };
        match answer {
            Err(error) if is_repetition(&error) => self.after_refusal(door.as_ref()).await,
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests;
