//! What both runs of the SQL tests share: the nodes of `fixture/` and how values are written.
//!
//! `fixture/<table>.schema` has a table's columns, `fixture/<node_type>/<id>/<table>.ndjson` the rows of one node, and
//! `fixture/<node_type>/<id>/node.json` what else it says of itself.

use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use sqllogictest::{DBOutput, DefaultColumnType};
use unum_client::rows::{self, Columns, Format};
use unum_client::{NodeDescription, NodeKey, TableSnapshot};

/// Where the SQL tests are.
pub fn dir() -> PathBuf {
    // Not where it was built: checkouts may share a target directory.
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join(match env!("CARGO_PKG_NAME") {
        "unum-server" => "tests/slt",
        _ => "../server/tests/slt",
    })
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// All SQL test files, by name.
pub fn files() -> Vec<PathBuf> {
    entries(&dir()).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "slt")).collect()
}

/// Every node of the fixture and the tables that it pushes.
pub fn nodes() -> Vec<(NodeDescription, Vec<TableSnapshot>)> {
    let fixture = dir().join("fixture");
    let mut nodes = Vec::new();
    for node_type in entries(&fixture).iter().filter(|path| path.is_dir()) {
        for node_dir in entries(node_type) {
            nodes.push(node(&fixture, NodeKey::parse(name(node_type), name(&node_dir)).unwrap(), &node_dir));
        }
    }
    nodes
}

fn node(fixture: &Path, key: NodeKey, dir: &Path) -> (NodeDescription, Vec<TableSnapshot>) {
    let mut node = NodeDescription::new(key);
    if let Ok(json) = std::fs::read_to_string(dir.join("node.json")) {
        let said: serde_json::Value = serde_json::from_str(&json).unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        (node.ip, node.version) = (text(&said["ip"]), text(&said["version"]));
        let labels = said["labels"].as_object().into_iter().flatten();
        node.labels = labels.map(|(label, value)| (label.clone(), text(value))).collect();
    }
    let rows = entries(dir).into_iter().filter(|path| path.extension().is_some_and(|e| e == "ndjson"));
    let tables = rows.map(|path| {
        let table = name(&path).trim_end_matches(".ndjson");
        let schema = std::fs::read_to_string(fixture.join(format!("{table}.schema"))).unwrap();
        let columns: Columns = schema.parse().unwrap_or_else(|e| panic!("{table}.schema: {e}"));
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = rows::parse(table, &text, Format::Ndjson, Some(&columns));
        parsed.unwrap_or_else(|e| panic!("{}: {e}", path.display())).snapshot()
    });
    (node.clone(), tables.collect())
}

/// A result as the test files write it.
pub fn output(schema: &Schema, batches: &[RecordBatch]) -> DBOutput<DefaultColumnType> {
    let options = FormatOptions::default().with_null("NULL").with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"));
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> =
            batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            let value = |(column, formatter): (&dyn Array, &ArrayFormatter<'_>)| {
                let text = formatter.value(row).to_string();
                if text.is_empty() && !column.is_null(row) { "(empty)".to_owned() } else { text }
            };
            rows.push(batch.columns().iter().map(|c| c.as_ref()).zip(&columns).map(value).collect());
        }
    }
    let type_of = |field: &std::sync::Arc<arrow::datatypes::Field>| match field.data_type() {
        data_type if data_type.is_integer() => DefaultColumnType::Integer,
        DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) => DefaultColumnType::Integer,
        DataType::Decimal128(..) | DataType::Decimal256(..) => DefaultColumnType::FloatingPoint,
        DataType::Float32 | DataType::Float64 => DefaultColumnType::FloatingPoint,
        DataType::Utf8 => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    };
    let types = schema.fields().iter().map(type_of).collect();
    DBOutput::Rows { types, rows }
}
