//! The cases: each takes an arena, and knows nothing of the store in it.

pub mod damage;
pub mod failures;
pub mod locks;
pub mod records;
