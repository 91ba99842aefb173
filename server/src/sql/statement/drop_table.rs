//! `DROP TABLE [IF EXISTS] cluster_t`.

use sqlparser::ast::ObjectNamePart;
use unum_proto::model::{CLUSTER_PREFIX, TableName};

use crate::catalog::change::CatalogChange;
use crate::sql::Error;
use crate::sql::syntax::cursor::Cursor;
use crate::sql::syntax::names::{DEFAULT_SCHEMA, cluster_table, last_part, schema_of};
use crate::sql::variables::Context;

/// What it asks for, from behind its head.
pub(super) fn parse(statement: &mut Cursor<'_>, context: &Context<'_>) -> Result<CatalogChange, Error> {
    let if_exists = statement.take("IF");
    if if_exists && !statement.take("EXISTS") {
        return statement.expected("EXISTS");
    }
    Ok(CatalogChange::DropTable { table: pushed_table(statement, context, "dropped")?, if_exists })
}

/// The next name, as that of a table that nodes push; `what` cannot be done with any other.
pub(super) fn pushed_table(statement: &mut Cursor<'_>, context: &Context<'_>, what: &str) -> Result<TableName, Error> {
    let name = statement.name()?;
    let quotes_text =
        |part: &ObjectNamePart| part.as_ident().is_none_or(|name| matches!(name.quote_style, Some('\'' | '"')));
    if name.0.len() > 2 || name.0.iter().any(quotes_text) {
        return Err(Error::Invalid(format!(
            "{name} is not the name of a table; write it as {CLUSTER_PREFIX}t or {DEFAULT_SCHEMA}.{CLUSTER_PREFIX}t"
        )));
    }
    let (schema, table) = (schema_of(&name, context.session()), last_part(&name)?);
    // `t` is a part of `cluster_t`, and whatever else there is the server makes itself.
    let pushed = cluster_table(&table).filter(|_| schema == DEFAULT_SCHEMA).ok_or_else(|| {
        Error::Invalid(format!(
            "{schema}.{table} cannot be {what}; only what nodes have pushed can, as {DEFAULT_SCHEMA}.{CLUSTER_PREFIX}t"
        ))
    })?;
    TableName::of_record(pushed).map_err(|invalid| Error::Invalid(invalid.to_string()))
}
