//! USE and SET: the session as they leave it.

use sqlparser::ast::{Expr, Set, UnaryOperator, Use, Value};
use unum_proto::model::SqlSession;

use crate::sql::Error;
use crate::sql::syntax::names::{known_schema, last_part, variable_name};
use crate::sql::variables::{self, Context, Setting};

/// The session after USE.
pub fn use_schema(target: &Use, context: &Context<'_>) -> Result<SqlSession, Error> {
    let name = match target {
        Use::Object(name) | Use::Database(name) | Use::Schema(name) => last_part(name)?,
        other => return Err(Error::Invalid(format!("{other} is refused; write USE and a schema"))),
    };
    Ok(SqlSession { schema: known_schema(name)?, ..context.session().clone() })
}

/// The session after SET.
pub fn set_variables(set: Set, context: &Context<'_>) -> Result<SqlSession, Error> {
    let mut session = context.session().clone();
    let mut assign = |name: &str, value: &Expr| -> Result<(), Error> {
        let value = setting(value, context)?;
        variables::check(name, &value.clone().into_plain())?;
        session.variables.insert(name.to_owned(), value.into_kept(name));
        Ok(())
    };
    match set {
        Set::SingleAssignment { variable, values, scope, .. } => {
            refuse_global(scope.map(|scope| scope.to_string()).unwrap_or_default().trim())?;
            let [value] = values.as_slice() else {
                return Err(Error::Invalid(format!("SET {variable} takes one value")));
            };
            assign(&variable_name(&variable.to_string())?, value)?;
        }
        Set::MultipleAssignments { assignments } => {
            for assignment in assignments {
                refuse_global(&assignment.scope.map(|scope| scope.to_string()).unwrap_or_default())?;
                assign(&variable_name(&assignment.name.to_string())?, &assignment.value)?;
            }
        }
        // Clients send it when they connect; all text is UTF-8.
        Set::SetNames { .. } | Set::SetNamesDefault {} => {}
        other => {
            return Err(Error::Invalid(format!("{other} is refused; SHOW VARIABLES lists what a session can SET")));
        }
    }
    // What is too much for the next request is refused by this one.
    SqlSession::new(session.schema, session.variables, session.warnings).map_err(|e| Error::Invalid(e.to_string()))
}

fn refuse_global(scope: &str) -> Result<(), Error> {
    match scope.to_ascii_uppercase().as_str() {
        "" | "SESSION" | "LOCAL" => Ok(()),
        other => Err(Error::Invalid(format!("SET {other} is refused; a session sets its own variables"))),
    }
}

/// What SET takes: a literal, a bare word, or another variable.
fn setting(value: &Expr, context: &Context<'_>) -> Result<Setting, Error> {
    let refused = || Err(Error::Invalid(format!("SET takes a literal, not {value}")));
    match value {
        Expr::Nested(value) => setting(value, context),
        Expr::Value(value) => Ok(match &value.value {
            Value::Number(number, _) => Setting::Number(number.clone()),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Setting::Text(text.clone()),
            Value::Boolean(truth) => Setting::Number(u8::from(*truth).to_string()),
            Value::Null => Setting::Null,
            _ => return refused(),
        }),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match setting(expr, context)? {
            Setting::Number(number) => Ok(Setting::Number(format!("-{number}"))),
            Setting::Null | Setting::Text(_) => refused(),
        },
        Expr::Identifier(word) if word.value.starts_with('@') => variables::get(&variable_name(&word.value)?, context),
        // SET autocommit = ON
        Expr::Identifier(word) => Ok(Setting::Text(word.value.clone())),
        _ => refused(),
    }
}
