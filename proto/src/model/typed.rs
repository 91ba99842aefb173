//! Typed rows: a column is one line with its name, its type, its comment and its reader ([`crate::typed_rows`]).
//!
//! The type names what a reader may give: anything else does not compile. A value that may be missing is an `Option`, one that
//! is never there is [`Null`].

use super::{ChangeId, DataType, QueryId, ReplicaId, Value};

/// A type of columns, by the name that [`DataType`] has for it.
pub trait Kind {
    /// The type.
    const TYPE: DataType;
}

/// What a column of this type can have as its value.
pub trait Cell<K: Kind> {
    /// The value.
    fn into_value(self) -> Value;
}

/// The value of a column of this type.
pub fn cell<K: Kind>(value: impl Cell<K>) -> Value {
    value.into_value()
}

/// A value that is never there.
#[derive(Debug, Clone, Copy)]
pub struct Null;

impl<K: Kind> Cell<K> for Null {
    fn into_value(self) -> Value {
        Value::Null
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident: $($from:ty),+;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $kind;

        impl Kind for $kind {
            const TYPE: DataType = DataType::$kind;
        }

        $(
            impl Cell<$kind> for $from {
                fn into_value(self) -> Value {
                    Value::$kind(self.into())
                }
            }

            impl Cell<$kind> for Option<$from> {
                fn into_value(self) -> Value {
                    self.map_or(Value::Null, |value| Value::$kind(value.into()))
                }
            }
        )+
    )+};
}

kinds! {
    /// True or false.
    Bool: bool;
    /// A signed integer.
    Int64: i64, i32, u32;
    /// An unsigned integer.
    UInt64: u64, u32, ChangeId, QueryId, ReplicaId;
    /// A double.
    Float64: f64, f32;
    /// Text.
    Text: &str, String, &String;
    /// Bytes.
    Bytes: Vec<u8>;
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp: i64;
}

/// A table's columns, and the function that makes one of its rows, from one line a column.
///
/// ```
/// unum_proto::typed_rows! {
///     /// The queues of a host.
///     pub const COLUMNS;
///     fn row(name: &str, depth: Option<u64>) {}
///     "queue": Text, "which" => name;
///     "depth": UInt64, "jobs that wait" => depth;
/// }
/// assert_eq!(COLUMNS[1].0, "depth");
/// assert_eq!(row("mail", None), vec!["mail".into(), unum_proto::model::Value::Null]);
/// ```
#[macro_export]
macro_rules! typed_rows {
    (
        $(#[$doc:meta])*
        $vis:vis const $columns:ident;
        $(#[$row_doc:meta])*
        $row_vis:vis fn $row:ident($($arg:ident: $type:ty),* $(,)?) { $($before:tt)* }
        $($name:literal: $kind:ident, $comment:literal => $value:expr;)+
    ) => {
        $(#[$doc])*
        $vis const $columns: &[(&str, $crate::model::DataType, &str)] =
            &[$(($name, $crate::model::DataType::$kind, $comment)),+];

        $(#[$row_doc])*
        $row_vis fn $row($($arg: $type),*) -> $crate::model::Row {
            $($before)*
            vec![$($crate::model::typed::cell::<$crate::model::typed::$kind>($value)),+]
        }
    };
}
