//! *confirm*, second part: every name server answers as declared.

use async_trait::async_trait;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::super::questions::Question;
use crate::apply::operation::Outputs;
use crate::apply::{Cx, Look, Operation, Progress, StartCx};
use crate::world::CallResult;
use crate::world::resolver::{Answer, Resolver};

/// Questions that are under way at one server at a time.
const AT_ONCE: usize = 16;

/// Every question, put to every server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// The zone's name.
    pub zone: String,
    /// `host` or `host:port`.
    pub servers: Vec<String>,
    /// What is asked.
    pub questions: Vec<Question>,
    /// Who is asked when no server answers anything, so that a network of ours that is lost is not taken for name servers that are down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<Witness>,
}

/// The service that has taken the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The Cloudflare provider.
    pub provider: String,
    /// The zone's id.
    pub zone_id: String,
}

/// What is not as declared.
enum Wrong {
    /// The server gave no answer at all.
    Silent(String),
    /// It gave another one.
    Other(String),
}

impl Wrong {
    fn text(&self) -> &str {
        match self {
            Wrong::Silent(text) | Wrong::Other(text) => text,
        }
    }
}

impl Answers {
    /// What the first wrong answer of a server is, if there is one. It stops soon after it: one is enough to wait on.
    async fn first_wrong(&self, resolver: &dyn Resolver, server: &str) -> Option<Wrong> {
        for some in self.questions.chunks(AT_ONCE) {
            let mut asked = Vec::with_capacity(some.len());
            for question in some {
                asked.push(wrong(resolver, server, question));
            }
            let answers = join_all(asked).await;
            let heard_of = answers.iter().any(|answer| !matches!(answer, Some(Wrong::Silent(_))));
            if let Some(mistake) = answers.into_iter().flatten().next() {
                // A server that answers anything is there.
                return Some(if heard_of { Wrong::Other(mistake.text().to_owned()) } else { mistake });
            }
        }
        None
    }
}

/// What is wrong with one server's answer to one question, if anything is. No answer is not the declared answer, nor a reason to give up
/// before the time is over.
async fn wrong(resolver: &dyn Resolver, server: &str, question: &Question) -> Option<Wrong> {
    let place = format!("{} {} at {server}", question.rtype, question.name);
    match resolver.ask(server, &question.name, &question.rtype).await {
        Err(error) => Some(Wrong::Silent(format!("{place}: {error}"))),
        Ok(answer) => mistake(&answer, question).map(|mistake| Wrong::Other(format!("{place}: {mistake}"))),
    }
}

fn mistake(answer: &Answer, question: &Question) -> Option<String> {
    // A server that refuses or fails has said nothing about the name, which must not pass for "there is none".
    if answer.rcode != "NOERROR" && answer.rcode != "NXDOMAIN" {
        return Some(answer.rcode.clone());
    }
    let said = || if answer.contents.is_empty() { answer.rcode.clone() } else { answer.contents.join(", ") };
    match &question.contents {
        None => answer.contents.is_empty().then(|| format!("{} and no answer", answer.rcode)),
        Some(wanted) => {
            let mut found: Vec<&str> = answer.contents.iter().map(String::as_str).collect();
            found.sort_unstable();
            found.dedup();
            (found != *wanted).then(said)
        }
    }
}

#[async_trait]
impl Operation for Answers {
    fn name(&self) -> &'static str {
        "dns:query"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let resolver = cx.readers.resolver().await?;
        let resolver: &dyn Resolver = resolver.as_ref();
        let mut asked = Vec::with_capacity(self.servers.len());
        for server in &self.servers {
            asked.push(self.first_wrong(resolver, server));
        }
        let mistakes = join_all(asked).await;
        if let Some(witness) = self.witness.as_ref().filter(|_| mistakes.iter().all(|mistake| matches!(mistake, Some(Wrong::Silent(_))))) {
            super::records(cx, &witness.provider, &witness.zone_id).await?;
        }
        let right = mistakes.iter().filter(|mistake| mistake.is_none()).count();
        let words = match self.servers.len() {
            1 => format!("{right} of 1 server answers as declared"),
            all => format!("{right} of {all} servers answer as declared"),
        };
        Ok(match mistakes.into_iter().flatten().next() {
            None => Look::Done { outputs: Outputs::new(), detail: words },
            Some(mistake) => {
                let percent = u8::try_from(right * 100 / self.servers.len().max(1)).ok();
                Look::Settling(Progress { status: format!("{words} ({})", mistake.text()), percent })
            }
        })
    }

    async fn start(&self, _cx: &StartCx<'_>) -> CallResult<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rcode: &str, contents: &[&str]) -> Answer {
        Answer { rcode: rcode.to_owned(), contents: contents.iter().map(|content| (*content).to_owned()).collect() }
    }

    fn question(contents: Option<&[&str]>) -> Question {
        let contents = contents.map(|contents| contents.iter().map(|content| (*content).to_owned()).collect());
        Question { name: "a.example.org".to_owned(), rtype: "A".to_owned(), contents }
    }

    #[test]
    fn the_whole_set_must_be_answered_in_any_order() {
        let both = question(Some(&["192.0.2.1", "192.0.2.2"]));
        assert_eq!(mistake(&answer("NOERROR", &["192.0.2.2", "192.0.2.1"]), &both), None);
        assert_eq!(mistake(&answer("NOERROR", &["192.0.2.2"]), &both).as_deref(), Some("192.0.2.2"));
    }

    #[test]
    fn a_removed_name_must_be_denied_by_a_server_that_knows() {
        let gone = question(Some(&[]));
        for (rcode, fine) in [("NOERROR", true), ("NXDOMAIN", true), ("SERVFAIL", false), ("REFUSED", false)] {
            assert_eq!(mistake(&answer(rcode, &[]), &gone).is_none(), fine, "{rcode}");
        }
        assert!(mistake(&answer("NOERROR", &["192.0.2.1"]), &gone).is_some());
    }

    #[test]
    fn of_a_proxied_name_any_answer_will_do_but_none_will_not() {
        let any = question(None);
        assert_eq!(mistake(&answer("NOERROR", &["104.16.0.1"]), &any), None);
        assert!(mistake(&answer("NOERROR", &[]), &any).is_some());
    }
}
