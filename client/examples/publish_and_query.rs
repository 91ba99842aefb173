//! Publishes a table under a node's name and reads the whole cluster's rows of it.
//!
//! `UNUM_ENDPOINTS=127.0.0.1:7400 cargo run --example publish_and_query`

use std::io::Write;

use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Table};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let endpoints = std::env::var("UNUM_ENDPOINTS").unwrap_or_else(|_| "127.0.0.1:7400".into());
    let client = Client::connect(endpoints.split(',')).await?;

    let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1")?);
    let mut publisher = client.publisher(node);
    let table = Table::new("backlog", &[("depth", DataType::Float64, "requests that wait")])?.row([0.25.into()]);
    let acked = publisher.push(vec![table.snapshot()]).await?;

    let result = client.query("SELECT node_id, depth FROM cluster_backlog ORDER BY node_id").await?;
    assert!(result.revision >= acked.revision, "an acknowledged push is in every later answer");
    let mut out = std::io::stdout();
    for row in result.rows() {
        let (node, depth) = (row.get::<String>("node_id")?, row.get::<Option<f64>>("depth")?);
        writeln!(out, "{node} {depth:?}").map_err(|e| Error::Refused(e.to_string()))?;
    }
    // Otherwise the name is this process's until the node's TTL is over.
    publisher.release().await?;
    Ok(())
}
