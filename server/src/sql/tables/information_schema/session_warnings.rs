//! `information_schema.session_warnings`: the warnings of the statement before, as SHOW WARNINGS shows them.

use unum_proto::model::Row;
use unum_proto::typed_rows;

use crate::sql::mysql::warnings;
use crate::sql::syntax::names::INFORMATION_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(position: usize, message: &str) {}
    "LEVEL": Text, "always Warning" => "Warning";
    "CODE": Int64, "MySQL's number: 1292 of a value that is none, 1365 of a division by 0, else 1105" => warnings::code(message);
    "MESSAGE": Text, "what the reader of the rows should know" => message;
    "ORDINAL_POSITION": UInt64, "which of them, from 1" => position as u64 + 1;
}

/// The warnings of the statement before.
pub static TABLE: SystemTable = SystemTable {
    schema: INFORMATION_SCHEMA,
    name: "session_warnings",
    comment: "the warnings of the statement before",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

fn rows(view: &View) -> Vec<Row> {
    view.session.warnings.iter().enumerate().map(|(position, message)| row(position, message)).collect()
}
