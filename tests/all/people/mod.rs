//! What people, disks, terminals and networks do to a run that no service does: a full disk, files that may not be written, a clock that is set,
//! a terminal that goes away, credentials that expire, a network that is lost, and a colleague who helps by hand.
//!
//! Where it must be a real process (limits, signals, pipes) the real binary runs in a copy of an example; where it must happen at every call or
//! every journal write, the library runs in memory.

mod clocks;
mod credentials;
mod ctrl_c;
mod disk;
mod doors;
mod hands;
mod live;
mod network;
mod permissions;
mod scenes;
mod shell;
mod signals;
mod stage;
mod terminal;
mod typed;
