//! Conversions between wire and model. From the wire they validate; to the wire they cannot fail.
//!
//! Here stand those of data and pushes; `query`, `config` and `admin` have theirs.

mod admin;
mod config;
mod instance;
pub(super) mod parts;
mod query;

use self::parts::{required, row_to_wire};
use super::invalid::{at_most, quoted};
use super::limits::{NODE_NAME_CHARS_MAX, PUSH_BYTES_MAX, TTL_MS_DEFAULT};
use super::{
    Column, DataType, Invalid, NodeDescription, NodeKey, Push, PushOutcome, PushRetry, RetryReason, SchemasSeen,
    TableRefusal, TableSchema, TableSnapshot, Value,
};
use crate::wire;

// Data.

impl TryFrom<wire::NodeKey> for NodeKey {
    type Error = Invalid;

    fn try_from(wire: wire::NodeKey) -> Result<Self, Invalid> {
        Self::parse(&wire.node_type, &wire.id)
    }
}

impl From<&NodeKey> for wire::NodeKey {
    fn from(key: &NodeKey) -> Self {
        Self { node_type: key.node_type.to_string(), id: key.id.to_string() }
    }
}

impl TryFrom<wire::NodeDescription> for NodeDescription {
    type Error = Invalid;

    fn try_from(wire: wire::NodeDescription) -> Result<Self, Invalid> {
        let key = required(wire.key, "node key")?.try_into()?;
        let ttl_ms = if wire.ttl_ms == 0 { TTL_MS_DEFAULT } else { wire.ttl_ms };
        Ok(Self { key, ip: wire.ip, version: wire.version, labels: wire.labels, ttl_ms })
    }
}

impl From<&NodeDescription> for wire::NodeDescription {
    fn from(node: &NodeDescription) -> Self {
        Self {
            key: Some((&node.key).into()),
            ip: node.ip.clone(),
            version: node.version.clone(),
            labels: node.labels.clone(),
            ttl_ms: node.ttl_ms,
        }
    }
}

impl TryFrom<wire::DataType> for DataType {
    type Error = Invalid;

    fn try_from(wire: wire::DataType) -> Result<Self, Invalid> {
        Ok(match wire {
            wire::DataType::Unspecified => {
                return Err(Invalid::new("a column has no data type", "name one of unum.v1.DataType"));
            }
            wire::DataType::Bool => Self::Bool,
            wire::DataType::Int64 => Self::Int64,
            wire::DataType::Uint64 => Self::UInt64,
            wire::DataType::Float64 => Self::Float64,
            wire::DataType::Text => Self::Text,
            wire::DataType::Bytes => Self::Bytes,
            wire::DataType::Timestamp => Self::Timestamp,
        })
    }
}

impl From<DataType> for wire::DataType {
    fn from(data_type: DataType) -> Self {
        match data_type {
            DataType::Bool => Self::Bool,
            DataType::Int64 => Self::Int64,
            DataType::UInt64 => Self::Uint64,
            DataType::Float64 => Self::Float64,
            DataType::Text => Self::Text,
            DataType::Bytes => Self::Bytes,
            DataType::Timestamp => Self::Timestamp,
        }
    }
}

impl TryFrom<wire::Column> for Column {
    type Error = Invalid;

    fn try_from(wire: wire::Column) -> Result<Self, Invalid> {
        let data_type = wire::DataType::try_from(wire.data_type).map_err(|_| {
            Invalid::new(
                format!("column {} has the unknown data type {}", quoted(&wire.name), wire.data_type),
                "name one of unum.v1.DataType, or upgrade the replicas first",
            )
        })?;
        Ok(Self {
            name: wire.name.parse()?,
            data_type: data_type.try_into()?,
            nullable: wire.nullable,
            comment: wire.comment,
        })
    }
}

impl From<&Column> for wire::Column {
    fn from(column: &Column) -> Self {
        Self {
            name: column.name.to_string(),
            data_type: wire::DataType::from(column.data_type).into(),
            nullable: column.nullable,
            comment: column.comment.clone(),
        }
    }
}

impl TryFrom<wire::TableSchema> for TableSchema {
    type Error = Invalid;

    fn try_from(wire: wire::TableSchema) -> Result<Self, Invalid> {
        let columns = wire.columns.into_iter().map(Column::try_from).collect::<Result<_, _>>()?;
        Self::new(wire.name.parse()?, columns)
    }
}

impl From<&TableSchema> for wire::TableSchema {
    fn from(schema: &TableSchema) -> Self {
        Self { name: schema.name.to_string(), columns: schema.columns.iter().map(Into::into).collect() }
    }
}

