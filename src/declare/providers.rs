//! `provider` blocks.

use std::collections::BTreeMap;
use std::time::Duration;

use hcl_edit::structure::Block;

use super::schema::{Extra, Walker};
use super::{Node, Provider, suggest, tables};
use crate::model::{Address, Problem};
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
        max_batch: node.int("max_batch").and_then(|batch| u32::try_from(batch).ok()).unwrap_or(by_plan),
    })
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
