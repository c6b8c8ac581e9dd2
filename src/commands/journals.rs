//! Which store a journal's setting means.

use std::path::Path;
use std::sync::Arc;

use super::session::state_folder;
use crate::apply::journal::local::LocalStore;
use crate::apply::journal::patience::Listener;
use crate::apply::journal::postgres::PostgresStore;
use crate::apply::journal::s3::{S3Store, Settings};
use crate::apply::journal::{Holder, Patience, Store, locks};
use crate::model::{Error, Exit, Result};
use crate::world::keys::{AccessKeys, FixedKeys, KeySource};
use crate::world::live::aws::Chain;

/// What a store needs from the process around it.
pub struct Surroundings<'a> {
    /// The root: `.switchover/` is below it.
    pub root: &'a Path,
    /// This process.
    pub holder: &'a Holder,
    /// Gives environment variables.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Is told when a store cannot be reached and is waited for.
    pub listener: Listener,
}

/// Opens the store of a setting: `local`, or a URL. What cannot be used is told without quoting it: it may hold a password.
pub fn open(setting: &str, around: &Surroundings<'_>) -> Result<Arc<dyn Store>> {
    let scheme = setting.split_once("://").map_or(setting, |(scheme, _)| scheme);
    let patience = Patience { listener: Arc::clone(&around.listener), ..Patience::default() };
    match scheme {
        "local" => Ok(Arc::new(LocalStore::new(state_folder(around.root)).patient(patience))),
        "postgres" | "postgresql" => Ok(Arc::new(PostgresStore::new(setting, locks::new_fence(around.holder), patience)?)),
        "s3" => {
            let settings = Settings::read(setting, around.variable)?;
            let keys = keys(&settings, around.variable);
            Ok(Arc::new(S3Store::new(settings, keys, patience)))
        }
        _ => Err(unknown(&shown(setting))),
    }
}

/// Who signs for a bucket: the profile that its URL names, else the keys in environment variables, else what AWS's own tools would take.
fn keys(settings: &Settings, variable: &dyn Fn(&str) -> Option<String>) -> Arc<dyn KeySource> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    match (&settings.profile, set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY")) {
        (None, Some(id), Some(secret)) => Arc::new(FixedKeys(AccessKeys { id, secret, session: set("AWS_SESSION_TOKEN") })),
        (profile, _, _) => Arc::new(Chain::new(profile.clone(), settings.region.clone())),
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
        "write journal = \"local\", \"postgres://ROLE:PASSWORD@HOST/DATABASE\" or \"s3://BUCKET/PREFIX\" in the environment block, or give --journal",
    )
}
