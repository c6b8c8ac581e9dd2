//! Sessions with a `PostgreSQL` server: how they are made and encrypted, and what its errors mean. The door of checks and scrubs and the
//! shared journal use it alike.

pub mod errors;
mod tls;

use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sql::SqlTarget;

/// Makes sessions with one database.
pub struct Sessions {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    limit: Duration,
}

/// Why there is no session.
pub enum NoSession {
    /// The server's words, or those of the way to it.
    Failed(tokio_postgres::Error),
    /// None within the limit.
    TimedOut(Duration),
}

impl Sessions {
    /// Prepares sessions; nothing is sent yet. `password` is the resolved one, `limit` is for all of connecting, TLS and password included.
    ///
    /// # Errors
    /// A fragment: an unknown `sslmode`, or roots that cannot be read.
    pub fn new(target: &SqlTarget, password: Option<&str>, limit: Duration) -> Result<Self, String> {
        let tls = tls::connector(target)?;
        let mut config = Config::new();
        config
            .host(&target.host)
            .port(target.port)
            .user(&target.user)
            .dbname(&target.database)
            .application_name("switchover")
            .connect_timeout(limit)
            .keepalives_idle(Duration::from_secs(30))
            .ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        if let Some(password) = password {
            config.password(password);
        }
        Ok(Sessions { config, tls, limit })
    }

    /// A session whose connection is driven until the client is dropped.
    pub async fn open(&self) -> Result<Client, NoSession> {
        let session = async {
            if let Some(tls) = &self.tls {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                return Ok(client);
            }
            let (client, connection) = self.config.connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        };
        match tokio::time::timeout(self.limit, session).await {
            Ok(opened) => opened.map_err(NoSession::Failed),
            Err(_) => Err(NoSession::TimedOut(self.limit)),
        }
    }

    /// Asks the server to stop what a session is at. Nobody waits for that to be heard.
    pub async fn cancel(&self, client: &Client) {
        let token = client.cancel_token();
        match &self.tls {
            Some(tls) => drop(token.cancel_query(tls.clone()).await),
            None => drop(token.cancel_query(NoTls).await),
        }
    }
}
