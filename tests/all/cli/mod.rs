//! The binary as people run it: files in, words and exit codes out.

pub mod bench;

mod cmds_abandon;
mod cmds_comment;
mod cmds_drawn;
mod cmds_fmt;
mod cmds_garbage;
mod cmds_runs;
mod lang_bench;
mod lang_database;
mod lang_dns_zone;
mod lang_mistakes;
mod lang_prune;
mod lang_values;
mod runs_that_meet;
