//! Real servers for the tests, each started on a free port of this machine and stopped with the tests.

pub mod http_server;
pub mod nsd;
pub mod postgres;
pub mod prism;
pub mod process;
pub mod twin;
pub mod zone_file;
