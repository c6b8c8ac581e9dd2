//! A JSON schema of environment files in HCL's JSON form: a block is an object under its name and its labels.

use serde_json::{Map, json};

use super::{is_provider, shared, top};
use crate::declare::spec::{AttrSpec, AttrType, BlockSpec, KindSchema, Presence, TimeoutSpec};
use crate::model::{Json, time};

/// The dialect.
const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one file.
#[must_use]
pub fn json(kinds: &[&dyn KindSchema]) -> Json {
    let (mut properties, mut providers) = (Map::new(), Map::new());
    for (spec, timeouts) in top(kinds) {
        let body = body(spec, timeouts);
        if is_provider(spec) {
            // Without a second label the block itself, with one an object of blocks.
            providers.insert(spec.name.to_owned(), json!({ "anyOf": [body.clone(), labelled(1, body)] }));
        } else if spec.name == "locals" {
            properties.insert(spec.name.to_owned(), json!({ "description": spec.doc, "type": "object" }));
        } else {
            properties.insert(spec.name.to_owned(), labelled(spec.labels.len(), body));
        }
    }
    properties.insert("provider".to_owned(), json!({ "type": "object", "properties": providers, "additionalProperties": false }));
    json!({
        "$schema": DIALECT,
        "title": "Switchover environment",
        "description": "One environment's files, in HCL's JSON form: a block is an object under its name and its labels.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": {
            "expression": {
                "description": "Any expression, as a template: ${var.x}.",
                "type": "string",
                "pattern": "^[\\s\\S]*[$%]\\{[\\s\\S]*$"
            }
        }
    })
}

/// Objects inside one another, one a label.
fn labelled(labels: usize, body: Json) -> Json {
    (0..labels).fold(body, |inner, _| json!({ "type": "object", "additionalProperties": inner }))
}

fn body(spec: &BlockSpec, timeouts: Option<&[TimeoutSpec]>) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    let (attributes, blocks) = if timeouts.is_some() { shared() } else { (&[][..], &[][..]) };
    for attribute in attributes.iter().chain(spec.attributes) {
        properties.insert(attribute.name.to_owned(), self::attribute(attribute));
        if attribute.presence == Presence::Required {
            required.push(attribute.name);
        }
    }
    for block in spec.blocks.iter().chain(blocks) {
        let body = if block.name == "timeouts" { self::timeouts(block, timeouts.unwrap_or_default()) } else { self::body(block, None) };
        let one = labelled(block.labels.len(), body);
        let value = if block.presence == Presence::Repeated { json!({ "anyOf": [one.clone(), { "type": "array", "items": one }] }) } else { one };
        // `hold` is an attribute and a block.
        let value = match properties.remove(block.name) {
            Some(attribute) => json!({ "anyOf": [attribute, value] }),
            None => value,
        };
        properties.insert(block.name.to_owned(), value);
        if block.presence == Presence::Required {
            required.push(block.name);
        }
    }
    json!({ "description": spec.doc, "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn timeouts(block: &BlockSpec, timeouts: &[TimeoutSpec]) -> Json {
    let one = |timeout: &TimeoutSpec| {
        let mut value = typed(AttrType::Duration);
        value["description"] = json!(timeout.doc);
        value["default"] = json!(time::words(timeout.default));
        (timeout.name.to_owned(), value)
    };
    let properties: Map<String, Json> = timeouts.iter().map(one).collect();
    json!({ "description": block.doc, "type": "object", "properties": properties, "additionalProperties": false })
}

fn attribute(spec: &AttrSpec) -> Json {
    let mut value = json!({ "description": spec.doc, "anyOf": [typed(spec.ty), { "$ref": "#/$defs/expression" }] });
    if let Some(default) = spec.default {
        // As people write it; what is no JSON is a word.
        value["default"] = serde_json::from_str(default).unwrap_or_else(|_| json!(default));
    }
    if spec.secret {
        value["writeOnly"] = json!(true);
    }
    value
}

fn typed(ty: AttrType) -> Json {
    let text = json!({ "type": "string" });
    match ty {
        AttrType::String | AttrType::Reference(_) | AttrType::Date => text,
        AttrType::Schedule => json!({ "type": "string", "description": "hourly, daily, weekly, monthly, yearly or five cron fields" }),
        AttrType::Bool => json!({ "type": "boolean" }),
        AttrType::Int => json!({ "type": "integer" }),
        AttrType::Duration => json!({ "type": "string", "examples": ["90s", "15m", "31d"] }),
        AttrType::Percent => json!({ "type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?%$" }),
        AttrType::StringList | AttrType::ReferenceList(_) => json!({ "type": "array", "items": text }),
        AttrType::StringOrList => json!({ "anyOf": [text.clone(), { "type": "array", "items": text }] }),
        AttrType::StringMap => json!({ "type": "object", "additionalProperties": text }),
        AttrType::BoolOrString => json!({ "type": ["boolean", "string"] }),
        AttrType::Scalar => json!({ "type": ["string", "number", "boolean"] }),
        AttrType::Any => json!({}),
    }
}
