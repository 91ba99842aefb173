//! What conditions are in JSON documents.

use datafusion::common::{DFSchema, ExprSchema, Result, ScalarValue};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::expr::Case;

use super::convert::literal_value;
use super::types::{literal, type_of};
use crate::sql::mysql::types::Type;

/// In the metadata of a BOOLEAN column of a table.
pub const BOOLEAN_COLUMN: &str = "unum.boolean";

/// Whether a function puts its arguments into a JSON document.
pub fn holds_json(name: &str) -> bool {
    const HOLDING: [&str; 9] = [
        "json_array",
        "json_arrayagg",
        "json_array_append",
        "json_array_insert",
        "json_insert",
        "json_object",
        "json_objectagg",
        "json_replace",
        "json_set",
    ];
    HOLDING.contains(&name)
}

/// Whether the argument at a position of such a function is a value, and no document that is changed and no key.
pub fn is_value(name: &str, at: usize) -> bool {
    match name {
        "json_array" => true,
        "json_object" => at % 2 == 1,
        _ => at > 0,
    }
}

/// In JSON a condition is `true` or `false`; a column of a table that is BOOLEAN is a number, as in MySQL.
pub fn json_condition(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let is_column = match &expr {
        Expr::Column(column) => {
            schema.field_from_column(column).is_ok_and(|field| field.metadata().contains_key(BOOLEAN_COLUMN))
        }
        _ => false,
    };
    if is_column || type_of(&expr, schema)? != Type::Bool {
        return Ok(expr);
    }
    let json = |text: &str| literal(ScalarValue::LargeUtf8(Some(text.to_owned())));
    if let Some(value) = literal_value(&expr)? {
        return Ok(value
            .to_bool()
            .map_or(literal(ScalarValue::LargeUtf8(None)), |value| json(if value { "true" } else { "false" })));
    }
    let otherwise = Expr::Not(Box::new(expr.clone()));
    let branches = vec![(Box::new(expr), Box::new(json("true"))), (Box::new(otherwise), Box::new(json("false")))];
    Ok(Expr::Case(Case::new(None, branches, None)))
}
