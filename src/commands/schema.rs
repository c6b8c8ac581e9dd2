//! `schema`: the language, described from the tables that the parser reads by.

use super::Session;
use crate::cli::SchemaFormat;
use crate::declare::{KindSchema, describe};
use crate::kinds;
use crate::model::Exit;

pub fn run(session: &Session, format: SchemaFormat) -> Exit {
    let schemas: Vec<&dyn KindSchema> = kinds::ALL.iter().map(|kind| *kind as &dyn KindSchema).collect();
    session.say(&match format {
        SchemaFormat::Json => format!("{:#}", describe::json(&schemas)),
        SchemaFormat::Markdown => describe::markdown(&schemas),
    });
    Exit::Done
}
