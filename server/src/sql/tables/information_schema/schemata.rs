//! `information_schema.schemata`: the schemas, in MySQL's shape.

use unum_proto::model::Row;
use unum_proto::model::typed::Null;
use unum_proto::typed_rows;

use crate::sql::syntax::names::{CATALOG, INFORMATION_SCHEMA, SCHEMAS};
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(name: &str) {}
    "CATALOG_NAME": Text, "always def" => CATALOG;
    "SCHEMA_NAME": Text, "the schema" => name;
    "DEFAULT_CHARACTER_SET_NAME": Text, "always utf8mb4" => "utf8mb4";
    "DEFAULT_COLLATION_NAME": Text, "always utf8mb4_bin" => "utf8mb4_bin";
    "SQL_PATH": Text, "always NULL" => Null;
}

/// The schemas.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "schemata",
    comment: "the schemas",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(_: &View) -> Vec<Row> {
    SCHEMAS.map(row).to_vec()
}
