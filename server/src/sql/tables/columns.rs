//! `information_schema.columns`: every column of every table.

use datafusion::arrow::datatypes::{DataType as ArrowType, Field};
use unum_proto::model::{DataType, Row};

use super::{CATALOG, INFORMATION_SCHEMA, SystemTable, View};
use crate::catalog::columnar;

/// One row a column, by table and position.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "columns",
    comment: "every column of every table",
    columns: &[
        ("table_catalog", DataType::Text, "always def"),
        ("table_schema", DataType::Text, "the table's schema"),
        ("table_name", DataType::Text, "the table"),
        ("column_name", DataType::Text, "the column"),
        ("ordinal_position", DataType::UInt64, "its place in the table, from 1"),
        ("is_nullable", DataType::Text, "always YES: a node that lacks the column has NULL there"),
        ("data_type", DataType::Text, "its type in lower case"),
        ("column_type", DataType::Text, "its type"),
        ("column_comment", DataType::Text, "what it means"),
    ],
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let columns = view.list().into_iter().flat_map(|table| {
        let fields = table.arrow_schema();
        let row = |(position, field): (usize, &std::sync::Arc<Field>)| -> Row {
            let sql_type = sql_type(field.data_type());
            vec![
                CATALOG.into(),
                table.schema.into(),
                table.name.as_str().into(),
                field.name().as_str().into(),
                (position as u64 + 1).into(),
                "YES".into(),
                sql_type.to_lowercase().into(),
                sql_type.into(),
                field.metadata().get(columnar::COMMENT).map_or("", String::as_str).into(),
            ]
        };
        fields.fields().iter().enumerate().map(row).collect::<Vec<_>>()
    });
    columns.collect()
}

fn sql_type(arrow: &ArrowType) -> String {
    let model = match arrow {
        ArrowType::Boolean => DataType::Bool,
        ArrowType::Int64 => DataType::Int64,
        ArrowType::UInt64 => DataType::UInt64,
        ArrowType::Float64 => DataType::Float64,
        ArrowType::Utf8 => DataType::Text,
        ArrowType::Binary => DataType::Bytes,
        ArrowType::Timestamp(..) => DataType::Timestamp,
        other => return other.to_string().to_uppercase(),
    };
    model.to_string()
}
