//! `fmt`: files in their canonical form, written only when they change, and never what does not parse.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::bench::Bench;

const RAGGED: &str = "environment \"staging\" {\n// why\n      description=\"x\"\n   protect   = [ \"prod\" ]   # keep\n}\n\n\n\nprovider \"cloudflare\" {\napi_token = \"hunter2-token\"\n}\n";
const NEAT: &str = "environment \"staging\" {\n  # why\n  description = \"x\"\n  protect     = [\"prod\"] # keep\n}\n\nprovider \"cloudflare\" {\n  api_token = \"hunter2-token\"\n}\n";

#[test]
fn a_ragged_file_is_named_checked_shown_and_formatted() {
    let bench = Bench::new("staging", RAGGED, "");
    let path = bench.path("environments/staging.hcl");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(bench.run(&["fmt", "--check"]).exits(3).out, "environments/staging.hcl\n");
    let diff = bench.run(&["fmt", "--check", "--diff"]).exits(3).out;
    assert!(
        diff.contains("--- a/environments/staging.hcl") && diff.contains("+  description = \"x\"") && diff.contains("-      description=\"x\""),
        "{diff}"
    );
    assert!(!diff.contains("hunter2"), "a secret is shown: {diff}");
    assert_eq!(bench.read("environments/staging.hcl"), RAGGED, "--check changes nothing");
    assert_eq!(bench.run(&["fmt"]).exits(0).out, "environments/staging.hcl\n");
    assert_eq!(bench.read("environments/staging.hcl"), NEAT);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640, "its rights stay");
    assert_eq!(bench.run(&["fmt", "--check"]).exits(0).out, "");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn only_what_is_named_is_formatted_and_links_stay_links() {
    let bench = Bench::new("staging", NEAT, "");
    bench.write("shared/real.hcl", "a=1\n");
    bench.write("environments/folder/main.hcl", "b=1\n");
    std::os::unix::fs::symlink("../shared/real.hcl", bench.path("environments/link.hcl")).unwrap();
    assert_eq!(bench.run(&["fmt", "environments/folder"]).exits(0).out, "environments/folder/main.hcl\n");
    assert_eq!(bench.read("shared/real.hcl"), "a=1\n");
    bench.run(&["fmt", "environments/link.hcl"]).exits(0);
    assert_eq!(bench.read("shared/real.hcl"), "a = 1\n");
    assert!(bench.path("environments/link.hcl").is_symlink());
    bench.run(&["fmt", "nothing/here"]).exits(1).says("cannot read").says("help:");
}

#[test]
fn a_file_that_does_not_parse_is_left_alone_and_the_others_are_not() {
    let bench = Bench::new("staging", "a=1\n", "");
    bench.write("environments/broken.hcl", "a {\n  password = \"hunter2\n");
    bench.run(&["fmt"]).exits(1).says("broken.hcl").says("help:").never_says("hunter2");
    assert_eq!(bench.read("environments/broken.hcl"), "a {\n  password = \"hunter2\n");
    assert_eq!(bench.read("environments/staging.hcl"), "a = 1\n");
}

#[test]
fn what_this_repository_shows_is_formatted() {
    let bench = Bench::new("staging", NEAT, "");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["environments", "examples"] {
        bench.run(&["fmt", "--check", "--diff", root.join(folder).to_str().unwrap()]).exits(0);
    }
}
