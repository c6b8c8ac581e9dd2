//! AWS's status words, by what they mean for us. New words appear over the years: an unknown one means "wait and show it".

/// What an instance in this status is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It answers, and can be renamed and modified.
    Usable,
    /// It answers, and cannot be renamed or modified until its backup is done.
    BackingUp,
    /// It is changing; it will be usable by itself.
    Busy,
    /// Somebody stopped it.
    Stopped,
    /// It is going away.
    Deleting,
    /// It will not be usable by itself.
    Failed,
}

/// The class of a status word.
#[must_use]
pub fn class(word: &str) -> Class {
    match word {
        "available" | "storage-optimization" | "storage-initialization" | "storage-config-upgrade" => Class::Usable,
        "backing-up" => Class::BackingUp,
        "stopped" | "stopping" => Class::Stopped,
        "deleting" | "delete-precheck" => Class::Deleting,
        "failed" | "restore-error" | "storage-full" | "insufficient-capacity" => Class::Failed,
        word if word.starts_with("incompatible-") || word.starts_with("inaccessible-encryption") => Class::Failed,
        _ => Class::Busy,
    }
}

/// The word of a fact: what must not change between plan and apply. A backup or another passing state is no change.
#[must_use]
pub fn fact_word(status: &str) -> &'static str {
    match class(status) {
        Class::Usable | Class::BackingUp | Class::Busy => "running",
        Class::Stopped => "stopped",
        Class::Deleting => "deleting",
        Class::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_mean_waiting() {
        assert_eq!(class("configuring-quantum-cache"), Class::Busy);
        assert_eq!(class("storage-optimization"), Class::Usable);
        assert_eq!(class("incompatible-restore"), Class::Failed);
        assert_eq!(fact_word("backing-up"), fact_word("available"));
    }
}
