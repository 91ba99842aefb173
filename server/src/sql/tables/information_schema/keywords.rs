//! `information_schema.keywords`: every word that may be typed, in MySQL's shape. The prompt completes from it.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::sql::statement::heads;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(word: &str) {}
    "WORD": Text, "the word" => word;
    "RESERVED": Int64, "always 0: in backticks every word is a name" => 0_i64;
}

/// Every word that may be typed, besides names and functions.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "keywords",
    comment: "every word that may be typed, besides names and functions",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(_: &View) -> Vec<Row> {
    heads::keywords().into_iter().map(row).collect()
}
