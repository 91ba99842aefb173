//! `ALTER TABLE cluster_t DROP COLUMN c` and `ALTER TABLE cluster_t MODIFY c type`.

use unum_proto::model::{ColumnName, DataType};

use super::drop_table::pushed_table;
use crate::catalog::change::CatalogChange;
use crate::sql::Error;
use crate::sql::syntax::cursor::Cursor;
use crate::sql::syntax::names::last_part;
use crate::sql::variables::Context;

/// What it asks for, from behind its head.
pub(super) fn parse(statement: &mut Cursor<'_>, context: &Context<'_>) -> Result<CatalogChange, Error> {
    let table = pushed_table(statement, context, "altered")?;
    if statement.take("DROP") {
        statement.take("COLUMN");
        let if_exists = statement.take("IF");
        if if_exists && !statement.take("EXISTS") {
            return statement.expected("EXISTS");
        }
        return Ok(CatalogChange::DropColumn { table, column: column(statement)?, if_exists });
    }
    if statement.take("MODIFY") {
        statement.take("COLUMN");
        let column = column(statement)?;
        return Ok(CatalogChange::SetType { table, column, data_type: data_type(statement)? });
    }
    statement.expected("DROP COLUMN c, or MODIFY c type")
}

fn column(statement: &mut Cursor<'_>) -> Result<ColumnName, Error> {
    let name = last_part(&statement.name()?)?;
    name.to_lowercase().parse().map_err(|invalid: unum_proto::model::Invalid| Error::Invalid(invalid.to_string()))
}

fn data_type(statement: &mut Cursor<'_>) -> Result<DataType, Error> {
    const TYPES: [(&str, DataType); 7] = [
        ("BOOLEAN", DataType::Bool),
        ("BOOL", DataType::Bool),
        ("BIGINT", DataType::Int64),
        ("DOUBLE", DataType::Float64),
        ("TEXT", DataType::Text),
        ("BLOB", DataType::Bytes),
        ("TIMESTAMP", DataType::Timestamp),
    ];
    let Some((_, of)) = TYPES.into_iter().find(|(word, _)| statement.take(word)) else {
        return statement.expected("a type: BOOLEAN, BIGINT, BIGINT UNSIGNED, DOUBLE, TEXT, BLOB or TIMESTAMP");
    };
    let is_unsigned = of == DataType::Int64 && statement.take("UNSIGNED");
    Ok(if is_unsigned { DataType::UInt64 } else { of })
}
