//! One bucket: the five requests that the journal is made of, each with its limits and its patience.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential, S3ConditionalPut};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, CredentialProvider, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig};

use super::door::{Connector, ServerTime};
use super::layout::KEY_BYTES_MAX;
use super::settings::Settings;
use super::trouble::Trouble;
use crate::apply::journal::patience::{Attempt, Patience};
use crate::model::time::{self, Timestamp};
use crate::model::{Error, Exit, Result};
use crate::world::keys::KeySource;

/// A folder with more objects is none of ours.
const LISTED_MAX: usize = 200_000;
/// To a socket with TLS on it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One request with little in it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// And so much longer for what is in it: a slow line still carries so many bytes a second.
const SLOW_BYTES_PER_SECOND: u64 = 128 << 10;
/// How a conditional write ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Put {
    /// The object is ours.
    Made,
    /// Another one has that name: here is what it holds.
    Taken(Vec<u8>),
}

/// One object.
#[derive(Debug)]
pub struct Object {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// When it was written, by the server's clock, to the second before.
    pub written: Timestamp,
    /// When the server answered, by the same clock; none where it does not say.
    pub now: Option<Timestamp>,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The whole name.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
}

/// One bucket.
pub struct Bucket {
    store: AmazonS3,
    /// For people.
    pub place: String,
    patience: Patience,
    reached: AtomicBool,
}

