//! What the catalog knows of nodes: who fell silent, who was removed, whose name it is; and what a session sees.

use std::time::Duration;

use unum_chaos_tests::cluster::{Cluster, PATIENCE, Process, binary, run, until};
use unum_chaos_tests::counter::{counter, publisher, read_counter, told_of_no_majority};
use unum_client::collect::HostTables;
use unum_client::rows::{self, Format};
use unum_client::{Change, Client, Consistency, DataType, Error, NodeDescription, NodeKey, Program, Table};

async fn status(client: &Client, id: &str) -> Option<String> {
    let result = client.query(&format!("SELECT status FROM nodes WHERE id = '{id}'")).await.ok()?;
    result.rows().next()?.get("status").ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_node_keeps_its_rows_marked_through_a_change_of_leader() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    let mut node = NodeDescription::new(NodeKey::parse("test", "silent")?);
    node.ttl_ms = 600;
    let mut silent = client.publisher(node);
    silent.push(counter(7)).await?;
    assert_eq!(status(&client, "silent").await.as_deref(), Some("up"));
    until("it is stale", async || status(&client, "silent").await.filter(|status| status == "stale")).await?;
    until("it is down", async || status(&client, "silent").await.filter(|status| status == "down")).await?;

    // Its rows stay, and every one says so; the result counts it.
    let result = client.query("SELECT value, status FROM cluster_counter").await?;
    let row = result.rows().next().expect("the row is still there");
    assert_eq!((row.get::<i64>("value")?, row.get::<String>("status")?), (7, "down".into()));
    assert_eq!((result.nodes_up, result.nodes_total), (0, 1));

    // It is a replicated fact: the next leader knows it too.
    cluster.kill(cluster.leader(1).await?)?;
    assert_eq!(status(&client, "silent").await.as_deref(), Some("down"));
    silent.push(counter(8)).await?;
    assert_eq!(status(&client, "silent").await.as_deref(), Some("up"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_node_comes_back_with_a_new_epoch_only() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    let mut first = publisher(&client, "a");
    first.push(counter(7)).await?;
    let endpoints = cluster.endpoints().join(",");
    let removed = run(&binary("unum")?, &["node", "remove", "test/a", "--endpoints", &endpoints], "")?;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    assert_eq!(client.query("SELECT * FROM cluster_counter").await?.row_count(), 0);
    assert_eq!(status(&client, "a").await.as_deref(), Some("removed"));

    let refused = first.push(counter(8)).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert!(refused.to_string().contains("node test/a was removed"), "{refused}");

    // Through a restart of every replica, too.
    for id in 1..=3 {
        assert_eq!(cluster.stop(id)?, Some(0));
    }
    for id in 1..=3 {
        cluster.spawn(id)?;
    }
    for id in 1..=3 {
        cluster.wait_until_answers(id).await?;
    }
    let refused = first.push(counter(9)).await.unwrap_err();
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert_eq!(client.query("SELECT * FROM cluster_counter").await?.row_count(), 0);
    publisher(&client, "a").push(counter(10)).await?;
    assert_eq!(read_counter(&client, "a").await?, 10);
    assert_eq!(status(&client, "a").await.as_deref(), Some("up"));
    Ok(())
}

/// Agents of node tikv/one, each with its own log and state.
struct Agents<'a>(&'a Cluster);

impl Agents<'_> {
    /// One whose node is called stale long after the test.
    fn start(&self, ip: &str, name: &str, more: &[&str]) -> anyhow::Result<Process> {
        let args = ["agent", "--node-type", "tikv", "--id", "one", "--interval", "50ms", "--ttl", "1h", "--ip", ip];
        let addr = self.0.member(1).addr.as_str();
        let args = args.into_iter().chain(["--endpoints", addr]).chain(more.iter().copied());
        let args: Vec<_> = args.map(str::to_owned).collect();
        Process::spawn(&binary("unum")?, &args, &self.0.dir().join(name))
    }

    /// The address and the epoch of the last push.
    async fn pushed(&self) -> anyhow::Result<(String, u64)> {
        let client = self.0.client(1)?;
        let result = client.query("SELECT ip, epoch FROM nodes WHERE id = 'one'").await?;
        let row = result.rows().next().ok_or_else(|| anyhow::anyhow!("no push yet"))?;
        Ok((row.get("ip")?, row.get("epoch")?))
    }

    async fn until_pushes(&self, ip: &str, above: u64) -> anyhow::Result<u64> {
        let is_it = async || self.pushed().await.ok().filter(|(of, epoch)| of == ip && *epoch > above);
        until("that agent pushes", is_it).await.map(|(_, epoch)| epoch)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_agents_under_one_name_the_older_stays_and_the_newer_is_told_how_to_take_over() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let (agents, client) = (Agents(&cluster), cluster.client(1)?);
    let mut older = agents.start("10.0.0.1", "older", &[])?;
    let first = agents.until_pushes("10.0.0.1", 0).await?;
    let mut newer = agents.start("10.0.0.2", "newer", &[])?;

    // Rows say who, where, since when.
    let rival = async || -> Option<(String, String, i64)> {
        let sql = "SELECT ip, rival_ip, rival_since >= since AS later FROM publishers WHERE node_id = 'one' AND rival_ip > ''";
        let result = client.query(sql).await.ok()?;
        let row = result.rows().next()?;
        Some((row.get("ip").ok()?, row.get("rival_ip").ok()?, row.get("later").ok()?))
    };
    assert_eq!(until("both are shown", rival).await?, ("10.0.0.1".into(), "10.0.0.2".into(), 1));
    let told = client.query("SELECT problem, message FROM cluster_agents WHERE node_id = 'one'").await?;
    let row = told.rows().next().expect("a row");
    assert_eq!(row.get::<String>("problem")?, "two publishers");
    assert!(row.get::<String>("message")?.contains("ip 10.0.0.1"), "{told:?}");
    let log = until("it is told", async || Some(newer.log()).filter(|log| log.contains("waits for the name"))).await?;
    assert!(log.contains("--take-over") && log.contains("unum node remove tikv/one"), "{log}");
    assert!(older.ended()?.is_none() && newer.ended()?.is_none(), "both live");
    assert_eq!(agents.pushed().await?, ("10.0.0.1".into(), first), "the older one has the name");

    // A third one takes over; the older one ends, and says who has the name.
    let third = agents.start("10.0.0.3", "third", &["--take-over"])?;
    let second = agents.until_pushes("10.0.0.3", first).await?;
    let (code, log) = until("the older one gives up", async || older.ended().ok().flatten()).await?;
    assert_eq!(code, Some(1));
    assert!(log.contains("node tikv/one is held by epoch") && log.contains("ip 10.0.0.3"), "{log}");

    // One that stops gives the name back, and the one that waits has it long before the TTL is over.
    assert_eq!(third.terminate(PATIENCE)?, Some(0));
    let third = agents.until_pushes("10.0.0.2", second).await?;

    // So does a name that is freed by hand: the agent that had it ends, for it was removed.
    let removed = run(&binary("unum")?, &["node", "remove", "tikv/one", "--endpoints", &cluster.member(1).addr], "")?;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    let (code, log) = until("it ends", async || newer.ended().ok().flatten()).await?;
    assert_eq!(code, Some(1));
    assert!(log.contains("node tikv/one was removed"), "{log}");
    let again = agents.start("10.0.0.4", "again", &[])?;
    agents.until_pushes("10.0.0.4", third).await?;
    assert_eq!(again.terminate(PATIENCE)?, Some(0));
    Ok(())
}

/// The TTL is an hour: it is not what frees the name.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_was_killed_has_its_name_back_when_it_is_started_again() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let agents = Agents(&cluster);
    let mut epoch = 0;
    for _ in 0..3 {
        let agent = agents.start("10.0.0.1", "agent", &[])?;
        epoch = agents.until_pushes("10.0.0.1", epoch).await?;
        agent.kill()?;
    }
    let agent = agents.start("10.0.0.1", "agent", &[])?;
    agents.until_pushes("10.0.0.1", epoch).await?;
    // A second one with the state of the first.
    let mut copy = agents.start("10.0.0.2", "agent", &[])?;
    let (code, log) = until("the copy is refused", async || copy.ended().ok().flatten()).await?;
    assert_eq!(code, Some(1));
    assert!(log.contains("another process publishes with it"), "{log}");
    assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_never_goes_back_and_a_stale_read_needs_no_majority() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let leader = cluster.leader(1).await?;
    let follower = 1 + leader % 3;
    let other = 1 + follower % 3;

    // What a client has pushed or seen is in each of its later answers, at every level and every replica.
    let client = cluster.client_of_all()?.with_consistency(Consistency::Stale);
    let mut pushing = publisher(&client, "a");
    for value in 1..=20 {
        let acked = pushing.push(counter(value)).await?;
        let result = client.query("SELECT value FROM cluster_counter").await?;
        assert!(result.revision >= acked.revision);
        assert_eq!(result.rows().next().expect("a row").get::<i64>("value")?, value);
    }
    let seen = client.query("SELECT 1").await?.revision;
    assert!(client.clone().query("SELECT 1").await?.revision >= seen, "clones are one session");

    // Without a majority a stale read answers, a bounded one as long as a recent round vouches for it.
    let at_follower = cluster.client(follower)?;
    read_counter(&at_follower, "a").await?;
    cluster.kill(leader)?;
    cluster.kill(other)?;
    let stale = cluster.client(follower)?.with_consistency(Consistency::Stale);
    assert_eq!(read_counter(&stale, "a").await?, 20);
    let bounded = |staleness| anyhow::Ok(cluster.client(follower)?.with_consistency(Consistency::Bounded(staleness)));
    assert_eq!(read_counter(&bounded(Duration::from_secs(3_600))?, "a").await?, 20);
    let too_fresh = bounded(Duration::from_millis(1))?.with_timeout(Duration::from_millis(800));
    told_of_no_majority(&too_fresh, "SELECT value FROM cluster_counter").await?;

    // And never older than the session: it has seen a revision that this replica does not have.
    let ahead = client;
    let revision = cluster.client(follower)?.with_consistency(Consistency::Stale).query("SELECT 1").await?.revision;
    assert!(revision >= seen);
    assert_eq!(read_counter(&ahead, "a").await?, 20);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_consistency_is_refused_with_the_value_and_the_remedy() -> anyhow::Result<()> {
    for value in ["fresh", "bounded", "bounded:5", "bounded:x"] {
        let finished = run(&binary("unum")?, &["sql", "--consistency", value, "-e", "SELECT 1"], "")?;
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.stderr.contains(&format!("the consistency \"{value}\" is unknown")), "{finished:?}");
    }
    Ok(())
}

