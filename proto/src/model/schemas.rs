//! Schemas on their way: a stream of pushes has each of them once.
//!
//! A schema is many times as large as a row that has it, and a node pushes the same few for as long as it lives. Whoever
//! sends one in full has numbered it, and so has whoever receives it; later pushes name the number.

use std::sync::Arc;

use super::convert::parts::{required, row_from_wire, row_to_wire};
use super::invalid::at_most;
use super::limits::PUSH_BYTES_MAX;
use super::{Invalid, Push, TableSchema, TableSnapshot};
use crate::wire;

/// Schemas that are numbered; later ones are sent in full each time.
const NUMBERED_MAX: usize = 256;

/// What a sender has sent on one stream.
#[derive(Debug, Default)]
pub struct SchemasSent(Vec<Arc<TableSchema>>);

/// What a receiver has received on one stream; also what was wrong.
#[derive(Debug, Default)]
pub struct SchemasSeen(Vec<Result<Arc<TableSchema>, Invalid>>);

impl SchemasSent {
    /// The next push of the stream.
    pub fn push(&mut self, push: &Push) -> wire::Push {
        let tables = push.tables.iter().map(|table| {
            let known = self.0.iter().position(|sent| Arc::ptr_eq(sent, &table.schema) || *sent == table.schema);
            match known {
                Some(position) => wire::TableSnapshot {
                    schema: None,
                    schema_number: position as u32 + 1,
                    rows: table.rows.iter().map(row_to_wire).collect(),
                    collected_at_us: table.collected_at_us,
                },
                None => {
                    if self.0.len() < NUMBERED_MAX {
                        self.0.push(Arc::clone(&table.schema));
                    }
                    wire::TableSnapshot::from(table)
                }
            }
        });
        let tables = tables.collect();
        wire::Push { node: Some((&push.node).into()), epoch: push.epoch, sequence: push.sequence, tables }
    }
}

impl SchemasSeen {
    /// The next push of the stream, within its limits.
    ///
    /// # Errors
    /// When it is not: with the value and the remedy. Later pushes can be right.
    pub fn push(&mut self, wire: wire::Push) -> Result<Push, Invalid> {
        let bytes = prost::Message::encoded_len(&wire);
        let wire::Push { node, epoch, sequence, tables } = wire;
        // All of them, also behind a wrong one: the sender has numbered them.
        let schemas: Vec<_> = tables.iter().map(|table| self.schema(table)).collect();
        at_most("the push", bytes, PUSH_BYTES_MAX, "bytes")?;
        let node = required(node, "node")?.try_into()?;
        let table = |(schema, table): (Result<_, _>, wire::TableSnapshot)| {
            let rows = table.rows.into_iter().map(row_from_wire).collect();
            Ok(TableSnapshot { schema: schema?, rows, collected_at_us: table.collected_at_us })
        };
        let tables = schemas.into_iter().zip(tables).map(table).collect::<Result<_, Invalid>>()?;
        Push::new(node, epoch, sequence, tables)
    }

    fn schema(&mut self, table: &wire::TableSnapshot) -> Result<Arc<TableSchema>, Invalid> {
        if let Some(position) = (table.schema_number as usize).checked_sub(1) {
            let unknown = || {
                let what = format!("schema {} of a stream that had {}", table.schema_number, self.0.len());
                Err(Invalid::new(what, "send the schema"))
            };
            return self.0.get(position).cloned().unwrap_or_else(unknown);
        }
        let schema = match &table.schema {
            Some(schema) => TableSchema::try_from(schema.clone()).map(Arc::new),
            None => required(None, "table schema"),
        };
        if self.0.len() < NUMBERED_MAX {
            self.0.push(schema.clone());
        }
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DataType, NodeDescription, NodeKey};
    use super::*;

    fn push(sequence: u64, tables: &[(&str, &str)]) -> Push {
        let node = NodeDescription::new(NodeKey::parse("tikv", "1").unwrap());
        let table = |(name, column): &(&str, &str)| TableSnapshot {
            schema: Arc::new(TableSchema::of(name, &[(column, DataType::Text, "what it means")]).unwrap()),
            rows: vec![vec!["x".into()]],
            collected_at_us: 7,
        };
        Push::new(node, 1, sequence, tables.iter().map(table).collect()).unwrap()
    }

    #[test]
    fn a_stream_has_each_schema_once_and_ends_with_the_same_pushes() {
        let (mut sent, mut seen) = (SchemasSent::default(), SchemasSeen::default());
        let mut in_full = Vec::new();
        for tables in
            [&[("a", "x"), ("b", "x")][..], &[("b", "x"), ("c", "x")], &[("a", "y")], &[("a", "y"), ("a2", "x")]]
        {
            let push = push(in_full.len() as u64 + 1, tables);
            let wire = sent.push(&push);
            in_full.push(wire.tables.iter().filter(|table| table.schema.is_some()).count());
            assert_eq!(seen.push(wire).unwrap(), push);
        }
        assert_eq!(in_full, [2, 1, 1, 1]);
    }

    #[test]
    fn a_wrong_schema_has_its_number_and_an_unknown_number_is_told() {
        let (mut sent, mut seen) = (SchemasSent::default(), SchemasSeen::default());
        let mut wrong = sent.push(&push(1, &[("a", "x")]));
        wrong.tables[0].schema.as_mut().unwrap().columns.clear();
        assert!(seen.push(wrong).unwrap_err().to_string().contains("has no columns"));
        let again = seen.push(sent.push(&push(2, &[("a", "x"), ("b", "x")]))).unwrap_err().to_string();
        assert!(again.contains("has no columns"), "{again}");
        assert_eq!(seen.push(sent.push(&push(3, &[("b", "x")]))).unwrap().tables[0].schema.name.as_str(), "b");
        let error = SchemasSeen::default().push(sent.push(&push(4, &[("b", "x")]))).unwrap_err().to_string();
        assert!(error.contains("schema 2 of a stream that had 0"), "{error}");
    }

    #[test]
    fn beyond_the_numbers_schemas_are_sent_in_full() {
        let (mut sent, mut seen) = (SchemasSent::default(), SchemasSeen::default());
        for turn in 0..2 {
            for number in 0..NUMBERED_MAX + 3 {
                let push = push(1, &[(&format!("t{number}"), "x")]);
                let wire = sent.push(&push);
                assert_eq!(wire.tables[0].schema.is_some(), turn == 0 || number >= NUMBERED_MAX, "{turn} {number}");
                assert_eq!(seen.push(wire).unwrap(), push);
            }
        }
    }
}
