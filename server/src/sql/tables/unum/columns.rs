//! `unum.columns`: the columns that nodes pushed, and how their types became what they are.

use unum_proto::model::{Column, Row, TableName};
use unum_proto::typed_rows;

use crate::catalog::ColumnFacts;
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(table: &TableName, column: &Column, facts: &ColumnFacts, unused_since_us: Option<i64>) {
        let widened = facts.widened.as_ref();
    }
    "table_name": Text, "the table; cluster_<name> has all nodes' rows" => table.as_str();
    "column_name": Text, "the column" => column.name.as_str();
    "data_type": Text, "what all its values are read as" => column.data_type.to_string();
    "has_values": Bool, "whether a node ever pushed a value that is not NULL; until then any type may come" => facts.has_type;
    "widened_from": Text, "what the type was before it became this wider one; NULL if it never did" => widened.map(|widened| widened.from.to_string());
    "widened_at": Timestamp, "when that was, by the leader's clock" => widened.map(|widened| widened.at_us);
    "widened_revision": UInt64, "the revision since which it is so" => widened.map(|widened| widened.revision);
    "unused_since": Timestamp, "since when no row has a value in it: it goes when that is limits.unused_kept_ms ago" => unused_since_us;
    "comment": Text, "what it means, as its publisher says" => column.comment.as_str();
}

/// One row a column, by table and in the order of SELECT *.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "columns",
    comment: "every column that nodes pushed, and since when it has its type",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    let of_table = |(name, table): (&TableName, &std::sync::Arc<crate::catalog::Table>)| {
        let unused = |column: &Column| view.state.unused_since_us(name, Some(&column.name));
        let columns = table.schema.columns_and_facts();
        columns.map(|(column, facts)| row(name, column, facts, unused(column))).collect::<Vec<_>>()
    };
    view.state.tables.iter().flat_map(of_table).collect()
}