impl Bucket {
    /// Opens it; nothing is asked yet.
    pub fn open(settings: &Settings, region: String, keys: Arc<dyn KeySource>, patience: Patience) -> Result<Self> {
        let options = ClientOptions::new()
            .with_allow_http(settings.plain_http)
            .with_connect_timeout(CONNECT_TIMEOUT)
            // Each request has a limit of its own, by its length.
            .with_timeout_disabled();
        // Off: an unknown outcome is resolved by reading, and waiting is told.
        let retries = RetryConfig { backoff: BackoffConfig::default(), max_retries: 0, retry_timeout: REQUEST_TIMEOUT };
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&settings.bucket)
            .with_region(region)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_disable_bulk_delete(true)
            .with_client_options(options)
            .with_retry(retries)
            .with_http_connector(Connector::default())
            .with_credentials(Arc::new(Signer(keys)))
            // A dot in the name would be a second label before the certificate's.
            .with_virtual_hosted_style_request(settings.endpoint.is_none() && !settings.bucket.contains('.'));
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(settings.plain_http);
        }
        let place = settings.place();
        let store = builder.build().map_err(|error| Trouble::of(&error).into_error(format!("cannot open the journal {place}")))?;
        Ok(Bucket { store, place, patience, reached: AtomicBool::new(false) })
    }

    /// Writes an object that is not there yet. A lost answer and a try that took effect unseen are resolved by reading: every object of ours
    /// holds something that no other one does, so that what is there is either ours or another's.
    pub async fn put_new(&self, key: &str, body: &[u8], patient: bool) -> Result<Put> {
        let (path, payload) = (self.path(key)?, PutPayload::from(body.to_vec()));
        let size = body.len() as u64;
        self.patiently("write", key, size, patient, || async {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match within(size, self.store.put_opts(&path, payload.clone(), options)).await? {
                Ok(_) => Ok(Put::Made),
                Err(object_store::Error::AlreadyExists { .. }) => match self.get_once(&path, size).await? {
                    Some(found) if found.bytes == body => Ok(Put::Made),
                    Some(found) => Ok(Put::Taken(found.bytes)),
                    // It was removed meanwhile: the same question has another answer now.
                    None => Err(Trouble::Unanswered("the object was there, and is gone".to_owned())),
                },
                Err(error) => Err(Trouble::of(&error)),
            }
        })
        .await
    }

    /// One object of about this size; none when there is none of that name.
    pub async fn get(&self, key: &str, size: u64, patient: bool) -> Result<Option<Object>> {
        let path = self.path(key)?;
        self.patiently("read", key, size, patient, || self.get_once(&path, size)).await
    }

    async fn get_once(&self, path: &Path, size: u64) -> Result<Option<Object>, Trouble> {
        // The door reads the whole of it before it answers, so this is one request with all of its body.
        let got = match within(size, self.store.get(path)).await? {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(Trouble::of(&error)),
        };
        let written = Timestamp::from_second(got.meta.last_modified.timestamp()).map_err(|error| Trouble::Other(error.to_string()))?;
        let now = got.extensions.get::<ServerTime>().map(|now| now.0);
        let bytes = got.bytes().await.map_err(|error| Trouble::of(&error))?.to_vec();
        Ok(Some(Object { bytes, written, now }))
    }

    /// All objects of a folder and below it, by name.
    pub async fn list(&self, folder: &str, patient: bool) -> Result<Vec<Listed>> {
        let path = self.path(folder)?;
        self.patiently("list", folder, 0, patient, || async {
            let mut found = Vec::new();
            let mut pages = self.store.list(Some(&path));
            while let Some(meta) = within(0, pages.try_next()).await?.map_err(|error| Trouble::of(&error))? {
                if found.len() == LISTED_MAX {
                    return Err(Trouble::Other(format!("more than {LISTED_MAX} objects are there")));
                }
                found.push(Listed { key: meta.location.to_string(), size: meta.size });
            }
            found.sort();
            Ok(found)
        })
        .await
    }

    /// The names of a folder's own folders.
    pub async fn folders(&self, folder: &str) -> Result<Vec<String>> {
        let path = self.path(folder)?;
        self.patiently("list", folder, 0, false, || async {
            let listed = within(0, self.store.list_with_delimiter(Some(&path))).await?.map_err(|error| Trouble::of(&error))?;
            Ok(listed.common_prefixes.iter().filter_map(|prefix| prefix.filename().map(str::to_owned)).collect())
        })
        .await
    }

    /// Removes what nobody needs any more. What cannot be removed stays, and is in nobody's way.
    pub async fn remove(&self, keys: &[String]) {
        futures_util::stream::iter(keys)
            .for_each_concurrent(8, |key| async {
                if let Ok(path) = self.path(key) {
                    let _ = within(0, self.store.delete(&path)).await;
                }
            })
            .await;
    }

    fn path(&self, key: &str) -> Result<Path> {
        let what = || format!("the journal {} cannot hold {key}", self.place);
        if key.len() > KEY_BYTES_MAX {
            return Err(Error::new(Exit::Error, what(), format!("use shorter names: S3 takes {KEY_BYTES_MAX} bytes")));
        }
        Path::parse(key).map_err(|error| Error::new(Exit::Error, what(), "correct the journal's URL").because_text(error.to_string()))
    }

    /// Tries again while what is in the way passes by itself, up to the end of patience. `patient`: a run under way depends on it.
    async fn patiently<'a, T, F>(&self, verb: &str, key: &str, size: u64, patient: bool, attempt: impl Fn() -> F + Send) -> Result<T>
    where
        F: Future<Output = Result<T, Trouble>> + Send + 'a,
        T: Send + 'a,
    {
        // Before the first answer nothing has begun, and the address may simply be wrong.
        let patient = patient && self.reached.load(Ordering::Relaxed);
        let limit = if patient { self.patience.holding } else { self.patience.before } + time_for(size);
        let what = |trouble: Trouble| trouble.into_error(format!("cannot {verb} {key} in the journal {}", self.place));
        let tries = self.patience.keep_trying(&self.place, limit, move || {
            let attempt = attempt();
            async move {
                match attempt.await {
                    Ok(done) => Attempt::Done(Ok(done)),
                    Err(trouble) if trouble.passes() => Attempt::Lost(trouble.to_string()),
                    Err(trouble) => Attempt::Done(Err(trouble)),
                }
            }
            .boxed()
        });
        // Any answer at all is one.
        let answered = tries.await.map_err(|error| error.within(format!("cannot {verb} {key}")))?;
        self.reached.store(true, Ordering::Relaxed);
        answered.map_err(what)
    }
}

/// One request within its time.
async fn within<T>(bytes: u64, request: impl Future<Output = T>) -> Result<T, Trouble> {
    let limit = REQUEST_TIMEOUT + time_for(bytes);
    tokio::time::timeout(limit, request).await.map_err(|_| Trouble::Unanswered(format!("no answer within {}", time::words(limit))))
}

fn time_for(bytes: u64) -> Duration {
    Duration::from_secs(bytes / SLOW_BYTES_PER_SECOND)
}

/// Keys as `object_store` wants them, asked for at every request.
#[derive(Debug)]
struct Signer(Arc<dyn KeySource>);

#[async_trait]
impl CredentialProvider for Signer {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let keys = self.0.keys().await.map_err(|error| object_store::Error::Generic { store: "S3", source: Box::new(Trouble::Keys(error)) })?;
        Ok(Arc::new(AwsCredential { key_id: keys.id, secret_key: keys.secret, token: keys.session }))
    }
}
