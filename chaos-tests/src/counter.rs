//! The simplest thing to push and to read: a number a node, which only grows. And that nothing can be read.

use anyhow::bail;
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Publisher, Table, TableSnapshot};

use crate::cluster::until;

/// A publisher for the node `test/<id>`.
pub fn publisher(client: &Client, id: &str) -> Publisher {
    client.publisher(NodeDescription::new(NodeKey::parse("test", id).expect("a legal name")))
}

/// The table `counter` with one row.
pub fn counter(value: i64) -> Vec<TableSnapshot> {
    let table =
        Table::new("counter", &[("value", DataType::Int64, "a number that only grows")]).expect("a legal schema");
    vec![table.row([value.into()]).snapshot()]
}

/// The same, and so many bytes of text in a table of its own. No two pushes have the same, and it hardly compresses.
pub fn counter_with(value: i64, payload: usize) -> Vec<TableSnapshot> {
    let mut tables = counter(value);
    if payload > 0 {
        let mut random = (value as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let letter = |_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            char::from(b' ' + (random % 95) as u8)
        };
        let text: String = (0..payload).map(letter).collect();
        let table = Table::new("payload", &[("text", DataType::Text, "anything")]).expect("a legal schema");
        tables.push(table.row([text.into()]).snapshot());
    }
    tables
}

/// The number of a node.
pub async fn read_counter(client: &Client, id: &str) -> Result<i64, Error> {
    let sql = format!("SELECT value FROM cluster_counter WHERE node_id = '{id}'");
    let result = client.query(&sql).await?;
    let row = result.rows().next().ok_or_else(|| Error::Protocol("no row".into()))?;
    row.get("value")
}

/// What a client is told whose statement no majority confirms. It asks again after an answer that a busy machine brought too
/// late, which is of unknown outcome.
///
/// # Errors
/// When there is an answer, or another error.
pub async fn told_of_no_majority(client: &Client, sql: &str) -> anyhow::Result<String> {
    let told = until("a replica tells that there is no majority", async || match client.query(sql).await {
        Err(Error::OutcomeUnknown { .. }) => None,
        other => Some(other),
    });
    match told.await? {
        Err(error @ Error::Deadline { .. }) => Ok(error.to_string()),
        other => bail!("{sql}: {other:?}"),
    }
}
