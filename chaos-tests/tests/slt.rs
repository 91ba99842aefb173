//! The SQL tests of `server/tests/slt/` over gRPC: three replicas, each statement at another one.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

#[path = "../../server/tests/slt/harness.rs"]
mod harness;

use async_trait::async_trait;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};
use unum_chaos_tests::cluster::{Cluster, until};
use unum_client::{Client, Error};

/// A session that goes from replica to replica.
struct Session(Client);

#[async_trait]
impl AsyncDB for Session {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        self.0.rotate();
        let result = self.0.query(sql).await?;
        Ok(match result.schema.fields().is_empty() {
            true => DBOutput::StatementComplete(0),
            false => harness::output(&result.schema, &result.batches),
        })
    }

    async fn shutdown(&mut self) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sql_tests_pass_on_three_replicas() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    until("every replica has published itself", async || {
        let own = client.query("SELECT count(*) AS n FROM cluster_raft_status").await.ok()?;
        (own.rows().next()?.get::<i64>("n").ok()? == 3).then_some(())
    })
    .await?;
    for (node, tables) in harness::nodes() {
        client.publisher(node).push_whole(tables).await?;
    }
    for file in harness::files() {
        let endpoints = cluster.endpoints();
        let mut runner = Runner::new(async || Ok(Session(Client::builder(endpoints.clone()).build()?)));
        runner.with_column_validator(sqllogictest::strict_column_validator);
        if let Err(error) = runner.run_file_async(&file).await {
            panic!("{}: {}", file.display(), error.display(false));
        }
    }
    Ok(())
}
