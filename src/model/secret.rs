//! Secrets as references: an expression and the names it refers to, never a value.

use serde::{Deserialize, Serialize};

use super::Result;

/// Where a secret value comes from. This, and never the value, stands in plans and journals.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "secret", rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretRef {
    /// An HCL expression over `env()`, `var.` and pure functions, locals expanded: `env("CLOUDFLARE_API_TOKEN")`.
    Expression {
        /// The expression's text.
        expression: String,
        /// What it refers to, sorted: `env.CLOUDFLARE_API_TOKEN`, `var.token`.
        refers_to: Vec<String>,
    },
    /// A literal in an environment file: the value is read again from there, when its door is opened.
    Literal {
        /// The file, relative to the root.
        file: String,
        /// The attribute's address in it: `provider.cloudflare.api_token`, `variable.token.default`.
        attribute: String,
    },
}

/// Gives values for references, at the door and nowhere else.
pub trait Secrets: Send + Sync {
    /// The value now. Errors say which name is unset and where to set it; they never hold a value.
    fn resolve(&self, reference: &SecretRef) -> Result<String>;
}
