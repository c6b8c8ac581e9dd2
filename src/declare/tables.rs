//! The tables of the blocks that are not resources: `environment`, `provider`, `variable`, `locals`.

use super::spec::{AttrSpec, AttrType, BlockSpec, Presence};
use crate::model::{Number, Value};

/// The `environment` block.
pub static ENVIRONMENT: BlockSpec = BlockSpec {
    name: "environment",
    labels: &["name"],
    presence: Presence::Required,
    doc: "The environment itself: exactly one, and its label is the name of its file or folder.",
    attributes: &[
        AttrSpec::new("description", AttrType::String, "What the environment is, for people."),
        AttrSpec::new("protect", AttrType::StringList, "Words that the name of nothing written may contain.").default("[\"prod\"]").check(words),
        AttrSpec::new("allow_protected", AttrType::Bool, "Must be true beside `protect = []`, which protects nothing.").default("false"),
        AttrSpec::new("notify", AttrType::ReferenceList("slack"), "Where notices of runs go.").default("[]"),
        AttrSpec::new(
            "journal",
            AttrType::String,
            "Where runs are journaled: `local` (.switchover/ beside the environments), `postgres://…` or `s3://bucket/prefix`.",
        )
        .default("local")
        .secret()
        .check(journal),
    ],
    blocks: &[],
};

/// A `variable` block.
pub static VARIABLE: BlockSpec = BlockSpec {
    name: "variable",
    labels: &["name"],
    presence: Presence::Repeated,
    doc: "A value that is given from outside: --var, --var-file or SWITCHOVER_VAR_name, in that order of strength, else its default.",
    attributes: &[
        AttrSpec::new("type", AttrType::String, "string, number, bool, any, list(…), set(…), map(…), object({ … }) or tuple([ … ]).").default("any"),
        AttrSpec::new("default", AttrType::Any, "What holds when nothing is given."),
        AttrSpec::new("description", AttrType::String, "What the variable is for."),
        AttrSpec::new("sensitive", AttrType::Bool, "Whether its value is a secret, and whatever is made of it.").default("false"),
    ],
    blocks: &[],
};

/// A `locals` block; its attributes have any name and value.
pub static LOCALS: BlockSpec =
    BlockSpec { name: "locals", labels: &[], presence: Presence::Repeated, doc: "Names for expressions: local.NAME.", attributes: &[], blocks: &[] };

/// `provider` blocks by their first label; a second label names one.
pub static PROVIDERS: &[BlockSpec] = &[
    provider(
        "aws",
        "An AWS account and region.",
        &[
            AttrSpec::new("region", AttrType::String, "The region, e.g. `ap-southeast-2`.").required().check(filled),
            AttrSpec::new("profile", AttrType::String, "A profile of the shared configuration files; wins over keys in environment variables.")
                .check(filled),
            AttrSpec::new("account_id", AttrType::String, "The account's twelve digits: any other account is an error before anything is read.")
                .check(account),
            AttrSpec::new("endpoint_url", AttrType::String, "Instead of AWS's own endpoints, for all services.").check(http),
            AttrSpec::new(
                "allow_plain_http",
                AttrType::Bool,
                "Must be true beside an `http://` address on another machine: credentials then go in the clear.",
            )
            .default("false"),
            AttrSpec::new("poll", AttrType::Duration, "The longest pause between two looks while no outage lasts.").default("15s").check(pause),
        ],
    ),
    provider(
        "cloudflare",
        "Cloudflare's API.",
        &[
            AttrSpec::new("api_token", AttrType::String, "The API token; needed for the live world alone.").secret(),
            AttrSpec::new("base_url", AttrType::String, "The API's address as a whole, with its version.")
                .default("https://api.cloudflare.com/client/v4")
                .check(http),
            AttrSpec::new(
                "allow_plain_http",
                AttrType::Bool,
                "Must be true beside an `http://` address on another machine: credentials then go in the clear.",
            )
            .default("false"),
            AttrSpec::new("plan", AttrType::String, "The zone's plan: free allows 200 changes a batch, pro, business and enterprise 3,500.")
                .default("free")
                .check(plan),
            AttrSpec::new("max_batch", AttrType::Int, "How many changes one batch may hold, when the plan does not say it.").check(batch),
        ],
    ),
    provider(
        "postgres",
        "A PostgreSQL database.",
        &[AttrSpec::new("url", AttrType::String, "Where it is: postgres://user:password@host/database.").secret().required()],
    ),
    provider(
        "slack",
        "A Slack channel.",
        &[AttrSpec::new("webhook_url", AttrType::String, "The incoming webhook; needed for the live world alone.").secret()],
    ),
    provider(
        "elasticsearch",
        "An Elasticsearch or OpenSearch cluster.",
        &[
            AttrSpec::new("url", AttrType::String, "Where the cluster is, with its scheme.").secret().required(),
            AttrSpec::new("api_key", AttrType::String, "An API key, instead of username and password.").secret(),
            AttrSpec::new("username", AttrType::String, "The user to log in as, with `password`."),
            AttrSpec::new("password", AttrType::String, "The user's password.").secret(),
        ],
    ),
    provider(
        "github",
        "GitHub's API.",
        &[
            AttrSpec::new("token", AttrType::String, "An access token for the API.").secret(),
            AttrSpec::new("base_url", AttrType::String, "The API's address, when it is a server of your own.").check(http),
        ],
    ),
    provider(
        "gitlab",
        "GitLab's API.",
        &[
            AttrSpec::new("token", AttrType::String, "An access token for the API.").secret(),
            AttrSpec::new("base_url", AttrType::String, "The API's address, when it is a server of your own.").check(http),
        ],
    ),
];