impl From<wire::Value> for Value {
    fn from(wire: wire::Value) -> Self {
        use wire::value::Kind;
        match wire.kind {
            None => Self::Null,
            Some(Kind::BoolValue(v)) => Self::Bool(v),
            Some(Kind::Int64Value(v)) => Self::Int64(v),
            Some(Kind::Uint64Value(v)) => Self::UInt64(v),
            // No zero is negative: as keys of groups and joins both would be different ones.
            Some(Kind::Float64Value(v)) => Self::Float64(v + 0.0),
            Some(Kind::TextValue(v)) => Self::Text(v),
            Some(Kind::BytesValue(v)) => Self::Bytes(v),
            Some(Kind::TimestampUs(v)) => Self::Timestamp(v),
        }
    }
}

impl From<&Value> for wire::Value {
    fn from(value: &Value) -> Self {
        use wire::value::Kind;
        let kind = match value {
            Value::Null => None,
            Value::Bool(v) => Some(Kind::BoolValue(*v)),
            Value::Int64(v) => Some(Kind::Int64Value(*v)),
            Value::UInt64(v) => Some(Kind::Uint64Value(*v)),
            Value::Float64(v) => Some(Kind::Float64Value(*v)),
            Value::Text(v) => Some(Kind::TextValue(v.clone())),
            Value::Bytes(v) => Some(Kind::BytesValue(v.clone())),
            Value::Timestamp(v) => Some(Kind::TimestampUs(*v)),
        };
        Self { kind }
    }
}

impl From<&TableSnapshot> for wire::TableSnapshot {
    fn from(table: &TableSnapshot) -> Self {
        Self {
            schema: Some(table.schema.as_ref().into()),
            rows: table.rows.iter().map(row_to_wire).collect(),
            collected_at_us: table.collected_at_us,
            schema_number: 0,
        }
    }
}

impl TryFrom<wire::Push> for Push {
    type Error = Invalid;

    /// A push by itself, on no stream.
    fn try_from(wire: wire::Push) -> Result<Self, Invalid> {
        SchemasSeen::default().push(wire)
    }
}

impl Push {
    /// Whether the push fits a message, before it is sent: a replica would close the stream over it.
    pub fn check_size(&self) -> Result<(), Invalid> {
        if self.bytes_at_most() <= PUSH_BYTES_MAX {
            return Ok(());
        }
        let what = format!("the push of node {}", self.node.key);
        at_most(&what, prost::Message::encoded_len(&wire::Push::from(self)), PUSH_BYTES_MAX, "bytes")
    }
}

impl Push {
    /// More bytes than its message has, found out without making it.
    fn bytes_at_most(&self) -> usize {
        // A tag, a length and a number are at most so many bytes each.
        const AROUND: usize = 16;
        let description = &self.node;
        let labels = description.labels.iter().map(|(name, value)| name.len() + value.len() + 2 * AROUND);
        let node = description.ip.len() + description.version.len() + labels.sum::<usize>();
        let names = 2 * NODE_NAME_CHARS_MAX + 8 * AROUND;
        let table = |table: &TableSnapshot| {
            let columns = table.schema.columns.iter().map(|column| column.name.as_str().len() + column.comment.len());
            let cells = table.rows.iter().flatten().map(|value| value.bytes() + AROUND);
            let around = (4 + 4 * table.schema.columns.len() + table.rows.len()) * AROUND;
            table.schema.name.as_str().len() + columns.sum::<usize>() + cells.sum::<usize>() + around
        };
        node + names + self.tables.iter().map(table).sum::<usize>()
    }
}

impl From<&Push> for wire::Push {
    fn from(push: &Push) -> Self {
        Self {
            node: Some((&push.node).into()),
            epoch: push.epoch,
            sequence: push.sequence,
            tables: push.tables.iter().map(Into::into).collect(),
            whole: push.whole,
            refused: push.refused.iter().map(Into::into).collect(),
        }
    }
}

impl From<&TableRefusal> for wire::TableRefused {
    fn from(refusal: &TableRefusal) -> Self {
        Self { table: refusal.table.clone(), why: refusal.why.clone() }
    }
}

impl wire::PushReply {
    /// The reply to the push of that sequence.
    pub fn new(sequence: u64, result: Result<PushOutcome, PushRetry>) -> Self {
        use wire::push_reply::Result as Reply;
        let result = match result {
            Ok(PushOutcome::Accepted { revision, duplicate, refused }) => {
                let refused = refused.iter().map(Into::into).collect();
                Reply::Accepted(wire::PushAccepted { revision, duplicate, refused })
            }
            Ok(PushOutcome::Refused { message }) => Reply::Refused(wire::PushRefused { message }),
            Err(PushRetry { message, retry_after_ms, reason }) => {
                let reason = wire::PushUnavailableReason::from(reason).into();
                Reply::Unavailable(wire::PushUnavailable { message, retry_after_ms, reason })
            }
        };
        Self { sequence, result: Some(result) }
    }

