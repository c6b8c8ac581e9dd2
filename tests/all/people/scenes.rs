//! The examples, as the crash harness plays them: two of its trials.

use crate::crash::trials;
pub use crate::crash::{Trial as Example, trials::refresh};

/// Two zones whose sides change hands.
pub fn swap() -> Example {
    trials::two_zones()
}
