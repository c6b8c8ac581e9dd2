//! Files that people write: environments, variables, data and SQL beside them.

use std::cell::RefCell;

use switchover::declare::{VariableSources, format};

use crate::fuzz::oracle;
use crate::fuzz::planning::{Room, judge};

thread_local! {
    static ROOM: RefCell<Room> = RefCell::new(furnished());
}

/// With the file that the example of a refresh reads.
fn furnished() -> Room {
    let room = Room::new();
    std::fs::create_dir_all(room.path("sql")).unwrap();
    room.write("sql/anonymise.sql", include_bytes!("../../../../examples/openverse/sql/anonymise.sql"));
    room
}

/// An environment file, all the way to a plan, and in its canonical form.
pub fn hcl(bytes: &[u8]) {
    if let Ok(Ok(once)) = std::str::from_utf8(bytes).map(format::canonical) {
        let twice = format::canonical(&once).ok();
        assert_eq!(twice, Some(once), "formatting again changes something");
    }
    ROOM.with_borrow(|room| match room.read(bytes, VariableSources::default()) {
        Ok(reading) => judge(&reading),
        Err(error) => oracle::error(&error),
    });
}

/// An environment that takes variables of every type.
const TYPED: &str = r#"
environment "x" {}
variable "text" { default = "a" }
variable "string" {
  type    = string
  default = "a"
}
variable "number" {
  type    = number
  default = 1
}
variable "flag" {
  type    = bool
  default = true
}
variable "list" {
  type    = list(string)
  default = []
}
variable "numbers" {
  type    = map(number)
  default = {}
}
variable "object" {
  type    = object({ a = string, b = optional(number) })
  default = { a = "x" }
}
variable "word" {
  type      = string
  sensitive = true
  default   = "xyzzy"
}
locals {
  all = [var.text, var.string, var.number, var.flag, var.list, var.numbers, var.object]
}
"#;

/// A variables file: JSON when it begins like an object, HCL otherwise; and the same text as a value on the command line.
pub fn variables(bytes: &[u8]) {
    ROOM.with_borrow(|room| {
        let is_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let file = room.write(if is_json { "v.json" } else { "v.vars" }, bytes);
        let text = String::from_utf8_lossy(bytes).into_owned();
        let flags = ["list", "numbers", "object", "number"].map(|name| (name.to_owned(), text.clone()));
        let given = [VariableSources { flags: Vec::new(), files: vec![file] }, VariableSources { flags: flags.to_vec(), files: Vec::new() }];
        for sources in given {
            match room.read(TYPED.as_bytes(), sources) {
                Ok(reading) => judge(&reading),
                Err(error) => oracle::error(&error),
            }
        }
    });
}

/// Data files and templates that an environment reads.
const READER: &str = r#"
environment "x" { description = format("%v", [for value in [local.json, local.yaml, local.lines] : try(length(value), 0)]) }
locals {
  json     = try(jsondecode(file("data")), null)
  yaml     = try(yamldecode(file("data")), null)
  lines    = try(split("\n", file("data")), [])
  template = templatefile("data", { a = "1", list = ["x", "y"] })
}
"#;

/// JSON, YAML and templates.
pub fn data(bytes: &[u8]) {
    ROOM.with_borrow(|room| {
        room.write("environments/data", bytes);
        judge(&room.read(READER.as_bytes(), VariableSources::default()).expect("the environment's own file is there"));
    });
}

/// A scrub whose SQL stands in a file.
pub fn sql(bytes: &[u8]) {
    let example = include_str!("../../../../examples/openverse/environments/staging.hcl");
    ROOM.with_borrow(|room| {
        room.write("sql/anonymise.sql", bytes);
        judge(&room.read(example.as_bytes(), VariableSources::default()).expect("the environment's own file is there"));
    });
}