/// A table that agents publish has its schema in the code, whoever comes first.
#[tokio::test(flavor = "multi_thread")]
async fn no_push_locks_an_agent_out() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let endpoint = cluster.member(1).addr.clone();
    let client = cluster.client(1)?;
    let push = |id: &str, table: &str, rows: &str| {
        let args = ["push", "--node-type", "db", "--id", id, "--table", table, "--file", "-", "--format", "csv"];
        run(&binary("unum")?, &[&args[..], &["--endpoints", &endpoint]].concat(), rows)
    };
    // Before any agent: fewer columns, and a narrower type.
    let pushed = push("first", "load", "name,value\nload1,1.5\n")?;
    assert_eq!(pushed.code, Some(0), "{pushed:?}");
    let refused = push("second", "load", "name,speed\nload1,1.5\n")?;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("load has no column speed; its columns are Unum's own: device_type"),
        "{refused:?}"
    );

    // Of several tables only the refused one is left out, and a row tells.
    let wrong = Table::new("load", &[("speed", DataType::Int64, "")])?.row([1i64.into()]).snapshot();
    let mut agent = client.publisher(NodeDescription::new(NodeKey::parse("db", "agent")?));
    let ack = agent.push([vec![wrong.clone()], counter(7)].concat()).await?;
    assert_eq!(ack.refused.iter().map(|refused| refused.table.as_str()).collect::<Vec<_>>(), ["load"]);
    let told = client.query("SELECT node_id, table_name, message FROM cluster_agents").await?;
    let row = told.rows().next().expect("a row");
    assert_eq!((row.get::<String>("node_id")?, row.get::<String>("table_name")?), ("agent".into(), "load".into()));
    assert!(row.get::<String>("message")?.contains("load has no column speed"), "{told:?}");
    assert!(matches!(agent.push_whole([vec![wrong], counter(8)].concat()).await, Err(Error::Refused(_))));
    assert_eq!(read_counter(&client, "agent").await?, 7);

    // The agent itself, through the same table.
    let mut tables = HostTables::new(&Program::at(binary("unum")?), 0);
    for push in tables.collect(agent.node()).await?.pushes {
        assert_eq!(agent.push(push).await?.refused, []);
    }
    let values = client.query("SELECT value FROM cluster_load WHERE name = 'load1' AND value + 0 >= 0").await?;
    assert_eq!(values.row_count(), 2);
    assert_eq!(client.query("SELECT * FROM cluster_agents").await?.row_count(), 0, "what is mended is no row any more");
    Ok(())
}

