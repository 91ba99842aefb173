//! Aggregates that make one value of all rows of a group: GROUP_CONCAT, JSON_ARRAYAGG, JSON_OBJECTAGG.
//!
//! Each sorts its rows itself, so that several of different orders stand beside each other.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, internal_err, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};

use super::columns::{Column, canonical, literal};
use super::comparison::compare;
use super::functions::definition::RESULT_BYTES_MAX;
use super::functions::definition::Stop;
use super::functions::json::make::json_of;
use super::functions::json::value::{Json, Key};
use super::types::Type;
use super::value::Value;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collected {
    /// Of options, a separator, a text, and what it is sorted by.
    GroupConcat,
    /// Of a value.
    JsonArray,
    /// Of a key and a value.
    JsonObject,
}

impl Collected {
    /// The type of the result, of arguments of these types.
    fn returns(self, types: &[Type]) -> Type {
        match (self, types.get(2)) {
            (Self::GroupConcat, Some(Type::Bytes)) => Type::Bytes,
            (Self::GroupConcat, _) => Type::Text,
            (Self::JsonArray | Self::JsonObject, _) => Type::Json,
        }
    }
}

/// `GROUP_CONCAT`: its options are one letter for DISTINCT, and one for the direction of each key.
pub const GROUP_CONCAT: &str = "#group_concat";
/// DISTINCT among the options of [`GROUP_CONCAT`].
pub const DISTINCT: char = 'd';
/// What stands for it where values may repeat.
pub const ALL: char = '-';
/// A key from the largest value to the smallest.
pub const DESCENDING: char = 'z';
/// A key the other way around.
pub const ASCENDING: char = 'a';

/// All of them.
pub fn functions() -> impl Iterator<Item = Arc<AggregateUDF>> {
    let all = [Collected::GroupConcat, Collected::JsonArray, Collected::JsonObject];
    all.into_iter().map(|kind| Arc::new(AggregateUDF::from(Aggregate::new(kind))))
}

/// One of them as DataFusion's function.
#[derive(Debug)]
struct Aggregate {
    kind: Collected,
    signature: Signature,
}

