//! A statement that is being executed: what is known of its result at once, and its rows, under limits.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use crate::sql::plan::Plan;
use crate::sql::tables::lookup::Columns;
use crate::sql::tables::view::{Coverage, View};
use crate::sql::{Error, Limits};

/// A statement that is being executed. Dropping it ends the query.
#[derive(Debug)]
pub struct Execution {
    /// What is known before the first row.
    pub head: ResultHead,
    /// Its rows.
    pub rows: Rows,
}

/// What is known of a result before its first row.
#[derive(Debug, Clone)]
pub struct ResultHead {
    /// Its columns. Results of one plan share it.
    pub schema: SchemaRef,
    /// Of which nodes its rows are.
    pub coverage: Coverage,
}

/// The rows of a result.
#[derive(Debug)]
pub enum Rows {
    /// They are there.
    Ready(Vec<RecordBatch>),
    /// They are made as they are read.
    Stream(RowStream),
}

/// Rows that are made as they are read.
pub struct RowStream {
    /// Whether the next rows, or the end of a thread's turn, come within moments.
    pub is_cooperative: bool,
    stream: SendableRecordBatchStream,
    tally: Tally,
}

/// What a result has so far, and what it may have.
#[derive(Debug)]
struct Tally {
    schema: SchemaRef,
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Execution {
    /// A result that comes as a stream.
    pub(in crate::sql) fn stream(plan: &Plan, view: &View, limits: Limits, stream: SendableRecordBatchStream) -> Self {
        let tally = Tally::new(&plan.schema, limits);
        let rows = Rows::Stream(RowStream { is_cooperative: plan.is_cooperative, stream, tally });
        Self { head: ResultHead::new(plan, view), rows }
    }

    /// A result of these rows, if its limits allow it.
    pub(in crate::sql) fn ready(plan: &Plan, view: &View, limits: Limits, parts: Vec<Columns>) -> Result<Self, Error> {
        let mut tally = Tally::new(&plan.schema, limits);
        let rows = parts.into_iter().map(|part| tally.take(part)).collect::<Result<_, _>>()?;
        Ok(Self { head: ResultHead::new(plan, view), rows: Rows::Ready(rows) })
    }
}

impl ResultHead {
    fn new(plan: &Plan, view: &View) -> Self {
        Self { schema: Arc::clone(&plan.schema), coverage: plan.coverage(view) }
    }
}

impl RowStream {
    /// The next rows, or none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(batch) = self.stream.next().await.transpose()? else { return Ok(None) };
        let rows = batch.num_rows();
        self.tally.take(Columns { columns: batch.into_parts().1, rows }).map(Some)
    }

    /// Bytes so far.
    pub fn bytes(&self) -> usize {
        self.tally.bytes
    }

    /// Rows so far.
    pub fn rows(&self) -> usize {
        self.tally.rows
    }
}

impl Tally {
    fn new(schema: &SchemaRef, limits: Limits) -> Self {
        Self { schema: Arc::clone(schema), limits, rows: 0, bytes: 0 }
    }

    /// The next rows under the names of the result, if it may have them.
    fn take(&mut self, Columns { columns, rows }: Columns) -> Result<RecordBatch, Error> {
        self.rows += rows;
        self.bytes += result_bytes(&columns)?;
        if self.rows > self.limits.rows {
            return Err(Error::TooLarge(format!(
                "the result has more than {} rows; add a LIMIT or a WHERE, or raise sql.result_rows_max",
                self.limits.rows,
            )));
        }
        if self.bytes > self.limits.bytes {
            return Err(Error::TooLarge(format!(
                "the result has more than {} bytes; select fewer columns or rows, or raise sql.result_bytes_max",
                self.limits.bytes,
            )));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let named = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options);
        named.map_err(|e| Error::Internal(e.to_string()))
    }
}

/// Bytes of these rows alone: batches of a join share buffers, which would count many times.
fn result_bytes(columns: &[ArrayRef]) -> Result<usize, Error> {
    let bytes = |column: &ArrayRef| match column.data_type() {
        DataType::Utf8 => {
            let offsets = column.as_string::<i32>().value_offsets();
            Ok((offsets[column.len()] - offsets[0]) as usize + size_of_val(offsets))
        }
        other => match other.primitive_width() {
            Some(width) => Ok(width * column.len()),
            None => column.to_data().get_slice_memory_size(),
        },
    };
    columns.iter().map(bytes).sum::<Result<usize, _>>().map_err(|e| Error::Internal(e.to_string()))
}

impl std::fmt::Debug for RowStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowStream").field("tally", &self.tally).finish_non_exhaustive()
    }
}