/// What the first push had says nothing of what comes later.
#[tokio::test(flavor = "multi_thread")]
async fn types_become_wider_as_values_come() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?;
    let mut publisher = client.publisher(NodeDescription::new(NodeKey::parse("db", "1")?));
    let mut other = client.publisher(NodeDescription::new(NodeKey::parse("db", "2")?));
    let table = |text: &str| rows::parse("metrics", text, Format::Csv, None).map(unum_client::Table::snapshot);
    other.push_whole(vec![table("a,b,c\n1,true,\n")?]).await?;
    publisher.push_whole(vec![table("a,b,c\n")?]).await?;
    publisher.push_whole(vec![table("a,b,c\n1.5,2,3\n")?]).await?;
    let types =
        "SELECT GROUP_CONCAT(data_type ORDER BY column_name) AS types FROM columns WHERE table_name = 'metrics'";
    let shown = |result: unum_client::QueryResult| -> anyhow::Result<String> {
        Ok(result.rows().next().expect("a row").get::<String>("types")?)
    };
    assert_eq!(shown(client.query(types).await?)?, "DOUBLE,BIGINT,BIGINT");
    let sum = "SELECT CONCAT(SUM(a), ' ', SUM(b), ' ', SUM(c)) AS types FROM cluster_metrics";
    assert_eq!(shown(client.query(sum).await?)?, "2.5 3 3");
    publisher.push_whole(vec![table("a,b,c\nx,9007199254740993,2024-03-01 12:00:00\n")?]).await?;
    assert_eq!(shown(client.query(types).await?)?, "TEXT,BIGINT,TEXT");
    let all = "SELECT GROUP_CONCAT(CONCAT(a, ' ', b) ORDER BY node_id) AS types FROM cluster_metrics";
    assert_eq!(shown(client.query(all).await?)?, "x 9007199254740993,1 1");
    let refused = client.query("ALTER TABLE cluster_metrics MODIFY a BIGINT").await.unwrap_err().to_string();
    assert!(refused.contains("Text(\"x\") of node db/1 in cluster_metrics.a is no BIGINT"), "{refused}");
    publisher.push_whole(vec![table("a,b,c\n7,8,\n")?]).await?;
    client.query("ALTER TABLE cluster_metrics MODIFY a BIGINT").await?;
    client.query("ALTER TABLE cluster_metrics DROP COLUMN b").await?;
    assert_eq!(shown(client.query(types).await?)?, "BIGINT,TEXT");
    // It is on disk: the replica holds it against the state hash.
    cluster.stop(1)?;
    cluster.spawn(1)?;
    cluster.wait_until_answers(1).await?;
    assert_eq!(shown(client.query(types).await?)?, "BIGINT,TEXT");
    assert_eq!(shown(client.query("SELECT SUM(a) AS types FROM cluster_metrics").await?)?, "8");
    Ok(())
}

