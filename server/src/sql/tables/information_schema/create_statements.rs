//! `information_schema.create_statements`: each table as a CREATE TABLE, as SHOW CREATE TABLE shows it.

use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use unum_proto::model::{DataType, Row};

use crate::catalog::columnar;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Listed, Reads, SystemTable, View, shown, type_name};

/// Each table as a statement that would make it.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "create_statements",
    comment: "each table as a statement that would make it",
    columns: &[
        ("TABLE_SCHEMA", DataType::Text, "its schema"),
        ("TABLE_NAME", DataType::Text, "its name"),
        ("CREATE_STATEMENT", DataType::Text, "the statement"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let row = |table: Listed<'_>| vec![table.schema.into(), table.name.as_str().into(), statement(&table).into()];
    view.list().into_iter().map(row).collect()
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
