//! The nouns that every phase shares. Imports nothing of the rest.

mod address;
pub mod canonical;
pub mod data;
mod error;
mod exit;
pub mod guard;
pub mod input;
pub mod json;
mod net;
mod phase;
mod problem;
pub mod record;
mod redact;
mod secret;
pub mod text;
pub mod time;
mod value;
pub mod visible;

pub use address::Address;
pub use data::Data;
pub use error::{Error, Result};
pub use exit::Exit;
pub use net::is_loopback;
pub use phase::Phase;
pub use problem::{Problem, Severity, SourceFile, Span};
pub use redact::Redactor;
pub use secret::{SecretRef, Secrets};
pub use value::{Number, Value};

/// Plain data, as it stands in a plan, a journal or a world file.
pub type Json = serde_json::Value;
