//! `information_schema.schemata`: the schemas, in MySQL's shape.

use unum_proto::model::{DataType, Row, Value};

use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA, SCHEMAS};
use crate::sql::tables::view::{Reads, SystemTable, View};

/// The schemas.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "schemata",
    comment: "the schemas",
    columns: &[
        ("CATALOG_NAME", DataType::Text, "always def"),
        ("SCHEMA_NAME", DataType::Text, "the schema"),
        ("DEFAULT_CHARACTER_SET_NAME", DataType::Text, "always utf8mb4"),
        ("DEFAULT_COLLATION_NAME", DataType::Text, "always utf8mb4_bin"),
        ("SQL_PATH", DataType::Text, "always NULL"),
    ],
    reads: Reads::Nothing,
    rows,
};

fn rows(_: &View) -> Vec<Row> {
    let row = |name: &str| vec![CATALOG.into(), name.into(), "utf8mb4".into(), "utf8mb4_bin".into(), Value::Null];
    SCHEMAS.map(row).to_vec()
}
