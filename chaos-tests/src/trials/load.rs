//! What depends on a rate or on how much else the machine does: queries that hold all threads, an endpoint that hangs.

use std::time::{Duration, Instant};

use super::trial::{Trial, case};
use crate::cluster::{Cluster, binary, run};
use crate::counter::{counter, publisher, read_counter};
use crate::host::tell;
use crate::promise::Promise;
use unum_client::{Client, Error};

pub(super) const TRIAL: Trial = Trial {
    name: "load",
    about: "hostile queries cost nobody the leader; a fan-out waits for the endpoint that hangs",
    cases: &[
        case!(slice 60 hostile_queries_do_not_cost_the_group_its_leader),
        case!(slice 60 a_fan_out_waits_for_the_endpoint_that_hangs),
    ],
};

/// More pairs than anybody waits for, and no memory to speak of.
const HOSTILE: &str = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                       SELECT count(*) FROM n a CROSS JOIN n b CROSS JOIN n c WHERE a.i + b.i * c.i = -1";

async fn number(client: &Client, sql: &str) -> Option<i64> {
    let result = client.query(sql).await.ok()?;
    result.rows().next()?.get("n").ok()
}

async fn hostile_queries_do_not_cost_the_group_its_leader(_: u64) -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let leader = cluster.leader(1).await?;
    let term = "SELECT term AS n FROM replicas LIMIT 1";
    let client = cluster.client(leader)?;
    let before = number(&client, term).await;
    let time = Duration::from_secs(4);
    // As many as a replica has threads for queries, and more, at each replica.
    let hostile: Vec<_> = (0..6)
        .map(|at| {
            let client = cluster.client(1 + at % 3)?.with_timeout(time);
            Ok(tokio::spawn(async move { client.query(HOSTILE).await }))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut publisher = publisher(&client, "w");
    let started = Instant::now();
    let mut pushes = 0;
    while started.elapsed() < time {
        pushes += 1;
        publisher.push(counter(pushes)).await?;
    }
    for query in hostile {
        let error = query.await?.err();
        assert!(matches!(&error, Some(Error::Deadline { .. })), "{error:?}");
    }
    assert_eq!(number(&client, term).await, before, "the term has changed");
    assert_eq!(cluster.leader(leader).await?, leader);
    // And the threads of queries are free again.
    let found = read_counter(&client, "w").await?;
    Promise::Lost.ensure(found == pushes, || format!("{found} after {pushes} was acknowledged"))?;
    tell(&format!("{pushes} pushes beside six hostile queries on three replicas in {} s", time.as_secs()));
    Ok(())
}

async fn a_fan_out_waits_for_the_endpoint_that_hangs(_: u64) -> anyhow::Result<()> {
    let p50 = |hanging: &str| -> anyhow::Result<f64> {
        let args = [
            "bench",
            "fanout",
            "--nodes",
            "20",
            "--clients",
            "4",
            "--format",
            "json",
            "--seconds",
            "2",
            "--hanging",
            hanging,
        ];
        let ended = run(&binary("unum")?, &args, "")?;
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        let report: serde_json::Value = serde_json::from_str(ended.stdout.lines().next().unwrap_or_default())?;
        Ok(report["p50_us"].as_f64().expect("a number"))
    };
    let (all_answer, one_hangs) = (p50("0")?, p50("1")?);
    assert!(all_answer < 900_000.0 && one_hangs > 900_000.0, "{all_answer} and {one_hangs} us");
    Ok(())
}
