//! What a person must do, always in the same order: what happened, what to mend, and then the command that goes on.

/// One thing to do: what happened and why, what to mend, which command then.
pub fn need(happened: &str, error: &str, mend: &str, then: &str) -> String {
    format!("{happened} ({error}): {mend}; then {then}")
}
