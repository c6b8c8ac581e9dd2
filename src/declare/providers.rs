//! `provider` blocks.

use std::collections::BTreeMap;
use std::time::Duration;

use hcl_edit::structure::Block;

use super::schema::{Extra, Walker};
use super::secrets::holds_password;
use super::{Node, Provider, suggest, tables};
use crate::model::{Address, Problem, is_loopback};
use crate::world::provider::{AwsProvider, CloudflareProvider, SlackProvider};

/// The name of a provider by its labels: `aws`, `aws.hk`; none when the labels are wrong.
#[must_use]
pub fn name(block: &Block) -> Option<String> {
    match block.labels.as_slice() {
        [kind] => Some(kind.as_str().to_owned()),
        [kind, name] => Some(Address::new(kind.as_str(), name.as_str()).to_string()),
        _ => None,
    }
}

/// Reads one block into the providers by name.
pub fn read(walker: &Walker<'_, '_>, block: &Block, providers: &mut BTreeMap<String, Provider>) {
    let Some(name) = name(block) else {
        let help = "write provider \"TYPE\" { … } or provider \"TYPE\" \"NAME\" { … }";
        return walker.context.report(Problem::error(&walker.header(block), "a provider has one or two labels", help));
    };
    let kind = block.labels.first().map_or("", |label| label.as_str());
    let Some(spec) = tables::PROVIDERS.iter().find(|spec| spec.name == kind) else {
        let help = suggest::help(kind, tables::PROVIDERS.iter().map(|spec| spec.name), "");
        let place = walker.span(block.labels.first().and_then(hcl_edit::Span::span));
        return walker.context.report(Problem::error(&place, format!("unknown provider type `{kind}`"), help));
    };
    let mut address = vec!["provider"];
    address.extend(block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str));
    let node = walker.node(spec, block, &address, Extra::default());
    if providers.contains_key(&name) {
        return;
    }
    check_address(walker, &node);
    let provider = match kind {
        "aws" => aws(&node, name.clone()),
        "cloudflare" => cloudflare(walker, &node, name.clone()),
        "slack" => Provider::Slack(SlackProvider { name: name.clone(), webhook_url: node.secret("webhook_url").cloned() }),
        _ => {
            credentials(walker, &node);
            Provider::Other { name: name.clone() }
        }
    };
    providers.insert(name, provider);
}

fn aws(node: &Node, name: String) -> Provider {
    let text = |name: &str| node.text(name).map(str::to_owned);
    Provider::Aws(AwsProvider {
        name,
        region: text("region").unwrap_or_default(),
        profile: text("profile"),
        account_id: text("account_id"),
        endpoint_url: text("endpoint_url"),
        allow_plain_http: node.bool("allow_plain_http").unwrap_or(false),
        poll: node.duration("poll").unwrap_or(Duration::from_secs(15)),
    })
}

fn cloudflare(walker: &Walker<'_, '_>, node: &Node, name: String) -> Provider {
    if let (Some(_), Some(batch)) = (node.attr("plan"), node.attr("max_batch")) {
        walker.context.report(Problem::error(
            &batch.key,
            "both `plan` and `max_batch`",
            "keep `plan`, or `max_batch` where the plan's limit is another one",
        ));
    }
    let by_plan = tables::batch_of(node.text("plan").unwrap_or("free")).unwrap_or(200);
    Provider::Cloudflare(CloudflareProvider {
        name,
        api_token: node.secret("api_token").cloned(),
        base_url: node.text("base_url").map(str::to_owned),
        allow_plain_http: node.bool("allow_plain_http").unwrap_or(false),
        max_batch: node.int("max_batch").and_then(|batch| u32::try_from(batch).ok()).unwrap_or(by_plan),
    })
}

/// The address of an API stands in the plan as it is, and secrets are sent to it: it holds none itself, and is not plain text unless it stays on this
/// machine or somebody said so.
fn check_address(walker: &Walker<'_, '_>, node: &Node) {
    let Some((name, attr, text)) = ["base_url", "endpoint_url"].iter().find_map(|name| Some((*name, node.attr(name)?, node.text(name)?))) else {
        return;
    };
    if holds_password(text) {
        let mut problem = Problem::error(
            &attr.span,
            format!("`{name}` holds a password or token, and it would stand in every plan"),
            "give the address alone; credentials have attributes of their own",
        );
        problem.secret = true;
        return walker.context.report(problem);
    }
    let plain = url::Url::parse(text).is_ok_and(|url| url.scheme() == "http" && !is_loopback(&url));
    if plain && node.spec.attributes.iter().any(|known| known.name == "allow_plain_http") && node.bool("allow_plain_http") != Some(true) {
        let what = format!("`{name}` is http://, which sends credentials in the clear");
        let help = "write https://, or allow_plain_http = true beside it where the network is trusted";
        walker.context.report(Problem::error(&attr.span, what, help));
    }
}

/// An API key or a user with a password, not both and not half.
fn credentials(walker: &Walker<'_, '_>, node: &Node) {
    let help = "give `api_key`, or `username` and `password`";
    match (node.attr("api_key"), node.attr("username"), node.attr("password")) {
        (Some(key), Some(_), _) | (Some(key), _, Some(_)) => walker.context.report(Problem::error(&key.key, "both an API key and a user", help)),
        (None, Some(half), None) | (None, None, Some(half)) => {
            walker.context.report(Problem::error(&half.key, "a user without a password, or the other way round", help));
        }
        _ => {}
    }
}
