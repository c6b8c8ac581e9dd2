//! One bucket: the five requests that the journal is made of, each with its limits and its patience.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential, S3ConditionalPut};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, CredentialProvider, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use tokio::time::Instant;

use super::door::{Connector, OBJECT_BYTES_MAX, ServerTime};
use super::layout::KEY_BYTES_MAX;
use super::settings::Settings;
use super::trouble::Trouble;
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
/// Between two attempts, at first and at most.
const PAUSE_FIRST: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(15);
/// A wait that goes on is told again after so long.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// Hears that the journal does not answer and is waited for, and that it answers again.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// How long a bucket that does not answer is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Where nothing depends on it yet, and somebody waits at the terminal.
    pub short: Duration,
    /// Where a run stands still until its journal is back. It has nothing better to do, and ten minutes without a network must not end it; as long
    /// as nobody took its lock, what it appends afterwards is as good as before.
    pub long: Duration,
    /// A wait shorter than this is not worth a word.
    pub silent: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { short: Duration::from_secs(20), long: Duration::from_mins(15), silent: Duration::from_secs(5) }
    }
}

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
    told: Listener,
    reached: AtomicBool,
}

impl Bucket {
    /// Opens it; nothing is asked yet.
    pub fn open(settings: &Settings, region: String, keys: Arc<dyn KeySource>, patience: Patience, told: Listener) -> Result<Self> {
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
        Ok(Bucket { store, place, patience, told, reached: AtomicBool::new(false) })
    }

    /// Writes an object that is not there yet. A lost answer and a try that took effect unseen are resolved by reading: every object of ours
    /// holds something that no other one does, so that what is there is either ours or another's.
    pub async fn put_new(&self, key: &str, body: &[u8], patient: bool) -> Result<Put> {
        let path = self.path(key)?;
        let payload = PutPayload::from(body.to_vec());
        self.patiently(&format!("cannot write {key}"), patient, || async {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match within(body.len() as u64, self.store.put_opts(&path, payload.clone(), options)).await? {
                Ok(_) => Ok(Put::Made),
                Err(object_store::Error::AlreadyExists { .. }) => match self.get_once(&path).await? {
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

    /// One object; none when there is none of that name.
    pub async fn get(&self, key: &str, patient: bool) -> Result<Option<Object>> {
        let path = self.path(key)?;
        self.patiently(&format!("cannot read {key}"), patient, || self.get_once(&path)).await
    }

    async fn get_once(&self, path: &Path) -> Result<Option<Object>, Trouble> {
        // The door reads the whole of it before it answers, so this is one request with all of its body.
        let got = match within(OBJECT_BYTES_MAX / 8, self.store.get(path)).await? {
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
        self.patiently(&format!("cannot list {folder}"), patient, || async {
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
        self.patiently(&format!("cannot list {folder}"), false, || async {
            let listed = within(1 << 24, self.store.list_with_delimiter(Some(&path))).await?.map_err(|error| Trouble::of(&error))?;
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

    /// Tries again while what is in the way passes by itself, tells of it, and gives up when patience ends.
    async fn patiently<T, F>(&self, what: &str, patient: bool, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        // Before the first answer nothing has begun, and the address may simply be wrong.
        let patience = if patient && self.reached.load(Ordering::Relaxed) { self.patience.long } else { self.patience.short };
        let begin = Instant::now();
        let (mut pause, mut told): (Duration, Option<Instant>) = (PAUSE_FIRST, None);
        loop {
            let trouble = match attempt().await {
                Ok(done) => {
                    self.reached.store(true, Ordering::Relaxed);
                    if told.is_some() {
                        (self.told)(&format!("The journal {} answers again after {}.", self.place, time::words(begin.elapsed())));
                    }
                    return Ok(done);
                }
                Err(trouble) => trouble,
            };
            let waited = begin.elapsed();
            if !trouble.passes() || waited + pause > patience {
                let tried = if trouble.passes() && !waited.is_zero() { format!(" (tried for {})", time::words(waited)) } else { String::new() };
                return Err(trouble.into_error(format!("{what} in the journal {}{tried}", self.place)));
            }
            if waited + pause >= self.patience.silent && told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
                let (since, limit) = (time::words(waited), time::words(patience));
                (self.told)(&format!("The journal {} does not answer since {since}: {trouble}. Waiting for it, up to {limit}.", self.place));
                told = Some(Instant::now());
            }
            tokio::time::sleep(pause.mul_f64(0.75 + fastrand::f64() / 4.0)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// One request within its time.
async fn within<T>(bytes: u64, request: impl Future<Output = T>) -> Result<T, Trouble> {
    let limit = REQUEST_TIMEOUT + Duration::from_secs(bytes / SLOW_BYTES_PER_SECOND);
    tokio::time::timeout(limit, request).await.map_err(|_| Trouble::Unanswered(format!("no answer within {}", time::words(limit))))
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
