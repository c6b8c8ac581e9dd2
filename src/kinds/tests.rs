//! What holds for the tables of all kinds together.

use std::fs;
use std::path::Path;

use super::ALL;
use crate::declare::{self, Inputs, KindSchema, VariableSources, locate};

/// Files that people wrote, and the corpus: blocks that are read without the parser are what the parser makes of them.
#[test]
fn plain_blocks_make_no_difference_in_any_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(root.join("tests/fuzz/corpus/hcl")).unwrap().map(|entry| entry.unwrap().path()).collect();
    for example in fs::read_dir(root.join("examples")).unwrap().map(|entry| entry.unwrap().path().join("environments")) {
        files.extend(fs::read_dir(example).into_iter().flatten().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()));
    }
    assert!(files.len() >= 4, "{files:?}");
    let schemas: Vec<&dyn KindSchema> = ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("environments")).unwrap();
    for path in files {
        fs::write(folder.path().join("environments/staging.hcl"), fs::read(&path).unwrap()).unwrap();
        let location = locate(folder.path(), "staging").unwrap();
        let env = |_: &str| None;
        let inputs = Inputs { kinds: &schemas, variables: VariableSources::default(), env: &env, now: "2026-11-21T12:00:00Z".parse().unwrap() };
        let (cut, whole) = (declare::read(&location, &inputs).unwrap(), declare::read_by_the_parser(&location, &inputs).unwrap());
        assert_eq!(format!("{cut:#?}"), format!("{whole:#?}"), "{}", path.display());
    }
}
