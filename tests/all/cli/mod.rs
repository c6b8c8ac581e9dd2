//! The binary as people run it: files in, words and exit codes out.

mod bench;

mod lang_bench;
mod lang_mistakes;
mod lang_prune;
