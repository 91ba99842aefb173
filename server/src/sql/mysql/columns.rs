//! Columns as values, and values as columns.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BinaryBuilder, BooleanArray, BooleanBuilder, Date32Array,
    Date32Builder, Decimal128Array, Decimal128Builder, Decimal256Array, Decimal256Builder, DurationMicrosecondBuilder,
    DurationMillisecondBuilder, DurationSecondBuilder, Float64Array, Float64Builder, GenericBinaryArray, Int64Array,
    Int64Builder, LargeStringArray, LargeStringBuilder, NullArray, StringArray, StringBuilder,
    TimestampMicrosecondBuilder, TimestampMillisecondBuilder, TimestampSecondBuilder, UInt64Array, UInt64Builder,
};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, DurationMicrosecondType, DurationMillisecondType, DurationSecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampSecondType, i256,
};
use chrono::DateTime;
use datafusion::common::{Result, ScalarValue, exec_datafusion_err, exec_err, internal_err};

use super::types::Type;
use super::value::{Clock, Decimal, Value};

/// Bytes of all results of one call on one batch of rows.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// A column whose values are asked for by row.
#[derive(Debug)]
pub struct Column<'a> {
    kind: Kind<'a>,
    array: &'a dyn Array,
    /// One value for all rows.
    is_constant: bool,
}

