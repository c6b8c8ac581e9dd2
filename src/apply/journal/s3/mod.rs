//! wip
mod bucket;
mod door;
mod layout;
mod settings;
mod trouble;
