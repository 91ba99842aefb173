//! What is wrong with a statement that does not plan, in the words of who typed it.
//!
//! DataFusion speaks of its own types, signatures and fields. What it finds most often is said again here with the
//! column, the call and the nearest name; the rest goes through as it is.

use std::ops::ControlFlow;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use sqlparser::ast::{Expr, Statement as Ast, Visit, Visitor};
use sqlparser::tokenizer::Location;

use crate::sql::mysql::calls;
use crate::sql::wording::RENAMED;
use crate::sql::{Error, suggest};

/// The error of a statement that was refused while it was planned.
pub fn explain(error: DataFusionError, statement: &Ast, session: &SessionState) -> Error {
    if let DataFusionError::SchemaError(schema, _) = error.find_root() {
        match schema.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => {
                return no_column(field, valid_fields, &place_of(statement, &field.name));
            }
            SchemaError::AmbiguousReference { field } => {
                let (name, place) = (&field.name, place_of(statement, &field.name));
                let what = format!("the column {name}{place} is in more than one of the tables; write table.{name}");
                return Error::Invalid(what);
            }
            _ => {}
        }
    }
    let message = error.strip_backtrace().replace(RENAMED, "");
    if let Some(name) = between(&message, "Invalid function '", "'") {
        return no_function(name, session, &place_of(statement, name));
    }
    if let Some(signature) = between(&message, "No function matches the given name and argument types '", "'") {
        return wrong_arguments(signature, &message, statement);
    }
    if let Some(column) = between(&message, "column \"", "\" must appear in the GROUP BY clause") {
        return Error::Invalid(format!(
            "the column {column} is neither in GROUP BY nor in an aggregate; group by it, or select ANY_VALUE({column})"
        ));
    }
    error.into()
}

/// ` at line 1, column 8`: where a column or a function is first named; nothing if the statement does not name it so.
fn place_of(statement: &Ast, name: &str) -> String {
    struct Names<'a>(&'a str);

    impl Visitor for Names<'_> {
        type Break = Location;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<Location> {
            let named = match expr {
                Expr::Identifier(name) => Some(name),
                Expr::CompoundIdentifier(parts) => parts.last(),
                Expr::Function(function) => function.name.0.last().and_then(|part| part.as_ident()),
                _ => None,
            };
            match named {
                Some(ident) if ident.value.eq_ignore_ascii_case(self.0) && ident.span.start.line > 0 => {
                    ControlFlow::Break(ident.span.start)
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    let place = statement.visit(&mut Names(name)).break_value();
    place.map_or_else(String::new, |at| format!(" at line {}, column {}", at.line, at.column))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let start = text.find(before)? + before.len();
    Some(&text[start..start + text[start..].find(after)?])
}

fn no_column(field: &Column, valid: &[Column], place: &str) -> Error {
    const LISTED_MAX: usize = 16;
    let near = suggest::nearest(&field.name, valid.iter().map(|column| column.name.as_str()));
    let remedy = match near {
        Some(near) => format!("did you mean {near}?"),
        None => {
            let mut names: Vec<&str> = Vec::new();
            for column in valid {
                if !names.contains(&column.name.as_str()) && names.len() < LISTED_MAX {
                    names.push(&column.name);
                }
            }
            match (names.is_empty(), valid.len() > LISTED_MAX) {
                (true, _) => "there are no columns to choose from here".to_owned(),
                (false, true) => format!("there are {}, …", names.join(", ")),
                (false, false) => format!("there are {}", names.join(", ")),
            }
        }
    };
    Error::Invalid(format!("there is no column {}{place}; {remedy}", field.flat_name().replace(RENAMED, "")))
}

fn no_function(name: &str, session: &SessionState, place: &str) -> Error {
    let name = name.to_lowercase();
    if let Some(usage) = calls::usage(&name) {
        return Error::Invalid(format!("{name} does not take these arguments; write {usage}"));
    }
    let scalar = session.scalar_functions().keys();
    let own = scalar.chain(session.aggregate_functions().keys()).chain(session.window_functions().keys());
    let mut known: Vec<&str> = own.map(String::as_str).filter(|name| !calls::is_inner(name)).collect();
    calls::names().for_each(|name| known.push(name));
    let near = suggest::nearest(&name, known);
    suggest::unknown("function", &format!("{name}{place}"), near, "docs/SQL.md")
}

/// `sum(Utf8)` and the like.
fn wrong_arguments(signature: &str, message: &str, statement: &Ast) -> Error {
    // Our own functions say it well.
    if let Some(own) = between(message, "user-defined coercion failed with: Error during planning: ", ". No function") {
        return Error::Invalid(own.to_owned());
    }
    let (name, types) = signature.split_once('(').unwrap_or((signature, ""));
    let types = types.trim_end_matches(')');
    let types: Vec<&str> = types.split(", ").filter(|name| !name.is_empty()).map(sql_type).collect();
    let call = first_call(statement, name).unwrap_or_else(|| format!("{name}({})", types.join(", ")));
    let given = match types.len() {
        0 => "no arguments".to_owned(),
        _ => types.join(", "),
    };
    Error::Invalid(format!("{call} does not fit: {name} does not take {given}; CAST the arguments, or change how many"))
}

fn sql_type(arrow: &str) -> &str {
    match arrow {
        "Utf8" | "LargeUtf8" | "Utf8View" => "TEXT",
        "Int64" => "BIGINT",
        "UInt64" => "BIGINT UNSIGNED",
        "Float64" => "DOUBLE",
        "Boolean" => "BOOLEAN",
        "Binary" => "BLOB",
        timestamp if timestamp.starts_with("Timestamp") => "TIMESTAMP",
        other => other,
    }
}

/// The first call of a function, as it is in the statement.
fn first_call(statement: &Ast, name: &str) -> Option<String> {
    struct Calls<'a>(&'a str);

    impl Visitor for Calls<'_> {
        type Break = String;

        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<String> {
            match expr {
                Expr::Function(function) if function.name.to_string().eq_ignore_ascii_case(self.0) => {
                    ControlFlow::Break(function.to_string())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }

    statement.visit(&mut Calls(name)).break_value()
}