#[derive(Debug)]
enum Kind<'a> {
    Null,
    Bool(&'a BooleanArray),
    Int(&'a Int64Array),
    UInt(&'a UInt64Array),
    Decimal128(&'a Decimal128Array, u8),
    Decimal256(&'a Decimal256Array, u8),
    Double(&'a Float64Array),
    Text(&'a StringArray),
    Json(&'a LargeStringArray),
    Bytes(&'a GenericBinaryArray<i32>),
    Date(&'a Date32Array),
    DateTime(Ticks<'a>),
    Time(Ticks<'a>),
}

/// Numbers of a unit of time.
#[derive(Debug)]
struct Ticks<'a> {
    ticks: &'a [i64],
    micros_each: i64,
    digits: u8,
}

impl<'a> Ticks<'a> {
    fn new(array: &'a dyn Array) -> Result<Self> {
        fn of<T: ArrowPrimitiveType<Native = i64>>(array: &dyn Array) -> &[i64] {
            array.as_primitive::<T>().values()
        }
        let (ticks, unit) = match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => (of::<TimestampSecondType>(array), TimeUnit::Second),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                (of::<TimestampMillisecondType>(array), TimeUnit::Millisecond)
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                (of::<TimestampMicrosecondType>(array), TimeUnit::Microsecond)
            }
            DataType::Duration(TimeUnit::Second) => (of::<DurationSecondType>(array), TimeUnit::Second),
            DataType::Duration(TimeUnit::Millisecond) => (of::<DurationMillisecondType>(array), TimeUnit::Millisecond),
            DataType::Duration(TimeUnit::Microsecond) => (of::<DurationMicrosecondType>(array), TimeUnit::Microsecond),
            other => return internal_err!("a column of {other} is not canonical"),
        };
        let (micros_each, digits) = match unit {
            TimeUnit::Second => (1_000_000, 0),
            TimeUnit::Millisecond => (1_000, 3),
            _ => (1, 6),
        };
        Ok(Self { ticks, micros_each, digits })
    }

    fn micros(&self, row: usize) -> i64 {
        self.ticks[row].saturating_mul(self.micros_each)
    }
}

/// An array in the one form that its type has here: what is narrower is widened.
pub fn canonical(array: &ArrayRef) -> Result<ArrayRef> {
    let wanted = Type::from(array.data_type()).arrow();
    Ok(match *array.data_type() == wanted {
        true => Arc::clone(array),
        false => cast(array, &wanted)?,
    })
}

impl<'a> Column<'a> {
    /// The values of an array in its [`canonical`] form; `is_constant` if it has one for all rows.
    pub fn new(array: &'a ArrayRef, is_constant: bool) -> Result<Self> {
        let array: &dyn Array = array.as_ref();
        let scale = |scale: i8| u8::try_from(scale).unwrap_or(0);
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Bool(array.as_boolean()),
            DataType::Int64 => Kind::Int(array.as_primitive()),
            DataType::UInt64 => Kind::UInt(array.as_primitive()),
            DataType::Float64 => Kind::Double(array.as_primitive()),
            DataType::Decimal128(_, digits) => Kind::Decimal128(array.as_primitive(), scale(*digits)),
            DataType::Decimal256(_, digits) => Kind::Decimal256(array.as_primitive(), scale(*digits)),
            DataType::Utf8 => Kind::Text(array.as_string()),
            DataType::LargeUtf8 => Kind::Json(array.as_string()),
            DataType::Binary => Kind::Bytes(array.as_binary()),
            DataType::Date32 => Kind::Date(array.as_primitive()),
            DataType::Timestamp(..) => Kind::DateTime(Ticks::new(array)?),
            DataType::Duration(_) => Kind::Time(Ticks::new(array)?),
            other => return internal_err!("a column of {other} is not canonical"),
        };
        Ok(Self { kind, array, is_constant })
    }

    /// The value of a row.
    pub fn get(&self, row: usize) -> Value<'a> {
        let row = if self.is_constant { 0 } else { row };
        if self.array.is_null(row) {
            return Value::Null;
        }
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(array) => Value::bool(array.value(row)),
            Kind::Int(array) => Value::Int(array.value(row)),
            Kind::UInt(array) => Value::UInt(array.value(row)),
            Kind::Double(array) => Value::Double(array.value(row)),
            Kind::Decimal128(array, scale) => Value::Decimal(Decimal::new(i256::from_i128(array.value(row)), *scale)),
            Kind::Decimal256(array, scale) => Value::Decimal(Decimal::new(array.value(row), *scale)),
            Kind::Text(array) => Value::Text(Cow::Borrowed(array.value(row))),
            Kind::Json(array) => Value::Json(Cow::Borrowed(array.value(row))),
            Kind::Bytes(array) => Value::Bytes(Cow::Borrowed(array.value(row))),
            Kind::Date(array) => Date32Type::to_naive_date_opt(array.value(row)).map_or(Value::Null, Value::Date),
            Kind::DateTime(ticks) => {
                let time = DateTime::from_timestamp_micros(ticks.micros(row));
                time.map_or(Value::Null, |time| Value::DateTime(time.naive_utc(), ticks.digits))
            }
            Kind::Time(ticks) => Value::Time(Clock::clamped(ticks.micros(row)), ticks.digits),
        }
    }
}

/// The value of a literal.
pub fn value_of(scalar: &ScalarValue) -> Result<Value<'static>> {
    let array = canonical(&scalar.to_array()?)?;
    Ok(Column::new(&array, true)?.get(0).into_owned())
}

/// A value as a literal of a type.
pub fn literal(value: &Value<'_>, data_type: Type) -> Result<ScalarValue> {
    let mut column = Builder::new(data_type, 1);
    column.push(value, "the literal")?;
    ScalarValue::try_from_array(&column.finish()?, 0)
}

/// A column in the making. Values become what its type holds.
#[derive(Debug)]
pub struct Builder {
    data_type: Type,
    kind: Making,
    bytes: usize,
}

#[derive(Debug)]
enum Making {
    Null(usize),
    Bool(BooleanBuilder),
    Int(Int64Builder),
    UInt(UInt64Builder),
    Decimal128(Decimal128Builder),
    Decimal256(Decimal256Builder),
    Double(Float64Builder),
    Text(StringBuilder),
    Json(LargeStringBuilder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Stamp0(TimestampSecondBuilder),
    Stamp3(TimestampMillisecondBuilder),
    Stamp6(TimestampMicrosecondBuilder),
    Time0(DurationSecondBuilder),
    Time3(DurationMillisecondBuilder),
    Time6(DurationMicrosecondBuilder),
}

impl Builder {
    /// A column of a type with place for so many rows.
    pub fn new(data_type: Type, rows: usize) -> Self {
        let kind = match data_type {
            Type::Null => Making::Null(0),
            Type::Bool => Making::Bool(BooleanBuilder::with_capacity(rows)),
            Type::Int => Making::Int(Int64Builder::with_capacity(rows)),
            Type::UInt => Making::UInt(UInt64Builder::with_capacity(rows)),
            Type::Decimal(..) => match data_type.arrow() {
                arrow @ DataType::Decimal128(..) => {
                    Making::Decimal128(Decimal128Builder::with_capacity(rows).with_data_type(arrow))
                }
                arrow => Making::Decimal256(Decimal256Builder::with_capacity(rows).with_data_type(arrow)),
            },
            Type::Double => Making::Double(Float64Builder::with_capacity(rows)),
            Type::Text => Making::Text(StringBuilder::with_capacity(rows, 0)),
            Type::Json => Making::Json(LargeStringBuilder::with_capacity(rows, 0)),
            Type::Bytes => Making::Bytes(BinaryBuilder::with_capacity(rows, 0)),
            Type::Date => Making::Date(Date32Builder::with_capacity(rows)),
            Type::DateTime(0) => Making::Stamp0(TimestampSecondBuilder::with_capacity(rows)),
            Type::DateTime(1..=3) => Making::Stamp3(TimestampMillisecondBuilder::with_capacity(rows)),
            Type::DateTime(_) => Making::Stamp6(TimestampMicrosecondBuilder::with_capacity(rows)),
            Type::Time(0) => Making::Time0(DurationSecondBuilder::with_capacity(rows)),
            Type::Time(1..=3) => Making::Time3(DurationMillisecondBuilder::with_capacity(rows)),
            Type::Time(_) => Making::Time6(DurationMicrosecondBuilder::with_capacity(rows)),
        };
        Self { data_type, kind, bytes: 0 }
    }

    fn count(&mut self, bytes: usize, of: &str) -> Result<()> {
        self.bytes += bytes;
        if self.bytes > BYTES_MAX {
            return exec_err!("{of} makes more than {BYTES_MAX} bytes of one batch of rows; make less of it");
        }
        Ok(())
    }

    /// One value more, that `of` has made; an error where it is out of the type's range.
    pub fn push(&mut self, value: &Value<'_>, of: &str) -> Result<()> {
        let range = |shown: String, name: Type| {
            exec_datafusion_err!("{} value is out of range in '{of}' ({shown})", name.name())
        };
        match &mut self.kind {
            Making::Null(rows) => *rows += 1,
            Making::Bool(column) => column.append_option(value.to_bool()),
            Making::Int(column) => column.append_option(match value {
                Value::Int(value) => Some(*value),
                other => match other.to_whole() {
                    None => None,
                    Some(whole) => Some(i64::try_from(whole).map_err(|_| range(whole.to_string(), Type::Int))?),
                },
            }),
            Making::UInt(column) => column.append_option(match value.to_whole() {
                None => None,
                Some(whole) => Some(u64::try_from(whole).map_err(|_| range(whole.to_string(), Type::UInt))?),
            }),
            Making::Decimal128(column) => match decimal_of(value, self.data_type) {
                None if value.is_null() => column.append_null(),
                Some(unscaled) if unscaled.to_i128().is_some() => column.append_option(unscaled.to_i128()),
                _ => return Err(range(value.to_text().unwrap_or_default().into_owned(), self.data_type)),
            },
            Making::Decimal256(column) => match decimal_of(value, self.data_type) {
                None if value.is_null() => column.append_null(),
                Some(unscaled) => column.append_value(unscaled),
                None => return Err(range(value.to_text().unwrap_or_default().into_owned(), self.data_type)),
            },
            // No zero is negative: as keys of groups and joins both would be different ones.
            Making::Double(column) => column.append_option(value.to_f64().map(|double| double + 0.0)),
            Making::Text(_) | Making::Json(_) => return self.push_text(value, of),
            Making::Bytes(_) => return self.push_bytes(value, of),
            Making::Date(column) => column.append_option(value.to_date().map(Date32Type::from_naive_date)),
            Making::Stamp0(column) => column.append_option(stamp(value, 1_000_000)),
            Making::Stamp3(column) => column.append_option(stamp(value, 1_000)),
            Making::Stamp6(column) => column.append_option(stamp(value, 1)),
            Making::Time0(column) => column.append_option(span(value, 1_000_000)),
            Making::Time3(column) => column.append_option(span(value, 1_000)),
            Making::Time6(column) => column.append_option(span(value, 1)),
        }
        Ok(())
    }

    fn push_text(&mut self, value: &Value<'_>, of: &str) -> Result<()> {
        let text = value.to_text();
        self.count(text.as_ref().map_or(0, |text| text.len()), of)?;
        match &mut self.kind {
            Making::Text(column) => column.append_option(text),
            Making::Json(column) => column.append_option(text),
            _ => {}
        }
        Ok(())
    }

    fn push_bytes(&mut self, value: &Value<'_>, of: &str) -> Result<()> {
        let bytes = value.to_bytes();
        self.count(bytes.as_ref().map_or(0, |bytes| bytes.len()), of)?;
        if let Making::Bytes(column) = &mut self.kind {
            column.append_option(bytes);
        }
        Ok(())
    }

    /// The column.
    pub fn finish(self) -> Result<ArrayRef> {
        Ok(match self.kind {
            Making::Null(rows) => Arc::new(NullArray::new(rows)),
            Making::Bool(mut column) => Arc::new(column.finish()),
            Making::Int(mut column) => Arc::new(column.finish()),
            Making::UInt(mut column) => Arc::new(column.finish()),
            Making::Decimal128(mut column) => Arc::new(column.finish()),
            Making::Decimal256(mut column) => Arc::new(column.finish()),
            Making::Double(mut column) => Arc::new(column.finish()),
            Making::Text(mut column) => Arc::new(column.finish()),
            Making::Json(mut column) => Arc::new(column.finish()),
            Making::Bytes(mut column) => Arc::new(column.finish()),
            Making::Date(mut column) => Arc::new(column.finish()),
            Making::Stamp0(mut column) => Arc::new(column.finish()),
            Making::Stamp3(mut column) => Arc::new(column.finish()),
            Making::Stamp6(mut column) => Arc::new(column.finish()),
            Making::Time0(mut column) => Arc::new(column.finish()),
            Making::Time3(mut column) => Arc::new(column.finish()),
            Making::Time6(mut column) => Arc::new(column.finish()),
        })
    }
}

/// The digits of a value as a DECIMAL of a type; none of NULL, and where it has more digits than the type.
fn decimal_of(value: &Value<'_>, data_type: Type) -> Option<i256> {
    let Type::Decimal(precision, scale) = data_type else { return None };
    let decimal = value.to_decimal()?.rescaled(scale)?;
    (decimal.digits() <= precision.max(1)).then(|| decimal.unscaled())
}

fn stamp(value: &Value<'_>, micros: i64) -> Option<i64> {
    let (time, _) = value.to_datetime()?;
    Some(time.and_utc().timestamp_micros().div_euclid(micros))
}

fn span(value: &Value<'_>, micros: i64) -> Option<i64> {
    let (clock, _) = value.to_time()?;
    Some(clock.micros() / micros)
}