/// A table a day, by nodes that come and go.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_anything_in_goes_after_a_time() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    let of_node = |id: &str| anyhow::Ok(client.publisher(NodeDescription::new(NodeKey::parse("db", id)?)));
    let table = |name: &str, text: &str| rows::parse(name, text, Format::Csv, None).map(unum_client::Table::snapshot);
    let mut stays = of_node("1")?;
    stays.push_whole(vec![table("day_1", "a,b\n1,2\n")?, table("day_2", "a\n1\n")?]).await?;
    of_node("2")?.push_whole(vec![table("day_3", "a\n1\n")?, table("day_1", "a,b,c\n1,2,3\n")?]).await?;
    let left =
        async |sql: &str| -> Option<String> { client.query(sql).await.ok()?.rows().next()?.get::<String>("l").ok() };
    const TABLES: &str = "SELECT GROUP_CONCAT(name ORDER BY name) AS l FROM tables WHERE name LIKE 'day%'";
    const COLUMNS: &str =
        "SELECT GROUP_CONCAT(column_name ORDER BY column_name) AS l FROM columns WHERE table_name = 'day_1'";
    assert_eq!(left(TABLES).await.as_deref(), Some("day_1,day_2,day_3"));

    // As it comes, for a month: they are shown, and stay.
    let removed = Change::RemoveNode { node: NodeKey::parse("db", "2")? };
    client.change(removed).await?;
    client.query("SET CONFIG unum limits.unused_kept_ms = 3000").await?;
    let gone = async |sql: &'static str, expected: &'static str| left(sql).await.filter(|left| left == expected);
    until("the table is gone", async || gone(TABLES, "day_1,day_2").await).await?;
    until("the column is gone", async || gone(COLUMNS, "a,b").await).await?;
    // What has rows stays, and what is pushed again is there again.
    stays.push_whole(vec![table("day_3", "a\n1\n")?, table("day_1", "a,b,c\n1,2,9\n")?]).await?;
    assert_eq!(left(TABLES).await.as_deref(), Some("day_1,day_2,day_3"));
    assert_eq!(left(COLUMNS).await.as_deref(), Some("a,b,c"));
    let status = client.query("SHOW TABLE STATUS LIKE 'cluster_day%'").await?;
    let lengths: Vec<(String, u64)> =
        status.rows().map(|row| Ok((row.get("Name")?, row.get("Data_length")?))).collect::<Result<_, Error>>()?;
    assert_eq!(
        lengths.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["cluster_day_1", "cluster_day_2", "cluster_day_3"]
    );
    assert!(lengths.iter().all(|(_, bytes)| *bytes > 0), "{lengths:?}");
    Ok(())
}