    /// What the reply says.
    pub fn into_result(self) -> Result<Result<PushOutcome, PushRetry>, Invalid> {
        use wire::push_reply::Result as Reply;
        Ok(match required(self.result, "push result")? {
            Reply::Accepted(wire::PushAccepted { revision, duplicate, refused }) => {
                let refused =
                    refused.into_iter().map(|refused| TableRefusal::new(&refused.table, refused.why)).collect();
                Ok(PushOutcome::Accepted { revision, duplicate, refused })
            }
            Reply::Refused(r) => Ok(PushOutcome::Refused { message: r.message }),
            Reply::Unavailable(u) => {
                Err(PushRetry { reason: u.reason().into(), message: u.message, retry_after_ms: u.retry_after_ms })
            }
        })
    }
}

impl From<RetryReason> for wire::PushUnavailableReason {
    fn from(reason: RetryReason) -> Self {
        match reason {
            RetryReason::NotWritten => Self::NotWritten,
            RetryReason::OutcomeUnknown => Self::OutcomeUnknown,
            RetryReason::ResourceExhausted => Self::ResourceExhausted,
        }
    }
}

impl From<wire::PushUnavailableReason> for RetryReason {
    fn from(wire: wire::PushUnavailableReason) -> Self {
        match wire {
            wire::PushUnavailableReason::NotWritten => Self::NotWritten,
            wire::PushUnavailableReason::ResourceExhausted => Self::ResourceExhausted,
            // What a sender does not say cannot be ruled out.
            wire::PushUnavailableReason::OutcomeUnknown | wire::PushUnavailableReason::Unspecified => {
                Self::OutcomeUnknown
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Row;
    use super::super::limits::EPOCH_MAX;
    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int64),
            any::<u64>().prop_map(Value::UInt64),
            proptest::num::f64::NORMAL.prop_map(Value::Float64),
            any::<String>().prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<i64>().prop_map(Value::Timestamp),
        ]
    }

    /// A push of one row, whose schema has the types of its values.
    fn push() -> impl Strategy<Value = Push> {
        (proptest::collection::vec(value(), 1..20), 1..u64::MAX, 0..=EPOCH_MAX, any::<i64>()).prop_map(
            |(row, sequence, epoch, collected_at_us)| {
                let columns: Vec<_> = row
                    .iter()
                    .enumerate()
                    .map(|(i, v)| Column {
                        name: format!("c{i}").parse().unwrap(),
                        data_type: v.data_type().unwrap_or(DataType::Text),
                        nullable: true,
                        comment: String::new(),
                    })
                    .collect();
                let schema = TableSchema::new("t".parse().unwrap(), columns).unwrap().into();
                let mut node = NodeDescription::new(NodeKey::parse("tikv", "1").unwrap());
                node.labels.insert("zone".into(), "eu".into());
                Push::new(node, epoch, sequence, vec![TableSnapshot { schema, rows: vec![row], collected_at_us }])
                    .unwrap()
            },
        )
    }

    proptest! {
        #[test]
        fn a_push_survives_the_wire(push in push()) {
            let wire = wire::Push::from(&push);
            prop_assert!(prost::Message::encoded_len(&wire) <= push.bytes_at_most());
            prop_assert_eq!(Push::try_from(wire).unwrap(), push);
        }
    }

    #[test]
    fn a_wrong_push_is_refused_with_the_value_and_the_remedy() {
        let table = |columns: &[(&str, DataType, &str)], row: Row| TableSnapshot {
            schema: TableSchema::of("node_info", columns).unwrap().into(),
            rows: vec![row],
            collected_at_us: 0,
        };
        let cases: [(TableSnapshot, &str); 4] = [
            (
                table(&[("cpu", DataType::Float64, "")], vec!["high".into()]),
                "node_info.cpu is DOUBLE but the row has a TEXT: \"Text(\\\"high\\\")\"; send the declared type",
            ),
            (
                table(&[("cpu", DataType::Float64, "")], vec![]),
                "a row of table node_info has 0 values; its schema has 1 columns: send one value for each",
            ),
            (
                table(&[("id", DataType::Text, "")], vec!["tikv_2".into()]),
                "node_info.id is \"Text(\\\"tikv_2\\\")\" in a push of node tikv/tikv_1; \
                 a node pushes its own rows only: send \"tikv_1\"",
            ),
            (
                table(&[("x", DataType::Text, "")], vec!["x".repeat(70_000).into()]),
                "a row of table node_info has 70004 bytes; the limit is 65536",
            ),
        ];
        for (table, expected) in cases {
            let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap());
            assert_eq!(Push::new(node, 1, 1, vec![table]).unwrap_err().to_string(), expected);
        }
    }
}
