//! `information_schema.create_statements`: each table as a CREATE TABLE, as SHOW CREATE TABLE shows it.

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::catalog::columnar;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Listed, Reads, SystemTable, View, shown, type_name};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(table: &Listed<'_>) {}
    "TABLE_SCHEMA": Text, "its schema" => table.schema;
    "TABLE_NAME": Text, "its name" => &table.name;
    "CREATE_STATEMENT": Text, "the statement" => statement(table);
}

/// Each table as a statement that would make it.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "create_statements",
    comment: "each table as a statement that would make it",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.list().iter().map(row).collect()
}

fn statement(table: &Listed<'_>) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let fields = table.arrow_schema();
    let column = |field: &Arc<Field>| {
        let comment = field.metadata().get(columnar::COMMENT).filter(|comment| !comment.is_empty());
        let comment = comment.map_or_else(String::new, |comment| format!(" COMMENT {}", quoted(comment)));
        format!("  `{}` {}{comment}", shown(field), type_name(field.data_type()).to_lowercase())
    };
    let columns: Vec<String> = fields.fields().iter().map(column).collect();
    format!("CREATE TABLE `{}` (\n{}\n) COMMENT={}", table.name, columns.join(",\n"), quoted(&table.comment))
}
