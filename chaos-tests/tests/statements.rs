//! What a statement is, the replica says that has parsed it, and nobody else: which may be sent again, and of which nothing
//! is shown.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use unum_chaos_tests::cluster::{Cluster, PATIENCE, until};
use unum_client::config::{ConfigEntry, ConfigType, config_table};
use unum_client::rows::{self, Format};
use unum_client::{Client, Error, NodeDescription, NodeKey};

/// A node with one setting and nobody who sets it.
async fn silent_node(client: &Client) -> anyhow::Result<()> {
    let mut publisher = client.publisher(NodeDescription::new(NodeKey::parse("tikv", "tikv_1")?));
    let entries = [("log.level", "warn"), ("security.password", "hush")]
        .map(|(key, value)| ConfigEntry::new(key, value, ConfigType::Text));
    publisher.push_whole(vec![config_table(entries)?]).await?;
    Ok(())
}

async fn number(client: &Client, sql: &str) -> Option<i64> {
    let result = client.query(sql).await.ok()?;
    result.rows().next()?.get("n").ok()
}

/// What a connection through [`proxy`] does with what the replica says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replies {
    Pass,
    /// They are lost, and the connection seems to live.
    Lost,
    /// The connection is broken.
    Broken,
}

/// A way to a replica on which replies can be lost.
async fn proxy(to: String, replies: watch::Receiver<Replies>) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let addr = listener.local_addr()?.to_string();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let Ok(replica) = TcpStream::connect(&to).await else { return };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_replica, mut to_replica) = replica.into_split();
            tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_replica).await });
            let mut replies = replies.clone();
            tokio::spawn(async move {
                let mut buffer = vec![0; 64 * 1024];
                loop {
                    let read = tokio::select! {
                        read = from_replica.read(&mut buffer) => read.unwrap_or(0),
                        _ = replies.wait_for(|replies| *replies == Replies::Broken) => 0,
                    };
                    if read == 0 {
                        return;
                    }
                    if *replies.borrow() == Replies::Pass && to_client.write_all(&buffer[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    Ok(addr)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_whose_answer_is_lost_is_made_once_whatever_stands_before_it() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let direct = cluster.client(1)?;
    silent_node(&direct).await?;
    let changes = "SELECT count(*) AS n FROM config_changes";
    for (made, sql) in [
        "SET CONFIG tikv log.level = 'a'",
        "-- why\nSET CONFIG tikv log.level = 'b'",
        "/* why */ UPDATE cluster_config SET value = 'c' WHERE `key` = 'log.level'",
    ]
    .into_iter()
    .enumerate()
    {
        let (switch, replies) = watch::channel(Replies::Pass);
        let through = proxy(cluster.member(1).addr.clone(), replies).await?;
        // The second way to the replica is asked when the first one has lost an answer.
        let client =
            Client::builder([through, cluster.member(1).addr.clone()]).timeout(Duration::from_secs(60)).build()?;
        client.query("SELECT 1").await?;
        switch.send(Replies::Lost)?;
        let asked = tokio::spawn(async move { client.query(sql).await });
        let made = made as i64 + 1;
        until("the change is made", async || number(&direct, changes).await.filter(|n| *n == made)).await?;
        switch.send(Replies::Broken)?;
        let answer = asked.await??;
        assert_eq!(answer.row_count(), 1, "{sql}");
        assert_eq!(number(&direct, changes).await, Some(made), "{sql} was made twice");
        let change: u64 = answer.rows().next().expect("a row").get("change_id")?;
        direct.query(&format!("CANCEL CHANGE {change}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_statement_that_does_not_parse_nothing_is_shown() -> anyhow::Result<()> {
    let config = "[sql]\nslow_query_threshold_ms = 0\n[publish]\ninterval_ms = 200\n";
    let cluster = Cluster::start_with(1, config).await?;
    let client = cluster.client(1)?;
    silent_node(&client).await?;
    let own =
        "SELECT count(*) AS n FROM cluster_config WHERE node_type = 'unum' AND `key` = 'sql.slow_query_threshold_ms'";
    until("the replica has published its settings", async || number(&client, own).await.filter(|n| *n == 1)).await?;
    let hidden = [
        // They do not parse.
        "-- why\nSET CONFIG tikv security.password 'marked-1'",
        "/* why */ UPDATE cluster_config SET value 'marked-2' WHERE `key` = 'security.password'",
        "; SET CONFIG tikv security.password = 'marked-3' MAYBE",
        "SELECT 1 FROM (SELECT 'marked-4'",
        "SET PASSWORD = 'marked-5'",
        "CREATE USER x IDENTIFIED BY 'marked-6'",
        "SELECT 'marked-7",
        // They do, and are refused with their values in the error.
        "SET CONFIG nobody security.password = 'marked-8'",
        "/* marked-9 */ SET CONFIG tikv security.passwort = marked_9 -- marked-9",
    ];
    for sql in hidden {
        client.query(sql).await.expect_err(sql);
    }
    // And one that is done.
    client.query("/* marked-a */ SET CONFIG tikv security.password = 12marked_b -- marked-a").await?;
    // From here on nothing is slow: what looks for them would push them out of the table.
    client.query("SET CONFIG unum sql.slow_query_threshold_ms = 100000 WAIT 30s").await?;
    let slow = "SELECT count(*) AS n FROM slow_query WHERE NOT succ";
    until("they are among the slow ones", async || number(&client, slow).await.filter(|n| *n == hidden.len() as i64))
        .await?;
    // What can be shown is. It came last: the replica may have published the others before it.
    let shown = "SELECT count(*) AS n FROM slow_query WHERE query LIKE 'SET CONFIG tikv security.password = %'";
    until("so is the one that was done", async || number(&client, shown).await.filter(|n| *n == 1)).await?;
    for table in
        ["slow_query", "statements_summary", "processlist", "config_changes", "config_change_nodes", "config_history"]
    {
        let result = client.query(&format!("SELECT * FROM {table}")).await?;
        let shown = format!("{:?}", result.batches);
        assert!(!shown.contains("marked"), "{table}: {shown}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_dropped_once_and_stays_dropped() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(1).await?;
    let direct = cluster.client(1)?;
    let mut publisher = direct.publisher(NodeDescription::new(NodeKey::parse("tikv", "tikv_1")?));
    let table = |text: &str| rows::parse("metrics", text, Format::Csv, None).map(unum_client::Table::snapshot);
    publisher.push_whole(vec![table("a\n1\n2\n")?]).await?;
    let count = "SELECT count(*) AS n FROM cluster_metrics";
    let (switch, replies) = watch::channel(Replies::Pass);
    let through = proxy(cluster.member(1).addr.clone(), replies).await?;
    let client = Client::builder([through, cluster.member(1).addr.clone()]).timeout(Duration::from_secs(60)).build()?;
    client.query("SELECT 1").await?;
    switch.send(Replies::Lost)?;
    let asked = tokio::spawn(async move { client.query("DROP TABLE cluster_metrics").await });
    let listed = "SELECT count(*) AS n FROM information_schema.tables WHERE table_name = 'cluster_metrics'";
    until("the table is gone", async || number(&direct, listed).await.filter(|n| *n == 0)).await?;
    // It comes again, and its column is of another type; then the statement is sent again.
    publisher.push_whole(vec![table("a\nx\n")?]).await?;
    switch.send(Replies::Broken)?;
    assert_eq!(asked.await??.row_count(), 0);
    assert_eq!(number(&direct, count).await, Some(1), "it was dropped twice");
    let refused = direct.query("DROP TABLE cluster_nothing").await.expect_err("there is none").to_string();
    assert!(refused.contains("there is no table cluster_nothing; SHOW TABLES lists what there is"), "{refused}");
    direct.query("DROP TABLE IF EXISTS cluster_nothing").await?;
    direct.query("DROP TABLE `cluster_METRICS`").await?;
    let error = direct.query(count).await.expect_err("it is gone").to_string();
    assert!(error.contains("there is no table unum.cluster_metrics"), "{error}");
    // What was dropped, and which changes were made, is on disk: the replica holds it against the state hash.
    cluster.stop(1)?;
    cluster.spawn(1)?;
    cluster.wait_until_answers(1).await?;
    assert_eq!(number(&direct, listed).await, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_killed_is_not_sent_again() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let direct = cluster.client(1)?;
    silent_node(&direct).await?;
    // Twice the same replica: it could be sent again at once.
    let addr = cluster.member(1).addr.clone();
    let client = Client::builder([addr.clone(), addr]).timeout(Duration::from_secs(60)).build()?;
    let asked = tokio::spawn(async move { client.query("SET CONFIG tikv log.level = 'info' WAIT 1h").await });
    let made = "SELECT count(*) AS n FROM config_changes";
    until("the change is made", async || number(&direct, made).await.filter(|n| *n == 1)).await?;
    let running = "SELECT id FROM information_schema.processlist WHERE info LIKE 'SET CONFIG%'";
    let result = direct.query(running).await?;
    let id: u64 = result.rows().next().expect("it waits for its node").get("id")?;
    direct.query(&format!("KILL {id}")).await?;
    let error = tokio::time::timeout(PATIENCE, asked).await??.unwrap_err();
    assert!(matches!(&error, Error::OutcomeUnknown { last, .. } if last.contains("was killed")), "{error}");
    until("nothing runs any more", async || Some(direct.query(running).await.ok()?.row_count()).filter(|n| *n == 0))
        .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_gives_a_statement_that_much_more_time() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?;
    silent_node(&client).await?;
    // Nobody answers: the whole time is waited, which is longer than the statement may take otherwise.
    let hasty = client.clone().with_timeout(Duration::from_secs(2));
    let asked = Instant::now();
    let result = hasty.query("SET CONFIG tikv log.level = 'info' WAIT 4s").await?;
    assert!(asked.elapsed() >= Duration::from_secs(4), "{:?}", asked.elapsed());
    assert_eq!(result.rows().next().expect("a row").get::<String>("state")?, "pending");
    Ok(())
}
