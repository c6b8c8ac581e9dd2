//! JSON and YAML.

use super::{Function, Outcome, Wrong, arg, text};
use crate::declare::eval::convert::from_json;
use crate::model::{Value, input, json};

pub(super) const TABLE: &[Function] = &[
    Function::new("jsondecode", 1, Some(1), "(text)", "the value of a JSON document", json_decode),
    Function::new("jsonencode", 1, Some(1), "(value)", "a value as JSON", |a| Ok(Value::String(arg(a, 0).to_json().to_string()))),
    Function::new("yamldecode", 1, Some(1), "(text)", "the value of a YAML document", yaml_decode),
];

fn wrong(what: String) -> Wrong {
    Wrong { argument: Some(0), what }
}

fn json_decode(args: &[Value]) -> Outcome {
    let text = text(args, 0)?;
    input::check_json(&text).map_err(wrong)?;
    let json = json::read(&text).map_err(|error| wrong(format!("not JSON (line {}, column {})", error.line(), error.column())))?;
    from_json(json).map_err(wrong)
}

fn yaml_decode(args: &[Value]) -> Outcome {
    // The decoder's own budget bounds nesting, aliases and size; its message may quote the document, so only the place is taken.
    let json::Any(json) = serde_saphyr::from_str(&text(args, 0)?).map_err(|error| {
        let place = error.location().map_or_else(String::new, |at| format!(" (line {}, column {})", at.line(), at.column()));
        wrong(format!("not YAML{place}"))
    })?;
    from_json(json).map_err(wrong)
}
