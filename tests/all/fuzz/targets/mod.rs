//! The targets: one function a format, and the test that drives it.

mod answers;
#[cfg(feature = "aws")]
mod aws;
mod files;
mod records;
mod texts;

use super::drive;

macro_rules! targets {
    ($($(#[$only:meta])? $name:ident: $run:path,)*) => {
        $(
            $(#[$only])?
            #[test]
            fn $name() {
                drive(stringify!($name), $run);
            }
        )*

        /// The names of all targets.
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

targets! {
    #[cfg(feature = "aws")]
    aws: aws::answers,
    cli: texts::cli,
    cloudflare: answers::cloudflare,
    data: files::data,
    dns: answers::dns,
    hcl: files::hcl,
    journal: records::journal,
    plan: records::plan,
    settings: texts::settings,
    sql: files::sql,
    variables: files::variables,
    world: records::world,
}

#[test]
fn every_corpus_has_a_target_and_the_script_runs_them_all() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<String> =
        std::fs::read_dir(root.join("tests/fuzz/corpus")).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    folders.sort();
    assert_eq!(folders, NAMES);
    let script = std::fs::read_to_string(root.join("scripts/fuzz")).unwrap();
    assert!(script.contains(&format!("all=\"{}\"", NAMES.join(" "))), "scripts/fuzz lists the targets");
    for (target, paths) in super::corpus::IN_PLACE {
        assert!(script.contains(&format!("{target}) echo {} ;;", paths.join(" "))), "scripts/fuzz names what {target} begins with elsewhere");
    }
}
