//! A bucket of the twin, or of moto, as an arena.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use switchover::apply::journal::s3::{S3Store, Settings};
use switchover::apply::journal::{Patience, Store};
use switchover::world::keys::{AccessKeys, FixedKeys};

use crate::journal_stores::arena::{Arena, Damage, LeaseClock, Tail, tear};
use crate::services::cutter::Cutter;
use crate::services::moto::{Moto, MotoBucket};
use crate::services::s3_twin::S3Twin;

/// Must be found in nothing that people see.
pub const SECRET: &str = "planted-secret-of-the-journal";

/// One bucket.
pub struct Bucket {
    pub port: u16,
    pub name: String,
    /// None: moto's.
    pub twin: Option<S3Twin>,
}

/// A bucket of a twin of its own.
pub async fn twin() -> Option<Bucket> {
    let twin = S3Twin::start();
    Some(Bucket { port: twin.port(), name: "journal".to_owned(), twin: Some(twin) })
}

/// A bucket of moto that nobody else has.
pub async fn moto() -> Option<Bucket> {
    let MotoBucket { name, port } = Moto::shared()?.bucket();
    Some(Bucket { port, name, twin: None })
}

/// Short enough for a test that waits for its end.
pub fn impatient() -> Patience {
    Patience { before: Duration::from_secs(1), holding: Duration::from_mins(1), ..Patience::default() }
}

impl Bucket {
    pub fn url(&self, port: u16) -> String {
        format!("s3://{}/team/journal?endpoint=http://127.0.0.1:{port}&region=eu-west-1", self.name)
    }

    /// A handle with this patience, and what it tells of waiting.
    pub fn with(&self, port: u16, patience: Patience) -> (Arc<S3Store>, Arc<Mutex<Vec<String>>>) {
        let settings = Settings::read(&self.url(port), &|_| None).unwrap();
        let keys = FixedKeys(AccessKeys { id: "AKIATEST".to_owned(), secret: SECRET.to_owned(), session: None });
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = Arc::clone(&heard);
        let listener = Arc::new(move |text: &str| hearing.lock().unwrap().push(text.to_owned()));
        (Arc::new(S3Store::new(settings, Arc::new(keys), Patience { listener, ..patience })), heard)
    }

    pub fn twin(&self) -> &S3Twin {
        self.twin.as_ref().expect("an arena of the twin")
    }

    /// Another client, which knows nothing of journals.
    fn raw(&self) -> AmazonS3 {
        AmazonS3Builder::new()
            .with_endpoint(format!("http://127.0.0.1:{}", self.port))
            .with_allow_http(true)
            .with_region("eu-west-1")
            .with_bucket_name(&self.name)
            .with_access_key_id("AKIATEST")
            .with_secret_access_key(SECRET)
            .build()
            .unwrap()
    }

    pub async fn read(&self, key: &Path) -> Vec<u8> {
        self.raw().get(key).await.unwrap().bytes().await.unwrap().to_vec()
    }

    pub async fn write(&self, key: &Path, bytes: Vec<u8>) {
        self.raw().put(key, bytes.into()).await.unwrap();
    }

    pub async fn keys(&self, below: &str) -> Vec<Path> {
        let listed: Vec<_> = self.raw().list(Some(&Path::parse(below).unwrap())).try_collect().await.unwrap();
        let mut keys: Vec<Path> = listed.into_iter().map(|meta| meta.location).collect();
        keys.sort();
        keys
    }

    /// Changes the lines of a run's records, wherever they are; what an object holds besides stays.
    async fn change(&self, environment: &str, run: &str, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let (mut objects, mut lines) = (Vec::new(), Vec::new());
        for key in self.keys(&format!("team/journal/environments/{environment}/leases")).await {
            let bytes = self.read(&key).await;
            let mut own: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
            let header = own.remove(0);
            if String::from_utf8_lossy(&header).contains(&format!("\"run\":\"{run}\"")) {
                objects.push((key, header, own.len()));
                lines.extend(own);
            }
        }
        change(&mut lines);
        let mut lines = lines.into_iter();
        for (key, header, count) in objects {
            let own: Vec<u8> = lines.by_ref().take(count).flatten().collect();
            self.write(&key, [header, own].concat()).await;
        }
        assert_eq!(lines.next(), None);
    }
}

#[async_trait]
impl Arena for Bucket {
    fn open(&self) -> Arc<dyn Store> {
        self.with(self.port, Patience::default()).0
    }

    fn skewed(&self, _seconds: i64) -> Arc<dyn Store> {
        // It is given no clock that could be off. What a server does whose clock is off stands among its own tests.
        self.open()
    }

    fn lease_clock(&self) -> LeaseClock {
        LeaseClock::Store
    }

    async fn damage(&self, environment: &str, run: &str, damage: Damage) -> bool {
        self.change(environment, run, |lines| damage.done_to(lines)).await;
        true
    }

    async fn tear(&self, environment: &str, run: &str) -> Option<Tail> {
        self.change(environment, run, |lines| tear(lines)).await;
        Some(Tail::Refused)
    }

    fn place_of(&self, _run: &str) -> String {
        "/leases/".to_owned()
    }

    async fn is_untouched(&self) -> bool {
        self.keys("team").await.is_empty()
    }

    fn through_cutter(&self) -> Option<(Arc<dyn Store>, Cutter)> {
        let cutter = Cutter::to(self.port);
        Some((self.with(cutter.port, Patience::default()).0, cutter))
    }

    async fn forbid_writing(&self, forbid: bool) {
        self.twin().read_only(forbid);
    }

    async fn fill(&self, full: bool) {
        self.twin().full(full);
    }
}
