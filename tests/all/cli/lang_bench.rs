//! Both examples run from a copy.

use super::bench::Bench;

#[test]
fn both_examples_are_valid_and_can_be_planned() {
    let openverse = Bench::openverse();
    openverse.run(&["validate"]).exits(0);
    openverse.run(&["plan", "staging", "--detailed-exitcode"]).exits(2).says("dev-openverse-db");
    let gigadb = Bench::gigadb();
    gigadb.run(&["validate"]).exits(0);
    gigadb.run(&["plan", "gigadb", "--detailed-exitcode"]).exits(0);
}
