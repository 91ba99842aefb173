//! The group changes while it serves: members come and go, the lead moves, and nobody comes back as somebody else.

use std::time::Duration;

use unum_chaos_tests::cluster::{Cluster, Finished, binary, run, until};
use unum_chaos_tests::counter::{counter, publisher, read_counter};
use unum_client::{Change, Error};

fn unum(cluster: &Cluster, args: &[&str]) -> anyhow::Result<Finished> {
    let endpoints = cluster.endpoints().join(",");
    run(&binary("unum")?, &[args, &["--endpoints", &endpoints]].concat(), "")
}

/// The role of a replica as the first one sees it.
async fn role(cluster: &Cluster, id: u64) -> Option<String> {
    let result =
        cluster.client_of_all().ok()?.query(&format!("SELECT role FROM replicas WHERE id = {id}")).await.ok()?;
    result.rows().next()?.get("role").ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_joins_answers_votes_and_takes_the_place_of_another() -> anyhow::Result<()> {
    // The log begins after the newcomer's own time: it catches up by a raft snapshot that does not know it yet.
    let config = "[raft]\nraft_snapshot_entries = 40\nraft_log_entries_kept = 5\n";
    let mut cluster = Cluster::start_with(3, config).await?;
    let mut pushing = publisher(&cluster.client(1)?, "a");
    for value in 1..=150 {
        pushing.push(counter(value)).await?;
    }
    pushing.push(counter(7)).await?;

    cluster.join(4)?;
    cluster.wait_until_answers(4).await?;
    assert_eq!(role(&cluster, 4).await.as_deref(), Some("learner"));
    // A learner answers as fresh as the others.
    publisher(&cluster.client(2)?, "a").push(counter(8)).await?;
    assert_eq!(read_counter(&cluster.client(4)?, "a").await?, 8);

    until("the learner may vote", async || {
        let promoted = unum(&cluster, &["member", "promote", "4"]).ok()?;
        (promoted.code == Some(0)).then_some(())
    })
    .await?;
    assert_eq!(role(&cluster, 4).await.as_deref(), Some("follower"));

    // The leader takes itself out: another one leads, and the process that is not wanted any more ends itself.
    let leader = cluster.leader(2).await?;
    let removed = unum(&cluster, &["member", "remove", &leader.to_string()])?;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    let (code, log) = cluster.wait_until_ended(leader).await?;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&format!("replica {leader} was removed from the group")), "{log}");
    let others: Vec<u64> = (1..=4).filter(|id| *id != leader).collect();
    for id in &others {
        assert_eq!(read_counter(&cluster.client(*id)?, "a").await?, 8);
    }
    publisher(&cluster.client(others[0])?, "a").push(counter(9)).await?;

    // With three voters left one may fail.
    cluster.kill(cluster.leader(others[0]).await?)?;
    let client = cluster.client_of_all()?;
    assert_eq!(read_counter(&client, "a").await?, 9);

    // The id that was removed is not given out again.
    let again = client.change(Change::add_member(leader.into(), "127.0.0.1:1".into())?).await.unwrap_err();
    assert!(again.to_string().contains(&format!("the id {leader} was used before")), "{again}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_wiped_does_not_come_back_as_itself() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    publisher(&cluster.client(1)?, "a").push(counter(7)).await?;
    let wiped = 1 + cluster.leader(1).await? % 3;
    cluster.kill(wiped)?;
    std::fs::remove_dir_all(&cluster.member(wiped).data_dir)?;
    cluster.spawn(wiped)?;
    let (code, log) = cluster.wait_until_ended(wiped).await?;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains(&format!("replica {wiped} is known to the group with another data directory")), "{log}");
    assert!(log.contains("under an id that was never used"), "{log}");

    // What the message says is what helps.
    let removed = unum(&cluster, &["member", "remove", &wiped.to_string()])?;
    assert_eq!(removed.code, Some(0), "{removed:?}");
    cluster.members.rotate_left(usize::from(wiped == 1));
    cluster.join(4)?;
    cluster.wait_until_answers(4).await?;
    assert_eq!(read_counter(&cluster.client(4)?, "a").await?, 7);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lead_moves_where_it_is_told() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let leader = cluster.leader(1).await?;
    let to = 1 + leader % 3;
    let moved = unum(&cluster, &["leader", "transfer", "--to", &to.to_string()])?;
    assert_eq!((moved.code, moved.stdout.as_str()), (Some(0), format!("replica {to} leads\n").as_str()), "{moved:?}");
    assert_eq!(cluster.leader(leader).await?, to);
    let wrong = unum(&cluster, &["leader", "transfer", "--to", "9"])?;
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("replica 9 is no voter of the group"), "{wrong:?}");

    let status = unum(&cluster, &["status"])?;
    assert_eq!(
        status.stdout.lines().filter(|line| line.contains(&format!("leader {to}, term"))).count(),
        3,
        "{status:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_to_the_group_is_refused() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    for (args, expected) in [
        (&["member", "remove", "1"][..], "replica 1 is the last voter"),
        (&["member", "remove", "9"], "replica 9 is not in the group"),
        (&["member", "promote", "9"], "replica 9 is not in the group"),
        (&["member", "add", "1=127.0.0.1:1"], "an address does not change"),
        (&["member", "add", "2"], "write ID=HOST:PORT"),
        (&["member", "add", "2=x"], "write HOST:PORT"),
        (&["leader", "transfer"], "there is no other voter to lead"),
        (&["node", "remove", "tikv"], "write NODE_TYPE/ID"),
        (&["node", "remove", "tikv/nobody"], "there is no node tikv/nobody"),
    ] {
        let finished = unum(&cluster, args)?;
        assert_eq!(finished.code, Some(1), "{args:?}: {finished:?}");
        assert!(finished.stderr.contains(expected), "{args:?}: {finished:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_show_how_far_they_are_and_the_same_state_hash() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    publisher(&cluster.client(1)?, "a").push(counter(7)).await?;
    let client = cluster.client(2)?;
    let rows = until("all three have reported", async || {
        let result = client.query("SELECT applied, state_hash, lag FROM replicas WHERE state_hash IS NOT NULL").await;
        result.ok().filter(|result| result.row_count() == 3)
    })
    .await?;
    for row in rows.rows() {
        assert!(row.get::<Option<u64>>("lag")?.is_some());
    }
    // Their own publishing goes on, so equal revisions are met now and then: then the hashes are equal.
    until("two replicas report the same revision", async || {
        let sql = "SELECT a.state_hash AS a, b.state_hash AS b FROM replicas a JOIN replicas b \
                   ON a.applied = b.applied AND a.id < b.id";
        let result = client.query(sql).await.ok()?;
        for row in result.rows() {
            assert_eq!(row.get::<String>("a").unwrap(), row.get::<String>("b").unwrap());
        }
        (result.row_count() > 0).then_some(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_told_apart_from_nothing_done() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    let leader = cluster.leader(1).await?;
    for id in (1..=3).filter(|id| *id != leader) {
        cluster.kill(id)?;
    }
    // The leader alone writes the change to its log and cannot say what will become of it.
    let client = cluster.client(leader)?.with_timeout(Duration::from_millis(1_500));
    let change = Change::add_member(9.into(), "127.0.0.1:1".into())?;
    let error = client.change(change).await.unwrap_err();
    assert!(matches!(error, Error::OutcomeUnknown { .. } | Error::Deadline { .. }), "{error}");
    assert_eq!(error.exit_code(), 5);
    Ok(())
}
