//! Starts the real services and the doubles that the tests run against; `tests/services/README.md` says what each of them is.

#[cfg(feature = "aws")]
pub mod moto;
#[cfg(feature = "aws")]
pub mod scripted;
