//! A pushed table as Arrow.
//!
//! [`cluster_batch`] is `cluster_T`: all nodes' rows and their provenance, built when first asked for and kept
//! until the table changes. [`local_batch`] is `T` on one node, without provenance.
//!
//! It builds whole tables. It does not filter; DataFusion does.

use std::sync::{Arc, OnceLock};

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder, UInt64Builder,
};
use arrow::datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimeUnit};
use unum_proto::model::{DataType, NodeKey, TableSchema, Value};

use super::{Snapshot, State, Table};

/// A `cluster_T` that is built at most once.
pub(super) type ColumnarCell = OnceLock<RecordBatch>;

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

/// The columns of `T`.
pub fn local_schema(table: &Table) -> SchemaRef {
    Arc::new(Schema::new(own_fields(&table.schema).collect::<Vec<_>>()))
}

/// The columns of `cluster_T`: those of `T`, then the provenance.
pub fn cluster_schema(table: &Table) -> SchemaRef {
    let provenance = provenance(&table.schema).map(|(name, data_type, comment)| field(name, data_type, comment));
    Arc::new(Schema::new(own_fields(&table.schema).chain(provenance).collect::<Vec<_>>()))
}

/// All nodes' rows, in the order of the nodes' names.
pub fn cluster_batch(state: &State, table: &Table) -> RecordBatch {
    table.columnar.get_or_init(|| build_cluster(state, table)).clone()
}

fn build_cluster(state: &State, table: &Table) -> RecordBatch {
    let rows = || table.snapshots.iter().flat_map(|(node, s)| s.rows.iter().map(move |row| (node, s, row)));
    let own = table.schema.columns.iter().enumerate().map(|(position, column)| {
        build(column.data_type, rows().map(|(_, _, row)| row.get(position).cloned().unwrap_or(Value::Null)))
    });
    let whence = provenance(&table.schema).map(|(name, data_type, _)| {
        build(data_type, rows().map(|(node, snapshot, _)| provenance_value(state, name, node, snapshot)))
    });
    let columns = own.chain(whence).collect();
    batch(cluster_schema(table), columns, table.rows())
}

fn provenance_value(state: &State, name: &str, node: &NodeKey, snapshot: &Snapshot) -> Value {
    match name {
        "node_type" => node.node_type.as_str().into(),
        "node_id" => node.id.as_str().into(),
        "status" => state.nodes.get(node).map(|node| node.status.as_str()).into(),
        "collected_at" => Value::Timestamp(snapshot.collected_at_us),
        "received_at" => Value::Timestamp(snapshot.received_at_us),
        "revision" => snapshot.revision.into(),
        other => unreachable!("{other} is not a provenance column"),
    }
}

/// The rows of one node.
pub fn local_batch(table: &Table, node: &NodeKey) -> RecordBatch {
    let rows = table.snapshots.get(node).map_or(&[][..], |snapshot| &snapshot.rows);
    let columns = table.schema.columns.iter().enumerate().map(|(position, column)| {
        build(column.data_type, rows.iter().map(|row| row.get(position).cloned().unwrap_or(Value::Null)))
    });
    batch(local_schema(table), columns.collect(), rows.len())
}

/// A batch from columns that were built for the schema.
pub fn batch(schema: SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> RecordBatch {
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options).expect("columns are built from the schema")
}

/// One column. A value of another type than the column's cannot be: the schema was checked at the edge.
pub fn build(data_type: DataType, values: impl Iterator<Item = Value>) -> ArrayRef {
    macro_rules! column {
        ($builder:expr, $variant:ident) => {{
            let mut builder = $builder;
            for value in values {
                match value {
                    Value::Null => builder.append_null(),
                    Value::$variant(value) => builder.append_value(value),
                    other => unreachable!("{other:?} in a column of {data_type}"),
                }
            }
            Arc::new(builder.finish())
        }};
    }
    match data_type {
        DataType::Bool => column!(BooleanBuilder::new(), Bool),
        DataType::Int64 => column!(Int64Builder::new(), Int64),
        DataType::UInt64 => column!(UInt64Builder::new(), UInt64),
        DataType::Float64 => column!(Float64Builder::new(), Float64),
        DataType::Text => column!(StringBuilder::new(), Text),
        DataType::Bytes => column!(BinaryBuilder::new(), Bytes),
        DataType::Timestamp => column!(TimestampMicrosecondBuilder::new(), Timestamp),
    }
}
