//! MySQL's functions, as far as DataFusion has none of that name or means another thing by it.
//!
//! - [`time`]: instants, calendar arithmetic, `DATE_FORMAT` with MySQL's letters.
//! - [`text`]: strings, and numbers made readable.
//! - [`json`]: values inside JSON that is kept as text.
//!
//! Each function is a [`Function`]: what it takes, what it returns, and a pure evaluation over columns. What MySQL
//! answers with NULL and a warning is NULL here. What needs no function of its own is rewritten by `sql::rewrite`.

mod calendar;
mod function;
mod json;
mod text;
mod time;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use json::{EXTRACT as JSON_EXTRACT, UNQUOTE as JSON_UNQUOTE};
pub use time::{TIME_ADD, TIME_PART};

/// All of them, to be registered over DataFusion's own.
pub fn all() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let functions = time::FUNCTIONS.iter().chain(text::FUNCTIONS).chain(json::FUNCTIONS);
    let clocks = [ScalarUDF::from(time::Now::instant()), ScalarUDF::from(time::Now::day())];
    functions.map(|definition| ScalarUDF::from(function::Function::new(definition))).chain(clocks).map(Arc::new)
}
