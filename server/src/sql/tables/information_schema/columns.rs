//! `information_schema.columns`: every column of every table, in MySQL's shape.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType as ArrowType, Field};
use unum_proto::model::limits::ROW_BYTES_MAX;
use unum_proto::model::{DataType, Row, Value};

use crate::catalog::columnar;
use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA};
use crate::sql::tables::view::{Listed, Reads, SystemTable, View, shown, type_name};

/// Every column of every table.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "columns",
    comment: "every column of every table",
    columns: &[
        ("TABLE_CATALOG", DataType::Text, "always def"),
        ("TABLE_SCHEMA", DataType::Text, "the table's schema"),
        ("TABLE_NAME", DataType::Text, "the table"),
        ("COLUMN_NAME", DataType::Text, "the column"),
        ("ORDINAL_POSITION", DataType::UInt64, "its place in the table, from 1"),
        ("COLUMN_DEFAULT", DataType::Text, "always NULL"),
        ("IS_NULLABLE", DataType::Text, "always YES: a node that lacks the column has NULL there"),
        ("DATA_TYPE", DataType::Text, "its type in lower case, without UNSIGNED"),
        ("CHARACTER_MAXIMUM_LENGTH", DataType::UInt64, "bytes of a text: those of a row"),
        ("CHARACTER_OCTET_LENGTH", DataType::UInt64, "the same"),
        ("NUMERIC_PRECISION", DataType::UInt64, "digits of a number"),
        ("NUMERIC_SCALE", DataType::UInt64, "digits behind the point of a whole number: 0"),
        ("DATETIME_PRECISION", DataType::UInt64, "digits of a second"),
        ("CHARACTER_SET_NAME", DataType::Text, "of a text: utf8mb4"),
        ("COLLATION_NAME", DataType::Text, "of a text: utf8mb4_bin"),
        ("COLUMN_TYPE", DataType::Text, "its type"),
        ("COLUMN_KEY", DataType::Text, "always empty"),
        ("EXTRA", DataType::Text, "always empty"),
        ("PRIVILEGES", DataType::Text, "always select"),
        ("COLUMN_COMMENT", DataType::Text, "what it means"),
        ("GENERATION_EXPRESSION", DataType::Text, "always empty"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let columns = view.list().into_iter().flat_map(|table| {
        let fields = table.arrow_schema();
        let row = |(position, field): (usize, &Arc<Field>)| row(&table, position, field);
        fields.fields().iter().enumerate().map(row).collect::<Vec<_>>()
    });
    columns.collect()
}

fn row(table: &Listed<'_>, position: usize, field: &Field) -> Row {
    let sql_type = type_name(field.data_type());
    let text = |value: &str| (field.data_type() == &ArrowType::Utf8).then(|| value.to_owned());
    let length = text("").map(|_| ROW_BYTES_MAX as u64);
    let precision: Option<u64> = match field.data_type() {
        ArrowType::Int64 => Some(19),
        ArrowType::UInt64 => Some(20),
        ArrowType::Float64 => Some(22),
        _ => None,
    };
    let whole = field.data_type().is_integer();
    let base_type = sql_type.to_lowercase();
    vec![
        CATALOG.into(),
        table.schema.into(),
        table.name.as_str().into(),
        shown(field).into(),
        (position as u64 + 1).into(),
        Value::Null,
        "YES".into(),
        base_type.trim_end_matches(" unsigned").into(),
        length.into(),
        length.into(),
        precision.into(),
        whole.then_some(0u64).into(),
        field.data_type().is_temporal().then_some(6u64).into(),
        text("utf8mb4").into(),
        text("utf8mb4_bin").into(),
        sql_type.to_lowercase().into(),
        "".into(),
        "".into(),
        "select".into(),
        field.metadata().get(columnar::COMMENT).map_or("", String::as_str).into(),
        "".into(),
    ]
}
