//! Where the runs of trials are journaled.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use switchover::apply::journal::local::LocalStore;
use switchover::apply::journal::postgres::PostgresStore;
use switchover::apply::journal::{Entry, Patience, Store};

use crate::services::postgres::Postgres;

/// A place for journals that all trials of a proof share.
pub enum Journal {
    /// In each trial's own folder.
    Local,
    /// In a database of a real server; each trial has a schema of its own.
    Postgres(&'static Postgres),
}

const DATABASE: &str = "kills";
static SERVER: LazyLock<Option<&'static Postgres>> = LazyLock::new(|| Postgres::database(DATABASE));

impl Journal {
    /// The place of that name; none where a service for it is missing, which has been said then.
    pub fn open(word: &str) -> Option<Journal> {
        match word {
            "local" => Some(Journal::Local),
            "postgres" => (*SERVER).map(Journal::Postgres),
            other => panic!("there is no journal {other:?} to prove; known are local and postgres"),
        }
    }

    /// What the binary is told of it, for a trial of this name.
    pub fn url(&self, trial: &str) -> Option<String> {
        match self {
            Journal::Local => None,
            Journal::Postgres(server) => {
                let schema = trial.replace('-', "_");
                Some(format!("postgres://postgres@127.0.0.1:{}/{DATABASE}?schema={schema}", server.port))
            }
        }
    }

    fn store(&self, root: &Path, trial: &str) -> Arc<dyn Store> {
        match self.url(trial) {
            None => Arc::new(LocalStore::new(root.join(".switchover"))),
            Some(url) => Arc::new(PostgresStore::new(&url, format!("reader-{trial}"), Patience::default()).unwrap()),
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
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(read)
    }
}
