//! Real services.

#[cfg(feature = "aws")]
pub mod aws;
