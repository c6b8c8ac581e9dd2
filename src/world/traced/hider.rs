//! Takes the secrets of the doors in use out of what services said: the last of three looks, behind the doors' own, and the only one of a simulated
//! world, whose services echo what somebody wrote into its file.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Redactor, SecretRef, Secrets};
use crate::world::CallError;

/// Knows the secrets of every door that was opened.
pub(super) struct Hider {
    secrets: Arc<dyn Secrets>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    references: HashSet<SecretRef>,
    values: Redactor,
}

impl Hider {
    pub fn new(secrets: Arc<dyn Secrets>) -> Self {
        Hider { secrets, known: Mutex::default() }
    }

    /// From now on this one is hidden. One that has no value here cannot come back from anywhere; the door itself says what is missing.
    pub fn learn(&self, reference: Option<&SecretRef>) {
        let Some(reference) = reference else { return };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.references.insert(reference.clone())
            && let Ok(value) = self.secrets.resolve(reference)
        {
            known.values.add(&value);
            known.add_parts(&value);
        }
    }

    pub fn hide(&self, error: CallError) -> CallError {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        CallError { message: known.values.hide(&error.message), code: error.code.map(|code| known.values.hide(&code)), ..error }
    }
}

impl Known {
    /// Of a URL the parts that are as good as the whole.
    fn add_parts(&mut self, value: &str) {
        let Ok(url) = url::Url::parse(value.trim()) else { return };
        let parts = [Some(url.path().trim_start_matches('/')), url.password(), url.query()];
        parts.into_iter().flatten().filter(|part| part.len() > 3).for_each(|part| self.values.add(part));
    }
}
