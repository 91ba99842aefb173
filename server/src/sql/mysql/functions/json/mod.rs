//! Functions of JSON, by what they do: make it, read it, search it, change it.
//!
//! A document is read from its text for each call and shown as MySQL shows it ([`value`]). Paths are in [`path`]. Text
//! that should be a document and is none is an error, as in MySQL.

mod args;
mod change;
pub mod make;
mod merge;
mod parse;
pub mod path;
mod read;
mod search;
pub mod value;

use crate::sql::mysql::functions::definition::Definition;

pub use read::json_scalar;

/// The functions of all files here.
pub static FUNCTIONS: &[&[Definition]] =
    &[change::FUNCTIONS, make::FUNCTIONS, merge::FUNCTIONS, read::FUNCTIONS, search::FUNCTIONS];
