//! Results: Arrow record batches, and rows with typed values.

use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{self as types, DataType, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use unum_proto::model::ReplicaId;

use crate::Error;
use crate::transport::RawResult;

/// A whole result, at one revision.
#[derive(Debug, Clone)]
pub struct QueryResult {
    /// The columns.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: Vec<RecordBatch>,
    /// The applied Raft index that the result is a consistent cut at.
    pub revision: u64,
    /// The replica that answered.
    pub replica: ReplicaId,
    /// Nodes with rows in the tables that were read, and up.
    pub nodes_up: u32,
    /// Nodes with rows in the tables that were read.
    pub nodes_total: u32,
    /// Time on the server, barrier included.
    pub elapsed: Duration,
    /// What the reader should know about the rows, for example that a node is down.
    pub warnings: Vec<String>,
}

impl From<RawResult> for QueryResult {
    fn from(raw: RawResult) -> Self {
        Self {
            schema: raw.schema,
            batches: raw.batches,
            revision: raw.header.revision,
            replica: raw.header.replica,
            nodes_up: raw.header.nodes_up,
            nodes_total: raw.header.nodes_total,
            elapsed: raw.footer.elapsed,
            warnings: raw.footer.warnings,
        }
    }
}

impl QueryResult {
    /// How many rows there are.
    pub fn row_count(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The rows, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |index| Row { batch, index }))
    }
}

/// One row of a result.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RecordBatch,
    index: usize,
}

impl Row<'_> {
    /// The value of a column.
    ///
    /// # Errors
    /// When there is no such column, it is of another type, or it is NULL and `T` is no `Option`.
    pub fn get<T: FromValue>(&self, column: &str) -> Result<T, Error> {
        let array = self.batch.column_by_name(column).ok_or_else(|| {
            let names: Vec<_> = self.batch.schema_ref().fields().iter().map(|f| f.name().clone()).collect();
            Error::Refused(format!("the result has no column {column:?}; it has {}", names.join(", ")))
        })?;
        let mistyped = |what: &str| {
            Error::Refused(format!("column {column:?} is {what} here; read it as another type, or as an Option"))
        };
        if array.is_null(self.index) {
            return T::from_null().ok_or_else(|| mistyped("NULL"));
        }
        T::from_array(array, self.index).ok_or_else(|| mistyped(&array.data_type().to_string()))
    }
}

/// A Rust type that a value can be read as.
pub trait FromValue: Sized {
    /// The value at a position that is not NULL, or none if the array is of another type.
    fn from_array(array: &dyn Array, index: usize) -> Option<Self>;

    /// What NULL is, or none if it cannot be.
    fn from_null() -> Option<Self> {
        None
    }
}

macro_rules! integers {
    ($($rust:ty),*) => {$(
        impl FromValue for $rust {
            fn from_array(array: &dyn Array, index: usize) -> Option<Self> {
                match array.data_type() {
                    DataType::Int64 => array.as_primitive::<types::Int64Type>().value(index).try_into().ok(),
                    DataType::UInt64 => array.as_primitive::<types::UInt64Type>().value(index).try_into().ok(),
                    DataType::Int32 => array.as_primitive::<types::Int32Type>().value(index).try_into().ok(),
                    // A sum of whole numbers is a DECIMAL without a fraction.
                    DataType::Decimal128(_, 0) => array.as_primitive::<types::Decimal128Type>().value(index).try_into().ok(),
                    _ => None,
                }
            }
        }
    )*};
}
integers!(i64, u64);

impl FromValue for f64 {
    fn from_array(array: &dyn Array, index: usize) -> Option<Self> {
        match array.data_type() {
            DataType::Float64 => Some(array.as_primitive::<types::Float64Type>().value(index)),
            // The nearest one.
            DataType::Decimal128(..) | DataType::Decimal256(..) => shown(array, index)?.parse().ok(),
            _ => None,
        }
    }
}

impl FromValue for bool {
    fn from_array(array: &dyn Array, index: usize) -> Option<Self> {
        match array.data_type() {
            DataType::Boolean => Some(array.as_boolean().value(index)),
            // A condition is a number, as in MySQL.
            DataType::Int64 => Some(array.as_primitive::<types::Int64Type>().value(index) != 0),
            _ => None,
        }
    }
}

/// A value that is not NULL as MySQL shows it: times with a space and the digits of a second that they have, doubles
/// without a fraction that is none.
pub(crate) fn shown(array: &dyn Array, index: usize) -> Option<String> {
    let format = |micros: i64, digits: &str| {
        let time = chrono::DateTime::from_timestamp_micros(micros)?;
        Some(time.format(&format!("%Y-%m-%d %H:%M:%S{digits}")).to_string())
    };
    match array.data_type() {
        DataType::Timestamp(TimeUnit::Second, _) => {
            let seconds = array.as_primitive::<types::TimestampSecondType>().value(index);
            format(seconds.checked_mul(1_000_000)?, "")
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            let millis = array.as_primitive::<types::TimestampMillisecondType>().value(index);
            format(millis.checked_mul(1_000)?, "%.3f")
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            format(array.as_primitive::<types::TimestampMicrosecondType>().value(index), "%.6f")
        }
        DataType::Float64 => Some(double(array.as_primitive::<types::Float64Type>().value(index))),
        _ => {
            let formatter = ArrayFormatter::try_new(array, &FormatOptions::default()).ok()?;
            Some(formatter.value(index).to_string())
        }
    }
}

/// A double: the fewest digits that are it, with an exponent from 10^15 on and below 10^-15.
fn double(value: f64) -> String {
    const POINT_MAX: i32 = 15;
    let scientific = format!("{value:e}");
    match scientific.split_once('e').and_then(|(_, exponent)| exponent.parse::<i32>().ok()) {
        Some(exponent) if !(-POINT_MAX..POINT_MAX).contains(&exponent) => scientific,
        _ => format!("{value}"),
    }
}

/// Text as it is, and every other type as it is shown.
impl FromValue for String {
    fn from_array(array: &dyn Array, index: usize) -> Option<Self> {
        shown(array, index)
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_array(array: &dyn Array, index: usize) -> Option<Self> {
        T::from_array(array, index).map(Some)
    }

    fn from_null() -> Option<Self> {
        Some(None)
    }
}
