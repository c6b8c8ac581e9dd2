//! Where the runs of real processes are journaled: in their folder, in a database of a real server, or in a bucket of moto's S3.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use switchover::apply::journal::local::LocalStore;
use switchover::apply::journal::postgres::PostgresStore;
use switchover::apply::journal::s3::{S3Store, Settings};
use switchover::apply::journal::{Entry, Patience, Store};
use switchover::world::keys::{AccessKeys, FixedKeys};

use crate::services::moto::{Moto, MotoBucket};
use crate::services::postgres::Postgres;

/// A place for journals that all trials of a proof share.
pub enum Journals {
    /// In each trial's own folder.
    Local,
    /// In a database of a real server; each trial has a schema of its own.
    Postgres(&'static Postgres),
    /// In a bucket; each trial has a prefix of its own.
    S3(&'static MotoBucket),
}

const DATABASE: &str = "kills";
const ACCESS_KEY: &str = "AKIATEST";
const SECRET_KEY: &str = "not a secret";

static SERVER: LazyLock<Option<&'static Postgres>> = LazyLock::new(|| Postgres::database(DATABASE));
static BUCKET: LazyLock<Option<MotoBucket>> = LazyLock::new(|| Moto::shared().map(Moto::bucket));

impl Journals {
    /// Every word that [`Journals::open`] knows.
    pub const ALL: [&'static str; 3] = ["local", "postgres", "s3"];

    /// The place of that name; none where a service for it is missing, which has been said then.
    pub fn open(word: &str) -> Option<Journals> {
        match word {
            "local" => Some(Journals::Local),
            "postgres" => (*SERVER).map(Journals::Postgres),
            "s3" => BUCKET.as_ref().map(Journals::S3),
            other => panic!("there is no journal {other:?} to prove; known are {:?}", Journals::ALL),
        }
    }

    /// The environment variables by which the binary finds it, for a trial of this name.
    pub fn variables(&self, trial: &str) -> Vec<(&'static str, String)> {
        let Some(url) = self.url(trial) else { return Vec::new() };
        let keys = [("AWS_ACCESS_KEY_ID", ACCESS_KEY.to_owned()), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY.to_owned())];
        let keys = if matches!(self, Journals::S3(_)) { keys.to_vec() } else { Vec::new() };
        [vec![("SWITCHOVER_JOURNAL", url)], keys].concat()
    }

    fn url(&self, trial: &str) -> Option<String> {
        match self {
            Journals::Local => None,
            Journals::Postgres(server) => {
                let schema = trial.replace('-', "_");
                Some(format!("postgres://postgres@127.0.0.1:{}/{DATABASE}?schema={schema}", server.port))
            }
            Journals::S3(bucket) => Some(format!("s3://{}/{trial}?endpoint=http://127.0.0.1:{}&region=eu-west-1", bucket.name, bucket.port)),
        }
    }

    fn store(&self, root: &Path, trial: &str) -> Arc<dyn Store> {
        match (self, self.url(trial)) {
            (Journals::Postgres(_), Some(url)) => Arc::new(PostgresStore::new(&url, format!("reader-{trial}"), Patience::default()).unwrap()),
            (Journals::S3(_), Some(url)) => {
                let keys = FixedKeys(AccessKeys { id: ACCESS_KEY.to_owned(), secret: SECRET_KEY.to_owned(), session: None });
                Arc::new(S3Store::new(Settings::read(&url, &|_| None).unwrap(), Arc::new(keys), Patience::default()))
            }
            _ => Arc::new(LocalStore::new(root.join(".switchover"))),
        }
    }

    /// All entries of an environment's runs, oldest run first.
    pub fn runs(&self, root: &Path, trial: &str, environment: &str) -> Vec<Vec<Entry>> {
        let store = self.store(root, trial);
        let read = async {
            let mut found = Vec::new();
            for run in store.runs(environment).await.unwrap() {
                found.extend(store.read(environment, &run).await.unwrap().map(|stored| stored.entries));
            }
            found
        };
        // On a thread of its own: the caller's may be a runtime's.
        let wait = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read);
        std::thread::scope(|scope| scope.spawn(wait).join().unwrap())
    }
}
