//! Pushes as a log entry has them: each schema once. They would be most of the bytes otherwise, and of the time to read them.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeDescription, Push, Row, TableRefusal, TableSchema, TableSnapshot};

/// Pushes as they are written: a schema is the number of one that comes first.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Packed<P> {
    received_at_us: i64,
    pub(super) schemas: Vec<Arc<TableSchema>>,
    pushes: Vec<P>,
}

/// A push of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PackedPush<'a> {
    node: Cow<'a, NodeDescription>,
    epoch: u64,
    sequence: u64,
    tables: Vec<PackedTable<'a>>,
    content_hash: u64,
    refused: Cow<'a, [TableRefusal]>,
    whole: bool,
}

/// A push as it was written when one refused table refused all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PackedPushBefore<'a> {
    node: Cow<'a, NodeDescription>,
    epoch: u64,
    sequence: u64,
    tables: Vec<PackedTable<'a>>,
    content_hash: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct PackedTable<'a> {
    schema: u32,
    rows: Cow<'a, [Row]>,
    collected_at_us: i64,
}

impl<'a> From<PackedPushBefore<'a>> for PackedPush<'a> {
    fn from(before: PackedPushBefore<'a>) -> Self {
        let PackedPushBefore { node, epoch, sequence, tables, content_hash } = before;
        Self { node, epoch, sequence, tables, content_hash, refused: Cow::Borrowed(&[]), whole: true }
    }
}

impl<'a> Packed<PackedPush<'a>> {
    pub(super) fn of(received_at_us: i64, pushes: impl Iterator<Item = (&'a Push, u64)>) -> Self {
        let mut schemas: Vec<Arc<TableSchema>> = Vec::new();
        let mut number_of = |schema: &Arc<TableSchema>| {
            let known = schemas.iter().position(|known| Arc::ptr_eq(known, schema) || known == schema);
            known.unwrap_or_else(|| {
                schemas.push(Arc::clone(schema));
                schemas.len() - 1
            }) as u32
        };
        let mut table = |table: &'a TableSnapshot| PackedTable {
            schema: number_of(&table.schema),
            rows: Cow::Borrowed(table.rows.as_slice()),
            collected_at_us: table.collected_at_us,
        };
        let pushes = pushes.map(|(push, content_hash)| PackedPush {
            node: Cow::Borrowed(&push.node),
            epoch: push.epoch,
            sequence: push.sequence,
            tables: push.tables.iter().map(&mut table).collect(),
            content_hash,
            refused: Cow::Borrowed(push.refused.as_slice()),
            whole: push.whole,
        });
        let pushes = pushes.collect();
        Self { received_at_us, schemas, pushes }
    }
}

impl<'a, P: Into<PackedPush<'a>>> Packed<P> {
    /// When they were received, and each with the hash of its content. An error says that they are not what was written.
    pub(super) fn unpack(self) -> Result<(i64, Vec<(Push, u64)>), String> {
        let Self { received_at_us, schemas, pushes } = self;
        let table = |table: PackedTable<'_>| {
            let schema = schemas.get(table.schema as usize).cloned();
            let schema = schema.ok_or_else(|| format!("there is no schema {}", table.schema))?;
            Ok(TableSnapshot { schema, rows: table.rows.into_owned(), collected_at_us: table.collected_at_us })
        };
        let push = |push: P| {
            let PackedPush { node, epoch, sequence, tables, content_hash, refused, whole } = push.into();
            let tables = tables.into_iter().map(table).collect::<Result<_, String>>()?;
            let push = Push { node: node.into_owned(), epoch, sequence, tables, refused: refused.into_owned(), whole };
            Ok((push, content_hash))
        };
        Ok((received_at_us, pushes.into_iter().map(push).collect::<Result<_, String>>()?))
    }
}
