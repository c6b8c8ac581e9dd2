//! A live world for tests: short limits, secrets from a list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use switchover::model::{Error, Exit, Result, SecretRef, Secrets};
use switchover::world::live::http::HttpLimits;
use switchover::world::live::postgres::SqlLimits;
use switchover::world::live::resolver::DnsLimits;
use switchover::world::live::{LiveOptions, LiveWorld};
use switchover::world::provider::CloudflareProvider;

/// Values by the text of their expression.
struct Planted(BTreeMap<String, String>);

impl Secrets for Planted {
    fn resolve(&self, reference: &SecretRef) -> Result<String> {
        let SecretRef::Expression { expression, .. } = reference else { panic!("only expressions are planted") };
        self.0.get(expression).cloned().ok_or_else(|| Error::new(Exit::Error, format!("{expression} is not set"), "set it"))
    }
}

/// A world that knows these secrets.
pub fn world(secrets: &[(&str, &str)]) -> LiveWorld {
    // A validator in between takes its time over the first call of each sort.
    world_within(Duration::from_secs(30), secrets)
}

/// The same with a limit for HTTP calls.
pub fn world_within(total: Duration, secrets: &[(&str, &str)]) -> LiveWorld {
    let planted = Planted(secrets.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect());
    let options = LiveOptions {
        seed: 7,
        http: HttpLimits { connect: Duration::from_secs(2), total, answer_bytes: 1 << 20 },
        dns: DnsLimits { udp: Duration::from_millis(300), udp_attempts: 2, tcp: Duration::from_secs(2) },
        sql: SqlLimits { connect: Duration::from_secs(3), ..SqlLimits::default() },
    };
    LiveWorld::new(Arc::new(planted), options)
}

/// A reference to a planted secret.
pub fn secret(name: &str) -> SecretRef {
    SecretRef::Expression { expression: name.to_owned(), refers_to: vec![name.to_owned()] }
}

/// The world and provider for a Cloudflare at `base_url` with this token.
pub fn cloudflare(base_url: String, token: &str) -> (LiveWorld, CloudflareProvider) {
    let provider = CloudflareProvider {
        name: "cloudflare".into(),
        api_token: Some(secret("token")),
        base_url: Some(base_url),
        allow_plain_http: false,
        max_batch: 200,
    };
    (world(&[("token", token)]), provider)
}
