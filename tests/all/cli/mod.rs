//! The binary as people run it: files in, words and exit codes out.

mod bench;

mod cmds_garbage;
mod cmds_runs;
mod lang_bench;
