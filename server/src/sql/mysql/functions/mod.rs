//! MySQL's scalar functions, one row at a time.
//!
//! [`definition`] is the shape of a function, [`all`] the one list of them. Each other file has those of a topic; the ones
//! that own no function are what several topics share: [`calendar`], [`interval`], [`time_format`], `letters`, `returns`.
//! Operators, aggregates, conditions, and what needs a clock or a session are the planner's.

pub mod all;
pub mod bits;
pub mod calendar;
#[cfg(test)]
mod checks;
pub mod definition;
pub mod hash;
pub mod interval;
pub mod json;
mod letters;
pub mod misc;
pub mod net;
pub mod number;
pub mod number_format;
pub mod readable;
mod returns;
pub mod text;
pub mod text_codes;
pub mod text_search;
pub mod time;
pub mod time_arithmetic;
pub mod time_format;
pub mod zone;
