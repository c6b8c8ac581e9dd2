//! Properties: what holds for every environment, world, plan, journal and saved file, tried on random ones.
//!
//! Everything random comes from a seed. Without further words the same cases are tried every time, so many that all of it is quick;
//! `SWITCHOVER_PROPERTY_CASES` tries more of them, and `SWITCHOVER_PROPERTY_SEED` begins at another one. A case that fails prints the command
//! that replays it alone.

mod convergence;
mod facts;
mod guard;
mod histories;
mod meeting;
mod outage;
mod saved;
mod stage;
mod trials;
mod way_back;
mod worlds;
