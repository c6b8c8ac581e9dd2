//! Starts the real services and the doubles that the tests run against, each on a free port of this machine and stopped with the
//! tests. `tests/services/README.md` says what each of them is, and how it lies.

pub mod cutter;
pub mod http_server;
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without the SDKs only its S3 is of use"))]
pub mod moto;
pub mod nsd;
pub mod postgres;
pub mod prism;
pub mod process;
pub mod s3_twin;
#[cfg(feature = "aws")]
pub mod scripted;
pub mod twin;
pub mod zone_file;
