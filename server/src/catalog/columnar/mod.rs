//! A pushed table as Arrow.
//!
//! [`chunks`] has `cluster_T`: all nodes' rows and their provenance, built when first asked for and kept until they
//! change. [`local_batch`] is `T` on one node, without provenance.
//!
//! It does not filter; it knows which chunks cannot have a text.

mod cell;
pub mod chunks;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use unum_proto::model::{DataType, NodeKey, TableSchema};

pub use cell::{Cell, build, converted, narrowed};

use super::{Snapshot, State, Table};

/// Where a row comes from: the columns that every `cluster_T` ends with, unless the table has one of that name.
const PROVENANCE: [(&str, DataType, &str); 6] = [
    ("node_type", DataType::Text, "type of the node that pushed the row"),
    ("node_id", DataType::Text, "id of the node that pushed the row"),
    ("status", DataType::Text, "what the catalog thinks of that node"),
    ("collected_at", DataType::Timestamp, "when the node read the row, by its clock"),
    ("received_at", DataType::Timestamp, "when the leader took the row in, by its clock"),
    ("revision", DataType::UInt64, "the revision since which the row is visible"),
];

/// The key under which a field's metadata has the column's comment.
pub const COMMENT: &str = "comment";

/// A nullable Arrow field with its comment.
pub fn field(name: &str, data_type: DataType, comment: &str) -> Field {
    let data_type = match data_type {
        DataType::Bool => ArrowType::Boolean,
        DataType::Int64 => ArrowType::Int64,
        DataType::UInt64 => ArrowType::UInt64,
        DataType::Float64 => ArrowType::Float64,
        DataType::Text => ArrowType::Utf8,
        DataType::Bytes => ArrowType::Binary,
        DataType::Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, None),
    };
    Field::new(name, data_type, true).with_metadata([(COMMENT.to_owned(), comment.to_owned())].into())
}

fn own_fields(schema: &TableSchema) -> impl Iterator<Item = Field> + '_ {
    schema.columns.iter().map(|column| field(column.name.as_str(), column.data_type, &column.comment))
}

fn provenance(schema: &TableSchema) -> impl Iterator<Item = (&'static str, DataType, &'static str)> + '_ {
    PROVENANCE.into_iter().filter(|(name, ..)| schema.position(name).is_none())
}

/// Whether the catalog adds a column of this name to `cluster_T`.
pub fn is_provenance(table: &Table, column: &str) -> bool {
    provenance(&table.schema).any(|(name, ..)| name == column)
}

/// The columns of `T`.
pub fn local_schema(table: &Table) -> SchemaRef {
    Arc::new(Schema::new(own_fields(&table.schema).collect::<Vec<_>>()))
}

/// The columns of `cluster_T`: those of `T`, then the provenance.
pub fn cluster_schema(table: &Table) -> SchemaRef {
    let provenance = provenance(&table.schema).map(|(name, data_type, comment)| field(name, data_type, comment));
    Arc::new(Schema::new(own_fields(&table.schema).chain(provenance).collect::<Vec<_>>()))
}

/// How many columns `cluster_T` has.
fn columns(schema: &TableSchema) -> usize {
    schema.columns.len() + provenance(schema).count()
}

/// One column of `cluster_T` over some nodes' rows.
fn build_column<'a>(
    state: &'a State,
    table: &'a Table,
    position: usize,
    snapshots: impl Iterator<Item = (&'a NodeKey, &'a Snapshot)>,
) -> ArrayRef {
    let own = table.schema.columns.len();
    if let Some(column) = table.schema.columns.get(position) {
        let rows = snapshots.flat_map(|(_, snapshot)| &snapshot.rows);
        return build(column.data_type, rows.map(move |row| row.get(position).map_or(Cell::Null, Cell::from)));
    }
    let (name, data_type, _) = provenance(&table.schema).nth(position - own).expect("a column of the table");
    let cell = move |(node, snapshot): (&'a NodeKey, &'a Snapshot)| {
        std::iter::repeat_n(provenance_cell(state, name, node, snapshot), snapshot.rows.len())
    };
    build(data_type, snapshots.flat_map(cell))
}

fn provenance_cell<'a>(state: &'a State, name: &str, node: &'a NodeKey, snapshot: &Snapshot) -> Cell<'a> {
    match name {
        "node_type" => Cell::Text(node.node_type.as_str()),
        "node_id" => Cell::Text(node.id.as_str()),
        "status" => state.nodes.get(node).map_or(Cell::Null, |node| Cell::Text(node.status.as_str())),
        "collected_at" => Cell::Timestamp(snapshot.collected_at_us),
        "received_at" => Cell::Timestamp(snapshot.received_at_us),
        "revision" => Cell::UInt64(snapshot.revision),
        other => unreachable!("{other} is not a provenance column"),
    }
}

/// The rows of one node.
pub fn local_batch(table: &Table, node: &NodeKey) -> RecordBatch {
    let rows = table.snapshots.get(node).map_or(&[][..], |snapshot| &snapshot.rows);
    let columns = table.schema.columns.iter().enumerate().map(|(position, column)| {
        build(column.data_type, rows.iter().map(|row| row.get(position).map_or(Cell::Null, Cell::from)))
    });
    batch(local_schema(table), columns.collect(), rows.len())
}

/// A batch from columns that were built for the schema.
pub fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).expect("columns are built from the schema")
}
