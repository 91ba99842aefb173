//! The one list of all scalar functions.

use crate::sql::mysql::functions::definition::Definition;
use crate::sql::mysql::functions::{
    bits, hash, json, misc, net, number, number_format, readable, text, text_codes, text_search, time, time_arithmetic,
    zone,
};

/// The functions of each topic.
pub static TOPICS: &[&[Definition]] = &[
    bits::FUNCTIONS,
    hash::FUNCTIONS,
    misc::FUNCTIONS,
    net::FUNCTIONS,
    number::FUNCTIONS,
    number_format::FUNCTIONS,
    readable::FUNCTIONS,
    text::FUNCTIONS,
    text_codes::FUNCTIONS,
    text_search::FUNCTIONS,
    time::FUNCTIONS,
    time_arithmetic::FUNCTIONS,
    zone::FUNCTIONS,
];

/// All functions.
pub fn all() -> impl Iterator<Item = &'static Definition> {
    TOPICS.iter().chain(json::FUNCTIONS).copied().flatten()
}

/// Whether all arguments of a function are numbers.
pub fn takes_numbers(name: &str) -> bool {
    number::FUNCTIONS.iter().chain(number_format::FUNCTIONS).any(|definition| definition.name == name)
}

/// The function of that name, which is in lower case.
pub fn find(name: &str) -> Option<&'static Definition> {
    all().find(|definition| definition.name == name)
}
