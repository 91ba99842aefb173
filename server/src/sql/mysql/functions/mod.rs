//! MySQL's functions, as far as DataFusion has none of that name or means another thing by it.
//!
//! - [`time`]: instants, calendar arithmetic, `DATE_FORMAT` with MySQL's letters.
//! - [`text`]: strings, and numbers made readable.
//! - [`bounded_text`]: those whose result can be far larger than what they take, within a bound.
//! - [`polymorphic`]: those whose result has the type of what they take.
//! - [`json`]: values inside JSON that is kept as text.
//!
//! Each function is a [`Function`]: what it takes, what it returns, and a pure evaluation over columns. What MySQL
//! answers with NULL and a warning is NULL here. What needs no function of its own is rewritten by [`super::rewrite`].

mod bounded_text;
mod calendar;
mod function;
mod json;
mod polymorphic;
mod text;
mod time;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use json::{EXTRACT as JSON_EXTRACT, UNQUOTE as JSON_UNQUOTE};
pub use polymorphic::{INT_DIV, IS_TRUE, TO_SIGNED, TO_UNSIGNED};
pub use time::{TIME_ADD, TIME_PART};

/// All of them, to be registered over DataFusion's own.
pub fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let functions = [time::FUNCTIONS, text::FUNCTIONS, bounded_text::FUNCTIONS, json::FUNCTIONS].into_iter().flatten();
    let clocks = [ScalarUDF::from(time::Now::instant()), ScalarUDF::from(time::Now::day())];
    let functions = functions.map(|definition| ScalarUDF::from(function::Function::new(definition)));
    functions.chain(clocks).chain(polymorphic::all().map(ScalarUDF::from)).map(Arc::new)
}

/// DataFusion's functions that a statement may not call. One of lists is kept, for `REGEXP_SUBSTR`.
pub fn is_refused(name: &str) -> bool {
    const KEPT: &str = "array_element";
    name != KEPT && (name.starts_with("array_") || name.starts_with("string_to_array") || REFUSED.contains(&name))
}

/// Lists, which MySQL has not: one can be made as long as anybody likes, and nothing counts it. And what takes the square
/// of the length of its arguments.
const REFUSED: [&str; 13] = [
    "range",
    "gen_series",
    "make_array",
    "map",
    "map_keys",
    "map_values",
    "map_entries",
    "flatten",
    "cardinality",
    "empty",
    "levenshtein",
    "overlay",
    "translate",
];
