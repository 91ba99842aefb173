//! The result of a statement, under its limits: as a stream, or all of it at once.

use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::plans::Plan;
use super::tables::lookup::Columns;
use super::{Error, Limits};

/// A place where who sends a result keeps its columns as they are sent.
pub type EncodedSchema = Arc<OnceLock<Vec<u8>>>;

/// A result that is being made.
pub struct Output {
    /// Its columns.
    pub schema: SchemaRef,
    /// Shared with other results of one plan.
    pub encoded_schema: EncodedSchema,
    /// Nodes with rows in the tables that are read: how many are up, of how many.
    pub nodes: (u32, u32),
    /// What the reader should know about the rows.
    pub warnings: Vec<String>,
    /// Whether the next rows, or the end of a thread's turn, come within moments.
    pub yields: bool,
    stream: SendableRecordBatchStream,
    tally: Tally,
}

/// A result that is there.
pub struct Found {
    /// Its columns.
    pub schema: SchemaRef,
    /// As of [`Output`], and so are the others.
    pub encoded_schema: EncodedSchema,
    #[expect(missing_docs)]
    pub nodes: (u32, u32),
    #[expect(missing_docs)]
    pub warnings: Vec<String>,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
}

/// What a result has so far, and what it may have.
#[derive(Debug)]
struct Tally {
    schema: SchemaRef,
    limits: Limits,
    rows: usize,
    bytes: usize,
}

impl Output {
    /// A result that comes as a stream.
    pub(super) fn new(
        plan: &Plan,
        (nodes, warnings): ((u32, u32), Vec<String>),
        stream: SendableRecordBatchStream,
        limits: Limits,
    ) -> Self {
        Self {
            schema: Arc::clone(&plan.schema),
            encoded_schema: Arc::clone(&plan.encoded_schema),
            nodes,
            warnings,
            yields: plan.yields,
            stream,
            tally: Tally::new(&plan.schema, limits),
        }
    }

    /// The next rows, or none at the end. Dropping the output ends the query.
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

impl Found {
    /// A result of these batches, if its limits allow it.
    pub(super) fn new(
        plan: &Plan,
        (nodes, warnings): ((u32, u32), Vec<String>),
        parts: Vec<Columns>,
        limits: Limits,
    ) -> Result<Self, Error> {
        let mut tally = Tally::new(&plan.schema, limits);
        let batches = parts.into_iter().map(|part| tally.take(part)).collect::<Result<_, _>>()?;
        let (schema, encoded_schema) = (Arc::clone(&plan.schema), Arc::clone(&plan.encoded_schema));
        Ok(Self { schema, encoded_schema, nodes, warnings, batches })
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

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").field("tally", &self.tally).finish_non_exhaustive()
    }
}
