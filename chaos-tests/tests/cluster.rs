//! Three replicas as separate processes: what a user is promised, seen from outside.

use std::time::{Duration, Instant};

use unum_chaos_tests::cluster::{Cluster, PATIENCE, Process, binary, run, until};
use unum_chaos_tests::counter::{counter, publisher, read_counter, told_of_no_majority};
use unum_client::{Client, Error};

#[tokio::test(flavor = "multi_thread")]
async fn a_push_acknowledged_anywhere_is_in_every_later_answer_everywhere() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let clients = [cluster.client(1)?, cluster.client(2)?, cluster.client(3)?];
    let mut publishers: Vec<_> = clients.iter().zip(["a", "b", "c"]).map(|(c, id)| publisher(c, id)).collect();
    for value in 1..=15 {
        for (publisher, id) in publishers.iter_mut().zip(["a", "b", "c"]) {
            let acked = publisher.push(counter(value)).await?;
            for client in &clients {
                assert_eq!(read_counter(client, id).await?, value);
                assert!(client.query("SELECT 1").await?.revision >= acked.revision);
            }
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_replica_answers_with_its_own_rows_and_everyones() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    for id in 1..=3 {
        let client = cluster.client(id)?;
        let own = until("the replica has published itself", async || {
            let result = client.query("SELECT id FROM node_info").await.ok()?;
            let row = result.rows().next()?;
            Some((row.get::<String>("id").unwrap(), result.replica))
        })
        .await?;
        assert_eq!(own, (format!("unum_{id}"), id.into()));
    }
    for id in 1..=3 {
        let result = cluster.client(id)?.query("SELECT id FROM cluster_node_infos ORDER BY id").await?;
        let ids: Vec<String> = result.rows().map(|row| row.get("id").unwrap()).collect();
        assert_eq!(ids, ["unum_1", "unum_2", "unum_3"]);
        assert_eq!((result.nodes_up, result.nodes_total, result.replica), (3, 3, id.into()));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_and_queries_go_on_when_the_leader_is_killed() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let writer = cluster.client_of_all()?;
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    // Pushes as fast as they are acknowledged, and remembers the last acknowledged value.
    let pushing = tokio::spawn(async move {
        let mut publisher = publisher(&writer, "w");
        let mut acked = 0;
        while !*stopped.borrow_and_update() {
            publisher.push(counter(acked + 1)).await?;
            acked += 1;
        }
        Ok::<i64, Error>(acked)
    });
    let all = cluster.client_of_all()?;
    until("the first push is visible", async || read_counter(&all, "w").await.ok()).await?;

    let leader = cluster.leader(1).await?;
    let survivor = 1 + leader % 3;
    cluster.kill(leader)?;
    let killed = Instant::now();
    let at_survivor = cluster.client(survivor)?;
    let before = read_counter(&at_survivor, "w").await?;
    println!("first linearizable read after kill -9 of the leader: {} ms", killed.elapsed().as_millis());
    until("pushes are acknowledged again", async || {
        let now = read_counter(&at_survivor, "w").await.ok()?;
        (now > before + 10).then_some(())
    })
    .await?;
    println!("ten pushes later: {} ms", killed.elapsed().as_millis());

    // The killed replica comes back, catches up, and answers as fresh as the others.
    cluster.spawn(leader)?;
    cluster.wait_until_answers(leader).await?;
    stop.send(true)?;
    let acked = pushing.await??;
    for id in 1..=3 {
        assert_eq!(read_counter(&cluster.client(id)?, "w").await?, acked, "at replica {id}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_goes_on_through_the_leaders_death() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let args = ["agent", "--node-type", "tikv", "--id", "tikv_1", "--interval", "50ms", "--endpoints"];
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).chain([cluster.endpoints().join(",")]).collect();
    let agent = Process::spawn(&binary("unum")?, &args, &cluster.dir().join("agent.log"))?;
    let sequence = async |client: &Client| -> Option<i64> {
        let result = client.query("SELECT sequence FROM nodes WHERE id = 'tikv_1'").await.ok()?;
        result.rows().next()?.get("sequence").ok()
    };
    let all = cluster.client_of_all()?;
    let before = until("the agent pushes", async || sequence(&all).await.filter(|seq| *seq > 3)).await?;
    let leader = cluster.leader(1).await?;
    cluster.kill(leader)?;
    until("the agent pushes again", async || sequence(&all).await.filter(|seq| *seq > before + 10)).await?;
    assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_there_is_an_error_at_the_deadline_and_no_stale_row() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    publisher(&cluster.client(1)?, "a").push(counter(7)).await?;
    // A planted bug is seen: with a majority the same query does answer.
    assert_eq!(read_counter(&cluster.client(3)?, "a").await?, 7);
    cluster.kill(1)?;
    cluster.kill(2)?;
    let client = cluster.client(3)?.with_timeout(Duration::from_millis(1200));
    let asked = Instant::now();
    let why = told_of_no_majority(&client, "SELECT value FROM cluster_counter").await?;
    assert!(why.contains("replica 3 could not confirm the read with a majority"), "{why}");
    let waited = asked.elapsed();
    assert!((Duration::from_millis(1100)..PATIENCE).contains(&waited), "{waited:?}");
    // Of a change, too: it would be made in the caller's own time, however long its nodes may take.
    let why = told_of_no_majority(&client, "SET CONFIG unum sql.queries_max = 9 WAIT 1h").await?;
    assert!(why.contains("could not confirm the read with a majority"), "{why}");
    let args = ["sql", "--timeout", "1s", "--endpoints", &cluster.member(3).addr, "-e", "SELECT 1"];
    let command = run(&binary("unum")?, &args, "")?;
    assert_eq!((command.code, command.stdout.as_str()), (Some(5), ""), "{}", command.stderr);
    let error = publisher(&client, "a").push(counter(8)).await.unwrap_err();
    assert!(matches!(error, Error::Deadline { .. } | Error::OutcomeUnknown { .. }), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_replicas_stop_on_sigterm_and_continue_from_their_directories() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let before = publisher(&cluster.client(1)?, "a").push(counter(7)).await?.revision;
    for id in 1..=3 {
        assert_eq!(cluster.stop(id)?, Some(0), "exit code of replica {id}");
    }
    for id in 1..=3 {
        cluster.spawn(id)?;
    }
    for id in 1..=3 {
        cluster.wait_until_answers(id).await?;
        let client = cluster.client(id)?;
        assert_eq!(read_counter(&client, "a").await?, 7);
        assert!(client.query("SELECT 1").await?.revision > before, "the new term has an entry of its own");
    }
    Ok(())
}

/// What it had acknowledged may be more than what it finds applied: openraft would let it lead on, and answer reads from
/// less.
#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_restarts_at_once_is_elected_before_it_answers() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let leader = cluster.leader(1).await?;
    let client = cluster.client(leader)?;
    let mut publisher = publisher(&client, "a");
    for value in 1..=50 {
        publisher.push(counter(value)).await?;
    }
    let before = term(&client).await?;
    cluster.kill(leader)?;
    cluster.spawn(leader)?;
    cluster.wait_until_answers(leader).await?;
    let client = cluster.client(leader)?;
    assert_eq!(read_counter(&client, "a").await?, 50);
    assert!(term(&client).await? > before, "no replica leads a term on after a restart");
    Ok(())
}

async fn term(client: &Client) -> anyhow::Result<u64> {
    let result = client.query("SELECT max(term) AS term FROM replicas").await?;
    Ok(result.rows().next().expect("one row").get("term")?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_missed_more_than_the_log_keeps_catches_up_by_raft_snapshot() -> anyhow::Result<()> {
    let config = "[raft]\nraft_snapshot_entries = 40\nraft_log_entries_kept = 5\n";
    let mut cluster = Cluster::start_with(3, config).await?;
    let leader = cluster.leader(1).await?;
    let away = 1 + leader % 3;
    cluster.kill(away)?;
    let client = cluster.client(leader)?;
    let mut publisher = publisher(&client, "a");
    for value in 1..=300 {
        publisher.push(counter(value)).await?;
    }
    cluster.spawn(away)?;
    cluster.wait_until_answers(away).await?;
    assert_eq!(read_counter(&cluster.client(away)?, "a").await?, 300);
    // And it keeps what it was sent.
    cluster.kill(away)?;
    cluster.spawn(away)?;
    cluster.wait_until_answers(away).await?;
    assert_eq!(read_counter(&cluster.client(away)?, "a").await?, 300);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sdk_example_runs() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let example = binary("unum")?.with_file_name("examples").join("publish_and_query");
    let output = std::process::Command::new(example).env("UNUM_ENDPOINTS", cluster.endpoints().join(",")).output()?;
    assert_eq!(String::from_utf8(output.stdout)?, "tikv_1 Some(0.25)\n", "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
