//! The store in a bucket: against a twin that misbehaves on purpose, and against moto's S3, which others wrote.

mod arena;
mod costs;
mod elsewhere;
mod failures;
mod fences;

/// The twin.
mod twin {
    conformance!(super::arena::twin);
    conformance_without_writing!(super::arena::twin);
}

/// moto.
mod moto {
    conformance_of_a_server!(super::arena::moto);
}
