//! Access keys of AWS: what a client of S3 signs with, wherever they come from.

use std::fmt;

use async_trait::async_trait;

use crate::model::Result;

/// One set of keys.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKeys {
    /// `AWS_ACCESS_KEY_ID`.
    pub id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret: String,
    /// `AWS_SESSION_TOKEN`, for keys that end.
    pub session: Option<String>,
}

impl fmt::Debug for AccessKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the secret, nor the token that stands for one.
        f.debug_struct("AccessKeys").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Gives the keys of the moment. Whoever gives keys that end asks for new ones in time.
#[async_trait]
pub trait KeySource: fmt::Debug + Send + Sync {
    /// The keys to sign the next request with.
    ///
    /// # Errors
    /// When there are none, with what to do about it.
    async fn keys(&self) -> Result<AccessKeys>;

    /// The region that belongs to them, where their source names one.
    async fn region(&self) -> Option<String>;
}

/// Keys that are known beforehand.
#[derive(Debug)]
pub struct FixedKeys(pub AccessKeys);

#[async_trait]
impl KeySource for FixedKeys {
    async fn keys(&self) -> Result<AccessKeys> {
        Ok(self.0.clone())
    }

    async fn region(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let keys = AccessKeys { id: "AKIA1".to_owned(), secret: "hunter2".to_owned(), session: Some("hunter3".to_owned()) };
        let shown = format!("{:?}", FixedKeys(keys));
        assert!(shown.contains("AKIA1") && !shown.contains("hunter"), "{shown}");
    }
}
