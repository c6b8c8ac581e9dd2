//! Where the runs of trials are journaled.

use std::path::Path;
use std::sync::Arc;

use switchover::apply::journal::{Entry, Store, local::LocalStore};

/// A place for journals that all trials of a proof share.
pub enum Journal {
    /// In each trial's own folder.
    Local,
}

impl Journal {
    /// The place of that name; none where a service for it is missing, which has been said then.
    pub fn open(word: &str) -> Option<Journal> {
        match word {
            "local" => Some(Journal::Local),
            other => panic!("there is no journal {other:?} to prove; known are: local"),
        }
    }

    /// What the binary is told of it, for a trial of this name.
    pub fn url(&self, _trial: &str) -> Option<String> {
        match self {
            Journal::Local => None,
        }
    }

    fn store(&self, root: &Path, _trial: &str) -> Arc<dyn Store> {
        match self {
            Journal::Local => Arc::new(LocalStore::new(root.join(".switchover"))),
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
