//! The plan document for programs: pretty-printed, keys sorted.

use crate::plan::{Plan, file};

/// The plan as pretty-printed JSON: keys sorted, a line end at the end, and characters that could deceive the reader of a diff as escapes.
#[must_use]
pub fn json(plan: &Plan) -> String {
    file::text(plan)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::model::Json;
    use crate::plan::digest;
    use crate::review::sample;

    #[test]
    fn it_reads_back_as_the_same_plan_even_when_names_are_hostile() {
        for plan in [sample::database(), sample::dns_swap(), sample::hostile()] {
            let text = json(&plan);
            assert!(text.ends_with("}\n") && !text.contains('\u{202e}') && !text.contains('\u{1b}'));
            assert_eq!(serde_json::from_str::<Plan>(&text).ok().as_ref(), Some(&plan));
        }
    }

    /// The digest by way of a tree of values.
    fn digest_by_tree(plan: &Plan) -> String {
        let mut json = serde_json::to_value(plan).unwrap();
        json.as_object_mut().unwrap().remove("digest");
        let hash = Sha256::digest(Json::to_string(&json));
        hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
    }

    #[test]
    fn the_digest_is_that_of_everything_but_itself() {
        for mut plan in [sample::database(), sample::dns_swap(), sample::hostile(), sample::nothing(), sample::blocked()] {
            for digest in ["", "sha256:0", "\"digest\":\"\",", "é\u{1}"] {
                digest.clone_into(&mut plan.digest);
                assert_eq!(digest::of(&plan), digest_by_tree(&plan), "a field that is new, or named otherwise?");
                assert_eq!(digest::of_text(&digest::text(&plan), digest), digest_by_tree(&plan));
            }
        }
    }

    #[test]
    fn keys_are_sorted_and_the_words_are_terraforms() {
        let text = json(&sample::database());
        let keys: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  \"")?.split('"').next()).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        let value: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(value["resource_changes"][0]["change"]["actions"], serde_json::json!(["create", "delete"]));
        for key in ["format_version", "steps", "facts", "outage", "irreversible", "digest"] {
            assert!(!value[key].is_null(), "{key}");
        }
    }
}
