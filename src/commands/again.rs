//! What the commands that a command names need besides their own words: where this one was told to look. Given without, they would find another root,
//! another world or another journal.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::session::Environment;
use crate::cli::Globals;
use crate::review::escape;

const VERBS: [&str; 9] = ["apply", "plan", "resume", "rollback", "status", "unlock", "runs", "show", "validate"];

/// Where this command was told to look, and whether it has named other commands.
#[derive(Debug, Default)]
pub struct Again {
    flags: Vec<String>,
    named: AtomicBool,
}

impl Again {
    /// What its own words said; what stands in the environment's variables goes on standing there.
    #[must_use]
    pub fn new(globals: &Globals, environment: &Environment) -> Self {
        let is_own = |name: &str, given: &str| (environment.variable)(name).is_none_or(|value| value != given);
        let mut flags = Vec::new();
        if globals.root != Path::new(".") {
            flags.push(format!("-C {}", escape::shell(&globals.root.to_string_lossy())));
        }
        if let Some(world) = globals.world.as_ref().map(|world| world.to_string_lossy()).filter(|world| is_own("SWITCHOVER_WORLD", world)) {
            flags.push(format!("--world {}", escape::shell(&world)));
        }
        flags.extend(globals.var_file.iter().map(|file| format!("--var-file {}", escape::shell(&file.to_string_lossy()))));
        // A value may be a secret, and so may the URL of a journal.
        if !globals.var.is_empty() {
            flags.push("the same --var".to_owned());
        }
        if globals.journal.as_ref().is_some_and(|journal| is_own("SWITCHOVER_JOURNAL", journal)) {
            flags.push("the same --journal".to_owned());
        }
        Again { flags, named: AtomicBool::new(false) }
    }

    /// Listens to what is said to people.
    pub fn hear(&self, text: &str) {
        if !self.flags.is_empty() && names_a_command(text) {
            self.named.store(true, Ordering::Relaxed);
        }
    }

    /// A line for people, if there is anything to add to what was named.
    #[must_use]
    pub fn words(&self) -> Option<String> {
        let named = self.named.load(Ordering::Relaxed);
        named.then(|| format!("The commands named above go with {}, as this one did.", self.flags.join(" and ")))
    }
}

fn names_a_command(text: &str) -> bool {
    let after = text.match_indices("switchover ").map(|(at, program)| &text[at + program.len()..]);
    after.into_iter().any(|words| VERBS.iter().any(|verb| words.strip_prefix(verb).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_versions_and_names() {
        assert!(names_a_command("From here:\n  switchover resume staging     goes on"));
        assert!(names_a_command("see `switchover status`"));
        assert!(!names_a_command("Made by switchover 0.1.0; switchover planning"));
    }
}
