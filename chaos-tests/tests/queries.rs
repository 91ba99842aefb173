//! Queries as their administrators see them: hostile ones cost nobody the leader, any of them can be ended, and what
//! ran is in the tables.

use std::time::Duration;

use unum_chaos_tests::cluster::{Cluster, Process, binary, until};
use unum_client::{Client, Error};

/// More pairs than anybody waits for, and no memory to speak of.
const HOSTILE: &str = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                       SELECT count(*) FROM n a CROSS JOIN n b CROSS JOIN n c WHERE a.i + b.i * c.i = -1";

async fn number(client: &Client, sql: &str) -> Option<i64> {
    let result = client.query(sql).await.ok()?;
    result.rows().next()?.get("n").ok()
}

/// The id of the hostile query that runs, as the replica that runs it says.
async fn hostile_id(client: &Client) -> Option<i64> {
    number(client, "SELECT id AS n FROM information_schema.processlist WHERE info LIKE 'WITH RECURSIVE%' LIMIT 1").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_killed_from_any_replica_and_when_its_caller_goes() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let (at_1, at_2) = (cluster.client(1)?, cluster.client(2)?);
    let run = |client: &Client| {
        let client = client.clone().with_timeout(Duration::from_secs(60)).with_user("dba");
        tokio::spawn(async move { client.query(HOSTILE).await })
    };

    let hostile = run(&at_1);
    let id = until("the query runs", async || hostile_id(&at_1).await).await?;
    let shown = at_1.query("SHOW FULL PROCESSLIST").await?;
    let users: Vec<String> = shown.rows().filter_map(|row| row.get("User").ok()).collect();
    assert!(users.contains(&"dba".to_owned()), "{users:?}");
    at_2.query(&format!("KILL QUERY {id}")).await?;
    let error = hostile.await?.err();
    assert!(matches!(&error, Some(Error::Refused(why)) if why.contains("was killed")), "{error:?}");
    until("the killed query has ended", async || hostile_id(&at_1).await.is_none().then_some(())).await?;
    let error = at_2.query(&format!("KILL QUERY {id}")).await.err();
    assert!(matches!(&error, Some(Error::Refused(why)) if why.contains("there is no running query")), "{error:?}");

    let hostile = run(&at_1);
    until("the query runs", async || hostile_id(&at_1).await).await?;
    hostile.abort();
    until("the query of a caller that has gone ends", async || hostile_id(&at_1).await.is_none().then_some(())).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_word_between_two_replicas_may_be_a_kill() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    // Between two followers nothing was said before on the connection that KILL takes.
    let leader = cluster.leader(1).await?;
    let followers: Vec<u64> = (1..=3).filter(|id| *id != leader).collect();
    let at = cluster.client(followers[0])?;
    for number in [1, 2] {
        let error =
            at.query(&format!("KILL {}", (followers[1] << 32) + 999_000 + number)).await.expect_err("none runs");
        assert!(error.to_string().contains("there is no running query"), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_is_in_the_tables_of_every_replica() -> anyhow::Result<()> {
    let cluster = Cluster::start_with(3, "[sql]\nslow_query_threshold_ms = 0\n[publish]\ninterval_ms = 200\n").await?;
    let at_1 = cluster.client(1)?.with_user("dba");
    let at_2 = cluster.client(2)?;
    for threshold in [1, 2, 3] {
        at_1.query(&format!("SELECT id FROM nodes WHERE sequence > {threshold} AND id <> 'marked'")).await?;
    }
    at_1.query("SELECT nonsense FROM nodes WHERE id = 'marked'").await.expect_err("there is no such column");
    let summary = "SELECT sum(exec_count) AS n FROM cluster_statements_summary \
                   WHERE node_id = 'unum_1' AND digest_text = 'select id from nodes where sequence > ? and id <> ?'";
    until("three executions under one digest", async || number(&at_2, summary).await.filter(|n| *n == 3)).await?;
    let failed = "SELECT count(*) AS n FROM information_schema.cluster_slow_query WHERE instance = 'unum_1' \
                  AND user = 'dba' AND NOT succ AND query LIKE 'SELECT nonsense%'";
    until("the failed one among the slow", async || number(&at_2, failed).await.filter(|n| *n == 1)).await?;
    // `T` is the answering replica's own.
    assert_eq!(number(&at_2, "SELECT count(*) AS n FROM slow_query WHERE user = 'dba'").await, Some(0));
    let roles = at_2.query("SELECT role, count(*) AS n FROM cluster_raft_status GROUP BY role ORDER BY role").await?;
    let roles: Vec<(String, i64)> =
        roles.rows().map(|row| Ok((row.get("role")?, row.get("n")?))).collect::<Result<_, Error>>()?;
    assert_eq!(roles, [("follower".to_owned(), 2), ("leader".to_owned(), 1)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn more_queries_than_a_replica_runs_at_a_time_are_refused_with_the_setting() -> anyhow::Result<()> {
    let cluster = Cluster::start_with(1, "[sql]\nqueries_max = 2\n").await?;
    let client = cluster.client(1)?.with_timeout(Duration::from_secs(3));
    let hostile: Vec<_> = (0..2)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.query(HOSTILE).await })
        })
        .collect();
    let busy = until("both run", async || {
        client.clone().with_timeout(Duration::from_millis(100)).query("SELECT 1").await.err()
    });
    let error = busy.await?;
    assert!(error.to_string().contains("sql.queries_max"), "{error}");
    for query in hostile {
        query.await?.expect_err("nobody waits for its end");
    }
    client.query("SELECT 1").await?;
    Ok(())
}

/// Joins that look at more pairs than anybody waits for, of the kinds that DataFusion never interrupts by itself.
const ENDLESS_JOINS: [&str; 2] = [
    "SELECT count(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c, \
     information_schema.columns d WHERE a.ordinal_position + b.ordinal_position + c.ordinal_position + \
     d.ordinal_position = -1",
    "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 2000) \
     SELECT count(*) FROM n a JOIN n b ON a.i < b.i JOIN n c ON b.i * c.i < -a.i",
];

#[tokio::test(flavor = "multi_thread")]
async fn endless_joins_leave_the_threads_to_others() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?;
    for sql in ENDLESS_JOINS {
        let patient = client.clone().with_timeout(Duration::from_secs(120));
        let endless: Vec<_> = (0..3)
            .map(|_| {
                let patient = patient.clone();
                tokio::spawn(async move { patient.query(sql).await })
            })
            .collect();
        let running =
            "SELECT count(*) AS n FROM information_schema.processlist WHERE time >= 1 AND state = 'sending rows'";
        // One that ends by itself would be waited for in vain.
        let all_run = async || match endless.iter().any(tokio::task::JoinHandle::is_finished) {
            true => Some(false),
            false => number(&client, running).await.filter(|n| *n == 3).map(|_| true),
        };
        if !until("all run", all_run).await? {
            let ended = futures::future::select_all(endless).await.0?;
            panic!("{sql} ended: {:?}", ended.map(|result| result.row_count()));
        }
        let ids = client.query("SELECT id AS n FROM information_schema.processlist WHERE time >= 1").await?;
        for row in ids.rows() {
            client.query(&format!("KILL QUERY {}", row.get::<i64>("n")?)).await?;
        }
        for query in endless {
            let error = query.await?.err();
            assert!(matches!(&error, Some(Error::Refused(why)) if why.contains("was killed")), "{error:?}");
        }
        let left = "SELECT count(*) AS n FROM information_schema.processlist";
        until("they have ended, not only for their callers", async || number(&client, left).await.filter(|n| *n == 1))
            .await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_ends_though_its_caller_does_not_read() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?;
    let running = "SELECT id AS n FROM information_schema.processlist WHERE info LIKE 'SELECT ''unread''%'";
    // More than all buffers on the way hold, and fewer rows than the limit.
    let sql = "SELECT 'unread', REPEAT('x', 500) FROM information_schema.columns a, information_schema.columns b";
    for (timeout, killed) in [("60s", true), ("10s", false)] {
        let args = ["sql", "-e", sql, "--format", "csv", "--timeout", timeout, "--endpoints", &cluster.endpoints()[0]];
        let args = args.map(str::to_owned);
        let reader = Process::spawn(&binary("unum")?, &args, &cluster.dir().join("reader.log"))?;
        let id = until("it runs", async || number(&client, running).await).await?;
        reader.signal("STOP")?;
        let waits = format!("SELECT rows_affected AS n FROM information_schema.processlist WHERE id = {id}");
        if killed {
            let mut sent = None;
            until("it makes no more rows", async || {
                let before = std::mem::replace(&mut sent, number(&client, &waits).await);
                (before.is_some() && before == sent).then_some(())
            })
            .await?;
            client.query(&format!("KILL QUERY {id}")).await?;
        }
        until("it has ended", async || number(&client, running).await.is_none().then_some(())).await?;
        reader.kill()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_runs_many_long_statements_publishes_itself() -> anyhow::Result<()> {
    const MANY: i64 = 160;
    let cluster = Cluster::start_with(1, "[publish]\ninterval_ms = 200\n").await?;
    let client = cluster.client(1)?;
    let patient = client.clone().with_timeout(Duration::from_secs(600));
    let many: Vec<_> = (0..MANY)
        .map(|number| {
            let patient = patient.clone();
            let sql = format!("{HOSTILE} -- {number} {}", "long ".repeat(1_000));
            tokio::spawn(async move { patient.query(&sql).await })
        })
        .collect();
    let published = "SELECT count(*) AS n FROM cluster_processlist WHERE info LIKE 'WITH RECURSIVE%'";
    until("all of them are published", async || number(&client, published).await.filter(|n| *n == MANY)).await?;
    let up = "SELECT count(*) AS n FROM nodes WHERE status = 'up'";
    until("it is up, as its nodes say", async || number(&client, up).await.filter(|n| *n == 1)).await?;
    many.iter().for_each(tokio::task::JoinHandle::abort);
    let left = "SELECT count(*) AS n FROM information_schema.processlist";
    until("they have ended", async || number(&client, left).await.filter(|n| *n == 1)).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_again_has_other_query_ids() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(1).await?;
    let own_id = "SELECT id AS n FROM information_schema.processlist";
    let before = number(&cluster.client(1)?, own_id).await;
    cluster.kill(1)?;
    cluster.spawn(1)?;
    cluster.wait_until_answers(1).await?;
    let after = number(&cluster.client(1)?, own_id).await;
    assert!(before.zip(after).is_some_and(|(before, after)| before.abs_diff(after) > 1_000), "{before:?} {after:?}");
    Ok(())
}
