//! Which store a journal's setting means.

use std::path::Path;
use std::sync::Arc;

use super::session::state_folder;
use crate::apply::journal::local::LocalStore;
use crate::apply::journal::patience::Listener;
use crate::apply::journal::postgres::PostgresStore;
use crate::apply::journal::{Holder, Patience, Store, locks};
use crate::model::{Error, Exit, Result};

/// What a store needs from the process around it.
pub struct Surroundings<'a> {
    /// The root: `.switchover/` is below it.
    pub root: &'a Path,
    /// This process.
    pub holder: &'a Holder,
    /// Is told when a store cannot be reached and is waited for.
    pub listener: Listener,
}

/// Opens the store of a setting: `local`, or a URL. What cannot be used is told without quoting it: it may hold a password.
pub fn open(setting: &str, around: &Surroundings<'_>) -> Result<Arc<dyn Store>> {
    let scheme = setting.split_once("://").map_or(setting, |(scheme, _)| scheme);
    let patience = Patience { listener: Arc::clone(&around.listener), ..Patience::default() };
    match scheme {
        "local" => Ok(Arc::new(LocalStore::new(state_folder(around.root)))),
        "postgres" | "postgresql" => Ok(Arc::new(PostgresStore::new(setting, locks::new_fence(around.holder), patience)?)),
        _ => Err(unknown(&shown(setting))),
    }
}

/// The scheme of a setting as it may be shown: a text that has none may be a secret as a whole.
fn shown(setting: &str) -> String {
    setting.split_once("://").map_or_else(|| "what is set".to_owned(), |(scheme, _)| format!("`{scheme}://…`"))
}

/// A setting that is no journal of ours.
pub fn unknown(what: &str) -> Error {
    Error::new(
        Exit::Error,
        format!("journals are not kept in {what}"),
        "write journal = \"local\" or \"postgres://ROLE:PASSWORD@HOST/DATABASE\" in the environment block, or give --journal",
    )
}
