//! All tests that go through more than one module, in one binary.

#![allow(
    clippy::format_collect,
    clippy::needless_pass_by_value,
    clippy::struct_excessive_bools,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    reason = "tests: shape and plainness before speed, and one signature for all cases of a table"
)]

mod cli;
mod crash;
mod documents;
mod engine;
mod faults;
mod fuzz;
mod journal_histories;
mod journal_stores;
mod kill;
mod language;
#[cfg(feature = "aws")]
mod live_aws;
mod live_cloudflare;
mod live_dns;
mod live_failures;
mod live_postgres;
mod live_slack;
mod live_world;
mod people;
mod properties;
mod saved_plans;
#[cfg(feature = "aws")]
mod scenarios;
mod secrets;
mod services;
mod support;
mod tidy;