impl Aggregate {
    fn new(kind: Collected) -> Self {
        Self { kind, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl AggregateUDFImpl for Aggregate {
    fn name(&self) -> &str {
        match self.kind {
            Collected::GroupConcat => GROUP_CONCAT,
            Collected::JsonArray => "json_arrayagg",
            Collected::JsonObject => "json_objectagg",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let fits = match self.kind {
            Collected::GroupConcat => given.len() >= 3,
            Collected::JsonArray => given.len() == 1,
            Collected::JsonObject => given.len() == 2,
        };
        if !fits {
            return plan_err!("{} does not take {} arguments", self.name(), given.len());
        }
        Ok(given.iter().map(|given| Type::from(given).arrow()).collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let types: Vec<Type> = given.iter().map(Type::from).collect();
        Ok(self.kind.returns(&types).arrow())
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let field = |(at, field): (usize, &FieldRef)| {
            let item = Arc::new(Field::new_list_field(field.data_type().clone(), true));
            Arc::new(Field::new(format!("{}[{at}]", args.name), DataType::List(item), true))
        };
        Ok(args.input_fields.iter().enumerate().map(field).collect())
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types = args.expr_fields.iter().map(|field| Type::from(field.data_type())).collect();
        Ok(Box::new(Rows { kind: self.kind, types, rows: Vec::new(), bytes: 0 }))
    }
}

impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Aggregate {}

impl Hash for Aggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
    }
}

/// The rows of one group.
#[derive(Debug)]
struct Rows {
    kind: Collected,
    types: Vec<Type>,
    rows: Vec<Vec<Value<'static>>>,
    bytes: usize,
}

impl Rows {
    fn take(&mut self, arrays: &[ArrayRef]) -> Result<()> {
        let arrays = arrays.iter().map(canonical).collect::<Result<Vec<_>>>()?;
        let columns = arrays.iter().map(|array| Column::new(array, false)).collect::<Result<Vec<_>>>()?;
        for row in 0..arrays.first().map_or(0, |array| array.len()) {
            let values: Vec<Value<'static>> = columns.iter().map(|column| column.get(row).into_owned()).collect();
            let of = match self.kind {
                Collected::GroupConcat => &values[2],
                Collected::JsonArray | Collected::JsonObject => &values[0],
            };
            if of.is_null() && self.kind != Collected::JsonArray {
                if self.kind == Collected::JsonObject {
                    return exec_err!("json_objectagg has a key that is NULL; leave such rows out with WHERE");
                }
                continue;
            }
            let text = |value: &Value<'_>| value.to_text().map_or(0, |text| text.len());
            self.bytes += values.iter().map(|value| text(value) + size_of::<Value<'_>>()).sum::<usize>();
            self.rows.push(values);
        }
        Ok(())
    }

    fn concatenated(&self) -> Result<Value<'static>> {
        let Some(first) = self.rows.first() else { return Ok(Value::Null) };
        let options = first[0].to_text().unwrap_or_default();
        let separator = first[1].to_bytes().unwrap_or_default();
        let directions: Vec<char> = options.chars().skip(1).collect();
        let mut rows: Vec<&Vec<Value<'static>>> = self.rows.iter().collect();
        rows.sort_by(|a, b| {
            let by = |(at, direction): (usize, &char)| {
                let order = order(&a[3 + at], &b[3 + at]);
                if *direction == DESCENDING { order.reverse() } else { order }
            };
            directions.iter().enumerate().map(by).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        let mut seen = HashSet::new();
        let mut made = Vec::new();
        let mut is_first = true;
        for row in rows {
            let bytes = row[2].to_bytes().unwrap_or_default();
            if options.starts_with(DISTINCT) && !seen.insert(bytes.clone().into_owned()) {
                continue;
            }
            if !is_first {
                made.extend_from_slice(&separator);
            }
            is_first = false;
            made.extend_from_slice(&bytes);
            if made.len() > RESULT_BYTES_MAX {
                return exec_err!(
                    "group_concat makes more than {RESULT_BYTES_MAX} bytes of one group; group by more, or select less"
                );
            }
        }
        Ok(Value::Bytes(made.into()))
    }

    fn value(&self) -> Result<Value<'static>> {
        let json = |value: &Value<'_>| match json_of(value) {
            Ok(json) => Ok(json),
            Err(Stop::Null) => Ok(Json::Null),
            Err(Stop::Error(what)) => exec_err!("{what}"),
        };
        let made = match self.kind {
            Collected::GroupConcat => return self.concatenated(),
            _ if self.rows.is_empty() => return Ok(Value::Null),
            Collected::JsonArray => Json::Array(self.rows.iter().map(|row| json(&row[0])).collect::<Result<_>>()?),
            Collected::JsonObject => {
                let member = |row: &Vec<Value<'static>>| {
                    Ok((Key(row[0].to_text().unwrap_or_default().into_owned()), json(&row[1])?))
                };
                Json::Object(self.rows.iter().map(member).collect::<Result<_>>()?)
            }
        };
        let made = made.to_string();
        if made.len() > RESULT_BYTES_MAX {
            return exec_err!(
                "an aggregate makes more than {RESULT_BYTES_MAX} bytes of one group; group by more, or select less"
            );
        }
        Ok(Value::Json(made.into()))
    }
}

/// NULL is less than any value.
fn order(a: &Value<'_>, b: &Value<'_>) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => compare(a, b).unwrap_or(Ordering::Equal),
    }
}

impl Accumulator for Rows {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.take(values)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        literal(&self.value()?, self.kind.returns(&self.types))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let column = |(at, data_type): (usize, &Type)| {
            let mut column = super::columns::Builder::new(*data_type, self.rows.len());
            self.rows.iter().try_for_each(|row| column.push(&row[at], "an aggregate"))?;
            let values = column.finish()?;
            let field = Arc::new(Field::new_list_field(data_type.arrow(), true));
            let offsets = OffsetBuffer::from_lengths([values.len()]);
            Ok(ScalarValue::List(Arc::new(ListArray::try_new(field, offsets, values, None)?)))
        };
        self.types.iter().enumerate().map(column).collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let Some(first) = states.first() else { return internal_err!("an aggregate has no state") };
        for row in 0..first.len() {
            let arrays: Vec<ArrayRef> = states.iter().map(|state| state.as_list::<i32>().value(row)).collect();
            self.take(&arrays)?;
        }
        Ok(())
    }
}
