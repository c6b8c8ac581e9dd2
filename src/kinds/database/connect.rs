//! How SQL reaches an instance, whatever it is called at the moment.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::declare::Node;
use crate::model::SecretRef;
use crate::world::rds::Instance;
use crate::world::sql::SqlTarget;

/// What stands for the instance's name in a host.
pub const IDENTIFIER: &str = "{identifier}";

/// The `connect` block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// Host name, perhaps with [`IDENTIFIER`]; the instance's endpoint when none.
    pub host: Option<String>,
    /// The instance's own when none.
    pub port: Option<u16>,
    /// `verify-full` when none, `disable` on loopback.
    pub sslmode: Option<String>,
    /// Further roots.
    pub ca_file: Option<String>,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: Option<SecretRef>,
    /// Database.
    pub database: String,
}

impl Connect {
    /// Reads a checked block.
    #[must_use]
    pub fn read(block: &Node) -> Connect {
        let text = |name: &str| block.text(name).map(str::to_owned);
        Connect {
            host: text("host"),
            port: block.int("port").and_then(|port| u16::try_from(port).ok()),
            sslmode: text("sslmode"),
            ca_file: text("ca_file"),
            user: text("user").unwrap_or_default(),
            password: block.secret("password").cloned(),
            database: text("database").unwrap_or_default(),
        }
    }

    /// Where a session to `instance` goes now; none while it has no endpoint.
    #[must_use]
    pub fn target(&self, instance: &Instance) -> Option<SqlTarget> {
        let endpoint = instance.endpoint.as_ref();
        let host = match &self.host {
            Some(host) => host.replace(IDENTIFIER, &instance.identifier),
            None => endpoint?.0.clone(),
        };
        let port = match self.port {
            Some(port) => port,
            None => endpoint?.1,
        };
        let sslmode = self.sslmode.clone().unwrap_or_else(|| if is_loopback(&host) { "disable".to_owned() } else { "verify-full".to_owned() });
        Some(SqlTarget {
            resource_id: instance.resource_id.clone(),
            host,
            port,
            sslmode,
            ca_file: self.ca_file.clone(),
            user: self.user.clone(),
            password: self.password.clone(),
            database: self.database.clone(),
        })
    }
}

/// Whether a host is this very machine: a tunnel's end.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::instance;
    use super::*;

    #[test]
    fn the_host_follows_the_name_of_the_moment() {
        let connect = Connect {
            host: Some("{identifier}.db.internal".to_owned()),
            port: None,
            sslmode: None,
            ca_file: None,
            user: "deploy".to_owned(),
            password: None,
            database: "openledger".to_owned(),
        };
        let target = connect.target(&instance("dev-next", "db-B")).unwrap();
        assert_eq!((target.host.as_str(), target.port, target.sslmode.as_str()), ("dev-next.db.internal", 5432, "verify-full"));
        let tunnel = Connect { host: Some("127.0.0.1".to_owned()), ..connect.clone() };
        assert_eq!(tunnel.target(&instance("dev-next", "db-B")).unwrap().sslmode, "disable");
        let mut renaming = instance("dev", "db-A");
        renaming.endpoint = None;
        assert!(Connect { host: None, ..connect }.target(&renaming).is_none());
    }
}
