//! The comparison of the old and the new instance, setting by setting, shown as a table.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::marks::Tags;
use super::operations::InstanceRef;
use super::settings::{same, value_of};
use crate::apply::operation::{Cx, Look, Operation, Outputs, Progress, StartCx};
use crate::model::Json;
use crate::world::rds::{Instance, Settings};
use crate::world::{CallError, CallResult, Failure};

/// Compares the new instance with what it must be, and shows the old one beside it. What differs ends the run before anybody notices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parity {
    /// The provider's name.
    pub provider: String,
    /// The instance that is replaced, by its resource id; none when there is none.
    pub old: Option<String>,
    /// The new one.
    pub instance: InstanceRef,
    /// What the new one must have in the end.
    pub settings: Settings,
    /// What it gets only after the switch.
    pub later: Settings,
    /// What RDS may choose by itself: shown, and no hindrance.
    pub lenient: Vec<String>,
    /// Tags that it must have.
    pub tags: Tags,
}

/// Settings that an error names; the others are counted.
const DIFFERING_SHOWN: usize = 5;

/// One line of the table.
struct Row {
    name: String,
    old: String,
    new: String,
    word: &'static str,
}

/// A value for people: text without quotes, a list with commas, nothing as a dash.
fn plain(value: &Json) -> String {
    match value {
        Json::Null => "-".to_owned(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "-".to_owned(),
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

impl Parity {
    fn rows(&self, old: Option<&Instance>, new: &Instance) -> Vec<Row> {
        let names = self.settings.keys().chain(old.into_iter().flat_map(|old| old.settings.keys())).chain(new.settings.keys());
        let mut names: Vec<&String> = names.collect();
        names.sort_unstable();
        names.dedup();
        let mut rows: Vec<Row> = names.into_iter().map(|name| self.row(name, old, new)).collect();
        rows.extend(self.tags.iter().map(|(key, wanted)| Row {
            name: format!("tag {key}"),
            old: old.and_then(|old| old.tags.get(key)).cloned().unwrap_or_else(|| "-".to_owned()),
            new: new.tags.get(key).cloned().unwrap_or_else(|| "-".to_owned()),
            word: if new.tags.get(key) == Some(wanted) { "ok" } else { "differs" },
        }));
        rows
    }

    /// What is there, and what should be.
    fn difference(&self, row: &Row) -> String {
        let wanted = match row.name.strip_prefix("tag ") {
            Some(key) => self.tags.get(key).cloned(),
            None => self.settings.get(&row.name).map(plain),
        };
        format!("{} is {}, not {}", row.name, row.new, wanted.unwrap_or_else(|| "-".to_owned()))
    }

    fn row(&self, name: &str, old: Option<&Instance>, new: &Instance) -> Row {
        let before = old.map_or(Json::Null, |old| value_of(&old.settings, name));
        let now = value_of(&new.settings, name);
        let word = match self.settings.get(name).filter(|wanted| !wanted.is_null()) {
            None => "not set by us",
            Some(wanted) if same(name, &now, wanted) => {
                if old.is_none() || before == *wanted || same(name, &now, &before) {
                    "ok"
                } else {
                    "as declared"
                }
            }
            Some(_) if self.later.contains_key(name) => "later",
            Some(_) if self.lenient.iter().any(|lenient| lenient == name) => "chosen by RDS",
            Some(_) => "differs",
        };
        Row { name: name.to_owned(), old: plain(&before), new: plain(&now), word }
    }
}

/// Columns that a value may take, so that a line of the table fits into the log of a CI job behind its indentation.
const VALUE_COLUMNS: usize = 22;

/// The table: where both sides have the same value it is said once.
fn table(rows: &[Row]) -> String {
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).max("setting".len());
    let mut text = String::new();
    let mut line = |name: &str, old: &str, new: &str| {
        let padded = format!("{name:widest$}  {old:VALUE_COLUMNS$}  {new}");
        text.push_str(padded.trim_end());
        text.push('\n');
    };
    line("setting", "old", "new");
    for row in rows {
        let new = match row.word {
            "ok" if row.old == row.new => "same".to_owned(),
            "ok" => row.new.clone(),
            word => format!("{} ({word})", row.new),
        };
        let (old, new) = (wrapped(&row.old), wrapped(&new));
        for at in 0..old.len().max(new.len()) {
            let name = if at == 0 { row.name.as_str() } else { "" };
            line(name, old.get(at).map_or("", String::as_str), new.get(at).map_or("", String::as_str));
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Broken at blanks into parts that fit; a word that does not fit is broken anywhere.
fn wrapped(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        for (index, piece) in letters.chunks(VALUE_COLUMNS).enumerate() {
            let piece: String = piece.iter().collect();
            match parts.last_mut() {
                Some(last) if index == 0 && last.is_empty() => last.push_str(&piece),
                Some(last) if index == 0 && last.chars().count() + 1 + piece.chars().count() <= VALUE_COLUMNS => {
                    last.push(' ');
                    last.push_str(&piece);
                }
                _ => parts.push(piece),
            }
        }
    }
    parts
}

#[async_trait]
impl Operation for Parity {
    fn name(&self) -> &'static str {
        "check"
    }

    fn writes(&self) -> Vec<String> {
        Vec::new()
    }

    fn starts(&self) -> bool {
        false
    }

    async fn look(&self, cx: &Cx<'_>) -> CallResult<Look> {
        let rds = cx.readers.rds(cx.aws(&self.provider)?).await?;
        let Some(new) = self.instance.find(&*rds, cx).await? else {
            return Ok(Look::Settling(Progress::status("the new instance is not visible")));
        };
        let old = match &self.old {
            Some(id) => rds.instance_by_resource_id(id).await?,
            None => None,
        };
        let rows = self.rows(old.as_ref(), &new);
        let differing: Vec<String> = rows.iter().filter(|row| row.word == "differs").map(|row| self.difference(row)).collect();
        Ok(if differing.is_empty() {
            Look::Done { outputs: Outputs::new(), detail: table(&rows) }
        } else {
            let more = differing.len().saturating_sub(DIFFERING_SHOWN);
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let shown = differing.iter().take(DIFFERING_SHOWN).cloned().collect::<Vec<_>>().join("; ");
            Look::Conflict(format!("the new instance is not as it must be: {shown}{more}"))
        })
    }

    async fn start(&self, _: &StartCx<'_>) -> CallResult<()> {
        Err(CallError::new(self.name(), Failure::Refused, "this step only looks"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::fixture::{instance, settings};
    use super::*;

    #[test]
    fn every_setting_is_shown_and_only_what_was_wanted_differs() {
        let old = instance("dev", "db-A");
        let mut new = instance("dev-next", "db-B");
        for (name, value) in
            [("deletion_protection", json!(false)), ("multi_az", json!(true)), ("availability_zone", json!("us-east-1b")), ("iops", json!(1))]
        {
            new.settings.insert(name.to_owned(), value);
        }
        let mut wanted = settings();
        wanted.remove("iops");
        let parity = Parity {
            provider: "aws".to_owned(),
            old: Some("db-A".to_owned()),
            instance: InstanceRef::ResourceId("db-B".to_owned()),
            settings: wanted,
            later: Settings::from([("deletion_protection".to_owned(), json!(true))]),
            lenient: vec!["availability_zone".to_owned()],
            tags: Tags::from([("Environment".to_owned(), "staging".to_owned())]),
        };
        let rows = parity.rows(Some(&old), &new);
        let word = |name: &str| rows.iter().find(|row| row.name == name).map(|row| row.word);
        assert_eq!(word("multi_az"), Some("differs"));
        assert_eq!(word("deletion_protection"), Some("later"));
        assert_eq!(word("availability_zone"), Some("chosen by RDS"));
        assert_eq!(word("iops"), Some("not set by us"));
        assert_eq!(word("tag Environment"), Some("ok"));
        assert_eq!(rows.len(), settings().len() + 1);
        let multi_az = rows.iter().find(|row| row.name == "multi_az").unwrap();
        assert_eq!(parity.difference(multi_az), "multi_az is true, not false");
    }

    #[test]
    fn the_table_fits_the_log_of_a_job() {
        let row = |name: &str, old: &str, new: &str, word| Row { name: name.to_owned(), old: old.to_owned(), new: new.to_owned(), word };
        let rows = [
            row("vpc_security_groups", "sg-0a11c0ffee0000001, sg-0a11c0ffee0000002", "sg-0a11c0ffee0000001, sg-0a11c0ffee0000002", "ok"),
            row("instance_class", "db.m5.large", "db.m5.xlarge", "as declared"),
            row("monitoring_role_arn", "-", "arn:aws:iam::123456789012:role/rds-monitoring", "ok"),
        ];
        insta::assert_snapshot!(table(&rows), @"
        setting              old                     new
        vpc_security_groups  sg-0a11c0ffee0000001,   same
                             sg-0a11c0ffee0000002
        instance_class       db.m5.large             db.m5.xlarge (as
                                                     declared)
        monitoring_role_arn  -                       arn:aws:iam::123456789
                                                     012:role/rds-monitorin
                                                     g
        ");
    }
}
