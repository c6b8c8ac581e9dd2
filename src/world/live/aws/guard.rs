//! What keeps secrets from leaving: no request in plain text to another machine, and no credential in a message.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

use crate::model::{Redactor, is_loopback};
use crate::world::CallError;

/// Stops a request before it goes out when its address is `http://` on another machine, wherever that address came from: the environment file, an
/// environment variable, a profile.
#[derive(Debug)]
pub(super) struct NoPlainText {
    /// Whether the environment file says that it may.
    pub allowed: bool,
}

/// Why a request was stopped.
#[derive(Debug)]
pub(super) struct PlainText;

impl fmt::Display for PlainText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(crate::world::live::http::PLAIN_REFUSED)
    }
}

impl std::error::Error for PlainText {}

#[dyn_dispatch_hint]
impl Intercept for NoPlainText {
    fn name(&self) -> &'static str {
        "NoPlainText"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let safe = context.request().uri().parse::<url::Url>().is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
        if self.allowed || safe { Ok(()) } else { Err(Box::new(PlainText)) }
    }
}

/// The secret parts of all credentials that were used, old ones too: they are renewed while a run goes on.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Redactor>>);

impl Seen {
    /// An error without any of them.
    pub fn hide(&self, mut error: CallError) -> CallError {
        let redactor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        error.message = redactor.hide(&error.message);
        error.code = error.code.map(|code| redactor.hide(&code));
        error
    }

    fn remember(&self, credentials: &Credentials) {
        let mut redactor = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        redactor.add(credentials.secret_access_key());
        if let Some(token) = credentials.session_token() {
            redactor.add(token);
        }
    }
}

/// Credentials from somewhere else, remembered.
#[derive(Debug)]
pub(super) struct Watched {
    /// Where they come from.
    pub inner: SharedCredentialsProvider,
    /// Where they are remembered.
    pub seen: Seen,
}

impl Watched {
    async fn load(&self) -> provider::Result {
        let credentials = self.inner.provide_credentials().await?;
        self.seen.remember(&credentials);
        Ok(credentials)
    }
}

impl ProvideCredentials for Watched {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }

    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.inner.fallback_on_interrupt()
    }
}
