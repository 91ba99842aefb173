//! The simplest thing to push and to read: a number a node, which only grows.

use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Publisher, Table, TableSnapshot};

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

/// The number of a node.
pub async fn read_counter(client: &Client, id: &str) -> Result<i64, Error> {
    let sql = format!("SELECT value FROM cluster_counter WHERE node_id = '{id}'");
    let result = client.query(&sql).await?;
    let row = result.rows().next().ok_or_else(|| Error::Protocol("no row".into()))?;
    row.get("value")
}
