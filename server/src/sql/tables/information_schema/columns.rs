//! `information_schema.columns`: every column of every table, in MySQL's shape.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType as ArrowType, Field};
use unum_proto::model::Row;
use unum_proto::model::limits::ROW_BYTES_MAX;
use unum_proto::model::typed::Null;
use unum_proto::typed_rows;

use crate::catalog::columnar;
use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA};
use crate::sql::tables::view::{Listed, Reads, SystemTable, View, shown, type_name};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(table: &Listed<'_>, position: usize, field: &Field) {
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
    }
    "TABLE_CATALOG": Text, "always def" => CATALOG;
    "TABLE_SCHEMA": Text, "the table's schema" => table.schema;
    "TABLE_NAME": Text, "the table" => &table.name;
    "COLUMN_NAME": Text, "the column" => shown(field);
    "ORDINAL_POSITION": UInt64, "its place in the table, from 1" => position as u64 + 1;
    "COLUMN_DEFAULT": Text, "always NULL" => Null;
    "IS_NULLABLE": Text, "always YES: a node that lacks the column has NULL there" => "YES";
    "DATA_TYPE": Text, "its type in lower case, without UNSIGNED" => base_type.trim_end_matches(" unsigned");
    "CHARACTER_MAXIMUM_LENGTH": UInt64, "bytes of a text: those of a row" => length;
    "CHARACTER_OCTET_LENGTH": UInt64, "the same" => length;
    "NUMERIC_PRECISION": UInt64, "digits of a number" => precision;
    "NUMERIC_SCALE": UInt64, "digits behind the point of a whole number: 0" => whole.then_some(0u64);
    "DATETIME_PRECISION": UInt64, "digits of a second" => field.data_type().is_temporal().then_some(6u64);
    "CHARACTER_SET_NAME": Text, "of a text: utf8mb4" => text("utf8mb4");
    "COLLATION_NAME": Text, "of a text: utf8mb4_bin" => text("utf8mb4_bin");
    "COLUMN_TYPE": Text, "its type" => sql_type.to_lowercase();
    "COLUMN_KEY": Text, "always empty" => "";
    "EXTRA": Text, "always empty" => "";
    "PRIVILEGES": Text, "always select" => "select";
    "COLUMN_COMMENT": Text, "what it means" => field.metadata().get(columnar::COMMENT).map_or("", String::as_str);
    "GENERATION_EXPRESSION": Text, "always empty" => "";
}

/// Every column of every table.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "columns",
    comment: "every column of every table",
    columns: COLUMNS,
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
