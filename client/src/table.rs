//! A table snapshot in the making.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use unum_proto::model::{DataType, Invalid, Row, TableSchema, TableSnapshot, Value};

/// A schema and its rows, for [`crate::Publisher::push`].
#[derive(Debug, Clone)]
pub struct Table {
    schema: Arc<TableSchema>,
    rows: Vec<Row>,
}

impl Table {
    /// An empty table of columns `(name, type, comment)`, all nullable.
    pub fn new(name: &str, columns: &[(&str, DataType, &str)]) -> Result<Self, Invalid> {
        Ok(Self { schema: TableSchema::of(name, columns)?.into(), rows: Vec::new() })
    }

    /// Rows that match the schema, as their reader made sure.
    pub(crate) fn of(schema: TableSchema, rows: Vec<Row>) -> Self {
        Self { schema: schema.into(), rows }
    }

    /// The table with one more row: one value a column, in order. A wrong row is refused when it is pushed.
    #[must_use]
    pub fn row(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        self.rows.push(values.into_iter().collect());
        self
    }

    /// The rows as of now, by this host's clock.
    pub fn snapshot(self) -> TableSnapshot {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let collected_at_us = since_epoch.as_micros().try_into().unwrap_or(i64::MAX);
        TableSnapshot { schema: self.schema, rows: self.rows, collected_at_us }
    }
}
