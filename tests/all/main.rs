//! All tests that go through more than one module, in one binary.

mod cli;
mod crash;
mod engine;
mod fuzz;
mod journal_histories;
mod journal_stores;
mod language;
#[cfg(feature = "aws")]
mod live_aws;
mod live_cloudflare;
mod live_dns;
mod live_failures;
mod live_postgres;
mod live_slack;
mod live_world;
mod saved_plans;
#[cfg(feature = "aws")]
mod scenarios;
mod services;
mod support;
mod tidy;
