//! Switchover: a declarative reconciler for environments.
//!
//! ```text
//! HCL files ──declare──▶ Desired ─┐
//!                                 ├─diff──▶ Changes ──plan──▶ Plan ──review──▶ Approved ──apply──▶ Events ──report──▶ people
//! the world ──observe──▶ Observed ┘         (pure)            (pure, saved as data)      │    ▲
//!                                                                                         ▼    │
//!                                                                                       Journal (durable)
//! ```
//!
//! The modules are the verbs of this line; imports go one way, from left to right. `model` holds the nouns, `world` the doors,
//! `kinds` everything that is special to one kind of resource.

pub mod apply;
pub mod cli;
pub mod commands;
pub mod declare;
pub mod diff;
pub mod kinds;
pub mod model;
pub mod observe;
pub mod plan;
pub mod report;
pub mod review;
pub mod world;