const fn provider(name: &'static str, doc: &'static str, attributes: &'static [AttrSpec]) -> BlockSpec {
    BlockSpec { name, labels: &["type"], presence: Presence::Repeated, doc, attributes, blocks: &[] }
}

fn filled(value: &Value) -> Result<(), String> {
    if value.as_str().is_some_and(|text| text.trim().is_empty()) { Err("must not be empty".to_owned()) } else { Ok(()) }
}

fn words(value: &Value) -> Result<(), String> {
    let Value::List(items) = value else { return Ok(()) };
    items.iter().try_for_each(|item| filled(item).map_err(|_| "an empty word would protect everything".to_owned()))
}

fn journal(value: &Value) -> Result<(), String> {
    let good = value
        .as_str()
        .is_some_and(|text| text == "local" || text.starts_with("postgres://") || text.starts_with("postgresql://") || text.starts_with("s3://"));
    if good { Ok(()) } else { Err("it is \"local\", \"postgres://…\" or \"s3://bucket/prefix\"".to_owned()) }
}

fn account(value: &Value) -> Result<(), String> {
    let good = value.as_str().is_some_and(|text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()));
    if good { Ok(()) } else { Err("an account has twelve digits; write them in quotes".to_owned()) }
}

fn http(value: &Value) -> Result<(), String> {
    let url = value.as_str().and_then(|text| url::Url::parse(text).ok()).filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_some() { Ok(()) } else { Err("it is an address such as \"https://host/path\"".to_owned()) }
}

fn pause(value: &Value) -> Result<(), String> {
    let seconds = value.as_str().and_then(|text| crate::model::time::parse_duration(text).ok()).map_or(0, |duration| duration.as_secs());
    if (1..=600).contains(&seconds) { Ok(()) } else { Err("between 1s and 10m".to_owned()) }
}

fn plan(value: &Value) -> Result<(), String> {
    if value.as_str().is_some_and(|text| batch_of(text).is_some()) { Ok(()) } else { Err("it is free, pro, business or enterprise".to_owned()) }
}

fn batch(value: &Value) -> Result<(), String> {
    if matches!(value, Value::Number(Number::Int(1..=10_000))) { Ok(()) } else { Err("between 1 and 10000".to_owned()) }
}

/// How many changes a plan allows in one batch.
#[must_use]
pub fn batch_of(plan: &str) -> Option<u32> {
    match plan {
        "free" => Some(200),
        "pro" | "business" | "enterprise" => Some(3_500),
        _ => None,
    }
}
