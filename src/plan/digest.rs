//! The plan's digest: approval is bound to it, and so is everything that a journal says of the plan.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Plan;
use crate::model::canonical;

/// `sha256:…` over the canonical form of everything but the digest itself. The canonical form is JSON without white space, keys sorted.
#[must_use]
pub fn of(plan: &Plan) -> String {
    of_text(&text(plan), &plan.digest)
}

/// A plan in its canonical form.
#[must_use]
pub fn text(plan: &Plan) -> String {
    // A plan of ours always becomes JSON; were it ever not to, the digest of nothing is refused by every check.
    canonical::to_string(plan).unwrap_or_default()
}

/// As [`of`], of a plan's canonical form and the digest that stands in it.
#[must_use]
pub fn of_text(text: &str, digest: &str) -> String {
    // Only the time of the plan stands before it, which cannot look like it.
    let member = format!("\"digest\":{},", canonical::to_string(digest).unwrap_or_default());
    let (before, behind) = text.split_once(&member).unwrap_or((text, ""));
    let mut hasher = Sha256::new();
    hasher.update(before);
    hasher.update(behind);
    hasher.finalize().iter().fold("sha256:".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Json;
    use crate::review::sample;

    /// The same by way of a tree of values.
    fn by_tree(plan: &Plan) -> String {
        let mut json = serde_json::to_value(plan).unwrap();
        json.as_object_mut().unwrap().remove("digest");
        let hash = Sha256::digest(Json::to_string(&json));
        hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn it_is_that_of_everything_but_itself() {
        for mut plan in [sample::database(), sample::dns_swap(), sample::hostile(), sample::nothing()] {
            for digest in ["", "sha256:0", "\"digest\":\"\",", "é\u{1}"] {
                digest.clone_into(&mut plan.digest);
                assert_eq!(of(&plan), by_tree(&plan));
            }
        }
    }
}
