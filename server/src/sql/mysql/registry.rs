//! The functions that a statement may call.

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::collected;
use super::functions::all;
use super::operator::Operator;
use super::planned::{Callee, Planned};
use super::sleep;

/// All of ours, to be registered over DataFusion's own.
pub fn functions() -> impl Iterator<Item = Arc<ScalarUDF>> {
    let operators = Operator::ALL.into_iter().map(Callee::Operator);
    let functions = all::all().map(Callee::Function);
    let planned = operators.chain(functions).map(|callee| Arc::new(ScalarUDF::from(Planned::new(callee))));
    planned.chain([sleep::function()])
}

/// Aggregates of ours.
pub fn aggregates() -> impl Iterator<Item = Arc<AggregateUDF>> {
    collected::functions()
}

/// DataFusion's functions that a statement may not call.
pub fn is_refused(name: &str) -> bool {
    name.starts_with("array_") || name.starts_with("string_to_array") || REFUSED.contains(&name)
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
