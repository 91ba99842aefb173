//! `information_schema.schemata`: the schemas.

use unum_proto::model::{DataType, Row};

use super::{CATALOG, INFORMATION_SCHEMA, SystemTable, View};

/// One row a schema.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "schemata",
    comment: "the schemas",
    columns: &[("catalog_name", DataType::Text, "always def"), ("schema_name", DataType::Text, "the schema")],
    rows,
};

fn rows(_: &View) -> Vec<Row> {
    View::schema_names().map(|name| vec![CATALOG.into(), name.into()]).to_vec()
}
