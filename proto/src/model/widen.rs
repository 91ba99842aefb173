//! Which types hold the values of others without loss: what a column becomes when nodes push different types of it.
//!
//! BOOLEAN is a BIGINT, whole numbers and doubles hold each other's values as far as none is lost, everything but bytes
//! is a text, and a text is bytes.

use super::{DataType, Value};

/// Up to here every whole number is a double of its own.
const DOUBLE_EXACT_MAX: u64 = 1 << 53;

/// All types, the narrowest first: a column becomes the first that holds all its values.
const NARROWEST_FIRST: [DataType; 7] = [
    DataType::Bool,
    DataType::Int64,
    DataType::UInt64,
    DataType::Float64,
    DataType::Timestamp,
    DataType::Text,
    DataType::Bytes,
];

impl DataType {
    /// The type of a column that had this one, with values `known`, and of which a node pushes `pushed`; this one where
    /// that holds them, too. It never narrows: what it was is what its values are.
    pub fn widened<'a, 'b, K: Iterator<Item = &'b Value>>(
        self,
        known: impl Fn() -> K,
        pushed: impl Iterator<Item = &'a Value> + Clone,
    ) -> Self {
        if pushed.clone().all(|value| value.fits(self)) {
            return self;
        }
        let wider = NARROWEST_FIRST.into_iter().filter(|wider| wider.is_wider_than(self));
        let mut wider = wider.filter(|wider| pushed.clone().all(|value| value.fits(*wider)));
        wider.find(|wider| known().all(|value| value.fits(*wider))).unwrap_or(Self::Bytes)
    }

    /// Whether a column of that type may become one of this.
    fn is_wider_than(self, narrow: Self) -> bool {
        use DataType::{Bool, Bytes, Float64, Int64, Text, Timestamp, UInt64};
        match narrow {
            Bool => matches!(self, Int64 | UInt64 | Float64 | Text | Bytes),
            Int64 => matches!(self, UInt64 | Float64 | Text | Bytes),
            UInt64 => matches!(self, Float64 | Text | Bytes),
            Float64 | Timestamp => matches!(self, Text | Bytes),
            Text => matches!(self, Bytes),
            Bytes => false,
        }
    }
}

impl Value {
    /// Whether a column of that type holds the value without loss.
    pub fn fits(&self, column: DataType) -> bool {
        use DataType::{Bool, Bytes, Float64, Int64, Text, Timestamp, UInt64};
        match (self, column) {
            (Self::Null, _) | (_, Bytes) => true,
            (Self::Bytes(_), _) => false,
            (_, Text) => true,
            (Self::Bool(_), Bool | Int64 | UInt64 | Float64) => true,
            (Self::Int64(_), Int64) | (Self::UInt64(_), UInt64) => true,
            (Self::Int64(value), UInt64) => *value >= 0,
            (Self::UInt64(value), Int64) => i64::try_from(*value).is_ok(),
            (Self::Int64(value), Float64) => value.unsigned_abs() <= DOUBLE_EXACT_MAX,
            (Self::UInt64(value), Float64) => *value <= DOUBLE_EXACT_MAX,
            (Self::Float64(_), Float64) | (Self::Timestamp(_), Timestamp) => true,
            (_, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn widened(known: &[Value], of: DataType, pushed: &[Value]) -> DataType {
        of.widened(|| known.iter(), pushed.iter())
    }

    #[test]
    fn a_column_becomes_the_narrowest_that_loses_nothing() {
        use DataType::{Bool, Bytes, Float64, Int64, Text, Timestamp, UInt64};
        const BEYOND: i64 = (1 << 53) + 1;
        for (known, of, pushed, becomes) in [
            (&[Value::Int64(1)][..], Int64, Value::Float64(1.5), Float64),
            (&[Value::Int64(BEYOND)], Int64, Value::Float64(1.5), Text),
            (&[Value::Float64(1.5)], Float64, Value::Int64(2), Float64),
            (&[Value::Float64(1.5)], Float64, Value::Int64(BEYOND), Text),
            (&[Value::Bool(true)], Bool, Value::Int64(2), Int64),
            (&[Value::Int64(1)], Int64, Value::Bool(true), Int64),
            (&[Value::Int64(1)], Int64, Value::UInt64(u64::MAX), UInt64),
            (&[Value::Int64(-1)], Int64, Value::UInt64(u64::MAX), Text),
            (&[Value::Int64(-1)], Int64, Value::UInt64(7), Int64),
            (&[Value::UInt64(1)], UInt64, Value::Int64(7), UInt64),
            (&[Value::UInt64(1)], UInt64, Value::Int64(-7), Float64),
            (&[Value::Timestamp(1)], Timestamp, "n/a".into(), Text),
            (&[Value::Timestamp(1)], Timestamp, Value::Int64(1), Text),
            (&["x".into()], Text, Value::Timestamp(1), Text),
            (&["x".into()], Text, Value::Bytes(vec![0xff]), Bytes),
            (&[Value::Null], Int64, Value::Null, Int64),
        ] {
            assert_eq!(widened(known, of, std::slice::from_ref(&pushed)), becomes, "{known:?} and {pushed:?}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int64),
            (-9i64..9).prop_map(Value::Int64),
            any::<u64>().prop_map(Value::UInt64),
            (0u64..9).prop_map(Value::UInt64),
            any::<f64>().prop_map(Value::Float64),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<i64>().prop_map(Value::Timestamp),
        ]
    }

    proptest! {
        #[test]
        fn whatever_comes_all_of_it_fits_and_the_type_never_narrows(values in proptest::collection::vec(value(), 1..9)) {
            let Some(mut of) = values.iter().find_map(Value::data_type) else { return Ok(()) };
            for (at, pushed) in values.iter().enumerate() {
                let becomes = widened(&values[..at], of, std::slice::from_ref(pushed));
                prop_assert!(becomes == of || becomes.is_wider_than(of));
                of = becomes;
                prop_assert!(values[..=at].iter().all(|value| value.fits(of)), "{values:?} {of}");
            }
        }
    }
}
