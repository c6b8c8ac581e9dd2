//! The two stories of `examples/` on real services: the program as people start it, as a process with its live doors, against moto, microburst,
//! `PostgreSQL`, our Cloudflare twin behind the vendor's description, and a name server. The simulated world plays the same examples in the
//! crash harness; what both say alike is believed.
//!
//! `project` runs the program on a copy of an example, `staging` and `zones` build the worlds of the two stories, and the others are the
//! scenarios. None of them leans on what `tests/services/README.md` lists as a double's lie: what is expected here is expected of the services.

mod faults;
mod interrupted;
mod killed;
mod project;
mod refresh;
mod staging;
mod swap;
mod zones;
