//! The one integration binary.

#[cfg(feature = "aws")]
mod live_aws;
mod services;
