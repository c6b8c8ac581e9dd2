//! The store in memory that the crash harness and the property tests run on: it has to keep the same promises.

use std::sync::Arc;

use async_trait::async_trait;
use switchover::apply::journal::Store;

use super::arena::{Arena, Damage, LeaseClock, Tail};
use crate::support::MemoryStore;

/// All handles are the one store.
struct Memory(Arc<MemoryStore>);

async fn arena() -> Option<Memory> {
    Some(Memory(MemoryStore::new()))
}

conformance!(arena);

#[async_trait]
impl Arena for Memory {
    fn open(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0) as Arc<dyn Store>
    }

    fn skewed(&self, _seconds: i64) -> Arc<dyn Store> {
        self.open()
    }

    fn lease_clock(&self) -> LeaseClock {
        LeaseClock::Store
    }

    async fn damage(&self, _environment: &str, _run: &str, _damage: Damage) -> bool {
        false
    }

    async fn tear(&self, _environment: &str, _run: &str) -> Option<Tail> {
        None
    }

    fn place_of(&self, run: &str) -> String {
        run.to_owned()
    }

    async fn is_untouched(&self) -> bool {
        self.0.entries().is_empty() && self.0.appends() == 0
    }

    async fn forbid_writing(&self, _forbid: bool) {
        unreachable!("memory can always be written");
    }

    async fn fill(&self, _full: bool) {
        unreachable!("memory is never full");
    }
}
