//! Schemas on their way: a stream of pushes has each of them once.
//!
//! A schema is many times as large as a row that has it, and a node pushes the same few for as long as it lives. Whoever
//! sends one in full has numbered it, and so has whoever receives it; later pushes name the number.

use std::sync::Arc;

use super::convert::parts::{required, row_from_wire, row_to_wire};
use super::invalid::at_most;
use super::limits::PUSH_BYTES_MAX;
use super::{Invalid, Push, TableRefusal, TableSchema, TableSnapshot};
use crate::wire;

/// Schemas that are numbered; later ones are sent in full each time.
const NUMBERED_MAX: usize = 256;

/// What a sender has sent on one stream.
#[derive(Debug, Default)]
pub struct SchemasSent(Vec<Arc<TableSchema>>);

/// What a receiver has received on one stream; also what was wrong.
#[derive(Debug, Default)]
pub struct SchemasSeen(Vec<Schema>);

/// The schema of a table, or the name that was sent and what is wrong.
type Schema = Result<Arc<TableSchema>, TableRefusal>;

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
        wire::Push {
            node: Some((&push.node).into()),
            epoch: push.epoch,
            sequence: push.sequence,
            tables,
            whole: push.whole,
            refused: push.refused.iter().map(Into::into).collect(),
        }
    }
}

impl SchemasSeen {
    /// The next push of the stream, without those of its tables that are not within their limits.
    ///
    /// # Errors
    /// When the push itself is not: with the value and the remedy. Later pushes can be right.
    pub fn push(&mut self, wire: wire::Push) -> Result<Push, Invalid> {
        let bytes = prost::Message::encoded_len(&wire);
        let wire::Push { node, epoch, sequence, tables, whole, refused } = wire;
        // All of them, also behind a wrong one: the sender has numbered them.
        let schemas: Vec<_> = tables.iter().map(|table| self.schema(table)).collect();
        at_most("the push", bytes, PUSH_BYTES_MAX, "bytes")?;
        let node = required(node, "node")?.try_into()?;
        let refused = refused.into_iter().map(|refused| Err(TableRefusal::new(&refused.table, refused.why)));
        let table = |(schema, table): (Schema, wire::TableSnapshot)| {
            let schema = schema?;
            let rows = table.rows.into_iter().map(row_from_wire).collect();
            Ok(TableSnapshot { schema, rows, collected_at_us: table.collected_at_us })
        };
        let tables = refused.chain(schemas.into_iter().zip(tables).map(table)).collect();
        Ok(Push { whole, ..Push::without_refused(node, epoch, sequence, tables)? })
    }

    fn schema(&mut self, table: &wire::TableSnapshot) -> Schema {
        if let Some(position) = (table.schema_number as usize).checked_sub(1) {
            let unknown = || {
                let what = format!("schema {} of a stream that had {}", table.schema_number, self.0.len());
                Err(TableRefusal::new("", format!("{what}; send the schema")))
            };
            return self.0.get(position).cloned().unwrap_or_else(unknown);
        }
        let schema = match &table.schema {
            Some(schema) => {
                let parsed = TableSchema::try_from(schema.clone()).map(Arc::new);
                parsed.map_err(|invalid| TableRefusal::new(&schema.name, invalid))
            }
            None => Err(TableRefusal::new("", "a table without a schema; send it")),
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
        assert!(seen.push(wrong).unwrap().refused[0].why.contains("has no columns"));
        let again = seen.push(sent.push(&push(2, &[("a", "x"), ("b", "x")]))).unwrap();
        assert_eq!((again.refused[0].table.as_str(), again.tables.len()), ("a", 1));
        assert!(again.refused[0].why.contains("has no columns"), "{again:?}");
        assert_eq!(seen.push(sent.push(&push(3, &[("b", "x")]))).unwrap().tables[0].schema.name.as_str(), "b");
        let push = SchemasSeen::default().push(sent.push(&push(4, &[("b", "x")]))).unwrap();
        assert!(push.refused[0].why.contains("schema 2 of a stream that had 0"), "{push:?}");
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
