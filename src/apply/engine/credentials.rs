//! Which credentials a call went out with, in words: what a person has to renew when a service has denied it.

use std::collections::BTreeSet;

use crate::declare::Provider;
use crate::model::{Json, SecretRef};
use crate::plan::Plan;

/// The credentials behind a call of an operation: those of the operation's own session for SQL, else those of the providers that it names. Nothing
/// here is a secret: a plan holds references alone.
#[must_use]
pub fn behind(plan: &Plan, operation: &Json, call: &str) -> String {
    let mut found = BTreeSet::new();
    if call.starts_with("postgres:") {
        walk(operation, &mut |key, value| {
            if key == "connect" {
                found.insert(session(value));
            }
        });
    } else {
        walk(operation, &mut |key, value| {
            let provider = value.as_str().filter(|_| key == "provider").and_then(|name| plan.providers.get(name));
            found.extend(provider.and_then(of_provider));
        });
    }
    let found: Vec<String> = found.into_iter().collect();
    if found.is_empty() { "the credentials".to_owned() } else { found.join(" and ") }
}

/// The role and the password of a `connect` block.
fn session(connect: &Json) -> String {
    let user = connect.get("user").and_then(Json::as_str).unwrap_or_default();
    let password = connect.get("password").and_then(|password| serde_json::from_value::<SecretRef>(password.clone()).ok());
    match password {
        Some(password) => format!("the password of the database role {user} ({})", reference(&password)),
        None => format!("the access of the database role {user}"),
    }
}

fn of_provider(provider: &Provider) -> Option<String> {
    match provider {
        Provider::Aws(aws) => {
            let from = match &aws.profile {
                Some(profile) => format!("profile {profile}"),
                None => "the standard chain: environment variables, shared files, the machine's role".to_owned(),
            };
            Some(format!("the AWS credentials of {} ({from})", aws.name))
        }
        Provider::Cloudflare(cloudflare) => {
            let token = cloudflare.api_token.as_ref().map_or_else(String::new, |token| format!(" ({})", reference(token)));
            Some(format!("the api_token of {}{token}", cloudflare.name))
        }
        Provider::Slack(_) | Provider::Other { .. } => None,
    }
}

fn reference(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Expression { expression, .. } => expression.clone(),
        SecretRef::Literal { file, attribute } => format!("{attribute} in {file}"),
    }
}

/// Every key of every object, with its value.
fn walk(json: &Json, found: &mut dyn FnMut(&str, &Json)) {
    match json {
        Json::Object(map) => {
            for (key, value) in map {
                found(key, value);
                walk(value, found);
            }
        }
        Json::Array(list) => list.iter().for_each(|value| walk(value, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::review::sample;
    use crate::world::provider::AwsProvider;

    #[test]
    fn what_is_to_be_renewed_is_named_as_people_know_it() {
        let mut plan = sample::database();
        let aws = Provider::Aws(AwsProvider {
            name: "aws".to_owned(),
            region: "us-east-1".to_owned(),
            profile: Some("Upstream".to_owned()),
            account_id: None,
            endpoint_url: None,
            poll: Duration::from_secs(15),
        });
        plan.providers.insert("aws".to_owned(), aws);
        let aws = behind(&plan, &json!({ "type": "rename", "provider": "aws" }), "rds:ModifyDBInstance");
        assert_eq!(aws, "the AWS credentials of aws (profile Upstream)");
        let password = json!({ "secret": "expression", "expression": "env(\"DB_PASSWORD\")", "refers_to": ["env.DB_PASSWORD"] });
        let operation = json!({ "provider": "aws", "connect": { "user": "deploy", "password": password } });
        assert_eq!(behind(&plan, &operation, "postgres:query"), "the password of the database role deploy (env(\"DB_PASSWORD\"))");
        assert_eq!(behind(&plan, &json!({ "type": "wait" }), "rds:DescribeDBInstances"), "the credentials");
    }
}
