//! The leader goes, by force or as planned: how long nobody is served, and that nothing is lost or stale meanwhile.
//!
//! The slice looks at a few; the figures of docs/RELIABILITY.md come from the long ones, on a release build.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::trial::{Trial, case};
use crate::cluster::{Cluster, until};
use crate::counter::{counter, publisher, read_counter};
use crate::host::tell;
use crate::load::Load;
use unum_client::{Change, Client};

pub(super) const TRIAL: Trial = Trial {
    name: "failover",
    about: "the leader goes, by force or as planned, under load",
    cases: &[
        case!(slice 120 killed_leaders_are_replaced_and_nothing_fails_or_is_lost),
        case!(slice 120 a_planned_stop_hands_the_lead_over_and_no_request_fails),
        case!(slice 120 a_rolling_restart_under_load_fails_no_read_and_loses_no_push),
        case!(long 180 the_lead_moves_while_all_replicas_are_pushed_to_and_no_push_waits),
        case!(long 900 failover_measured),
        case!(long 600 planned_stops_measured),
        case!(long 900 no_false_election_in_ten_minutes_of_full_load),
    ],
};

async fn term(client: &Client) -> anyhow::Result<u64> {
    let result = client.query("SELECT max(term) AS term FROM replicas").await?;
    Ok(result.rows().next().expect("one row").get("term")?)
}

fn percentile(sorted: &[u128], percent: usize) -> u128 {
    sorted[(sorted.len() * percent).div_ceil(100).max(1) - 1]
}

fn show(what: &str, mut times_ms: Vec<u128>) {
    times_ms.sort_unstable();
    tell(&format!(
        "{what}: p50 {} ms, p90 {} ms, p99 {} ms, max {} ms of {}",
        percentile(&times_ms, 50),
        percentile(&times_ms, 90),
        percentile(&times_ms, 99),
        times_ms[times_ms.len() - 1],
        times_ms.len(),
    ));
}

/// Kills the leader again and again while so many writers and as many readers work; returns how long the first read and the first push at a survivor took.
async fn kill_leaders(kills: usize, clients: usize) -> anyhow::Result<(Vec<u128>, Vec<u128>)> {
    let mut cluster = Cluster::start(3).await?;
    let load = Load::start(&cluster.client_of_all()?, clients, clients).await?;
    let (mut reads, mut pushes) = (Vec::new(), Vec::new());
    for kill in 0..kills {
        let leader = cluster.leader(1 + kill as u64 % 3).await?;
        let survivor = 1 + leader % 3;
        let client = cluster.client(survivor)?;
        let mut probe = publisher(&client, "probe");
        probe.push(counter(kill as i64)).await?;
        cluster.kill(leader)?;
        let killed = Instant::now();
        let read = async {
            read_counter(&client, "probe").await?;
            anyhow::Ok(killed.elapsed().as_millis())
        };
        let push = async {
            probe.push(counter(kill as i64)).await?;
            anyhow::Ok(killed.elapsed().as_millis())
        };
        let (read, push) = tokio::join!(read, push);
        reads.push(read?);
        pushes.push(push?);
        cluster.spawn(leader)?;
        cluster.wait_until_answers(leader).await?;
    }
    let tally = load.stop().await?;
    for id in 1..=3 {
        tally.check(&cluster.client(id)?).await?;
    }
    tell(&format!("meanwhile {} pushes and {} reads, none failed", tally.pushes, tally.reads));
    Ok((reads, pushes))
}

async fn killed_leaders_are_replaced_and_nothing_fails_or_is_lost(_: u64) -> anyhow::Result<()> {
    let (reads, pushes) = kill_leaders(3, 4).await?;
    show("first read after kill -9", reads);
    show("first push after kill -9", pushes);
    Ok(())
}

async fn failover_measured(_: u64) -> anyhow::Result<()> {
    let (reads, pushes) = kill_leaders(60, 32).await?;
    show("first read after kill -9", reads);
    show("first push after kill -9", pushes);
    Ok(())
}

/// Stops the leader with SIGTERM under load, `times` times; returns the longest push and read of each.
async fn planned_stops(times: usize) -> anyhow::Result<Vec<(Duration, Duration)>> {
    let mut cluster = Cluster::start(3).await?;
    let mut longest = Vec::new();
    for stop in 0..times {
        let leader = cluster.leader(1 + stop as u64 % 3).await?;
        let survivors: Vec<_> = (1..=3).filter(|id| *id != leader).map(|id| cluster.member(id).addr.clone()).collect();
        // Clients of the survivors see the gap in the lead itself, not their own reconnecting.
        let load = Load::start(&Client::builder(survivors).build()?, 2, 2).await?;
        let before = load.acked();
        until("the load runs", async || (load.acked() > before + 20).then_some(())).await?;
        let term_before = term(&cluster.client(1 + leader % 3)?).await?;
        assert_eq!(cluster.stop(leader)?, Some(0));
        let after = load.acked();
        until("the load goes on", async || (load.acked() > after + 20).then_some(())).await?;
        assert_eq!(term(&cluster.client(1 + leader % 3)?).await?, term_before + 1, "one transfer, no election");
        let tally = load.stop().await?;
        assert!(tally.failures.is_empty(), "{:?}", tally.failures);
        // Replicas that wait for each other would be parted by the end of the grace that a stop gives, after two seconds.
        assert!(tally.longest_push < Duration::from_millis(1_500), "a push took {:?}", tally.longest_push);
        longest.push((tally.longest_push, tally.longest_read));
        cluster.spawn(leader)?;
        cluster.wait_until_answers(leader).await?;
    }
    Ok(longest)
}

async fn a_planned_stop_hands_the_lead_over_and_no_request_fails(_: u64) -> anyhow::Result<()> {
    tell(&format!("longest push and read: {:?}", planned_stops(2).await?));
    Ok(())
}

async fn planned_stops_measured(_: u64) -> anyhow::Result<()> {
    let longest = planned_stops(20).await?;
    show("longest push around SIGTERM", longest.iter().map(|(push, _)| push.as_millis()).collect());
    show("longest read around SIGTERM", longest.iter().map(|(_, read)| read.as_millis()).collect());
    Ok(())
}

/// Replicas between which the lead moves relay to each other, and must not wait for each other.
async fn the_lead_moves_while_all_replicas_are_pushed_to_and_no_push_waits(_: u64) -> anyhow::Result<()> {
    const PUSHERS: usize = 12;
    const MOVES: usize = 30;
    let cluster = Cluster::start(3).await?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut pushing = Vec::new();
    for id in 1..=3 {
        for pusher in 0..PUSHERS {
            let mut publisher = publisher(&cluster.client(id)?, &format!("pusher_{id}_{pusher}"));
            let stop = Arc::clone(&stop);
            pushing.push(tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                for value in 0.. {
                    let asked = Instant::now();
                    publisher.push(counter(value)).await?;
                    longest = longest.max(asked.elapsed());
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                }
                anyhow::Ok(longest)
            }));
        }
    }
    let client = cluster.client_of_all()?;
    for _ in 0..MOVES {
        let before = term(&client).await?;
        client.change(Change::TransferLeader { to: None }).await?;
        until("another one leads", async || (term(&client).await.ok()? > before).then_some(())).await?;
    }
    stop.store(true, Ordering::SeqCst);
    let mut longest = Duration::ZERO;
    for pusher in pushing {
        longest = longest.max(pusher.await??);
    }
    tell(&format!("longest push {longest:?}"));
    // Replicas that wait for each other do so for the five seconds that a batch may take.
    assert!(longest < Duration::from_millis(2_500), "a push took {longest:?}");
    Ok(())
}

async fn a_rolling_restart_under_load_fails_no_read_and_loses_no_push(_: u64) -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    // So many that some names begin with all of another: writer_1 and writer_10.
    let load = Load::start(&cluster.client_of_all()?, 12, 4).await?;
    for id in 1..=3 {
        let before = load.acked();
        assert_eq!(cluster.stop(id)?, Some(0), "exit code of replica {id}");
        until("the load goes on", async || (load.acked() > before + 20).then_some(())).await?;
        cluster.spawn(id)?;
        cluster.wait_until_answers(id).await?;
    }
    let tally = load.stop().await?;
    tell(&format!(
        "{} pushes, {} reads, longest push {:?}, longest read {:?}",
        tally.pushes, tally.reads, tally.longest_push, tally.longest_read
    ));
    for id in 1..=3 {
        tally.check(&cluster.client(id)?).await?;
    }
    Ok(())
}

async fn no_false_election_in_ten_minutes_of_full_load(_: u64) -> anyhow::Result<()> {
    const MINUTES: u64 = 10;
    let cluster = Cluster::start(3).await?;
    let client = cluster.client_of_all()?;
    let load = Load::start(&client, 32, 32).await?;
    let before = term(&client).await?;
    tokio::time::sleep(Duration::from_secs(60 * MINUTES)).await;
    let after = term(&client).await?;
    let tally = load.stop().await?;
    tell(&format!(
        "{} pushes and {} reads in {MINUTES} minutes, longest push {:?}, longest read {:?}, term {before} to {after}",
        tally.pushes, tally.reads, tally.longest_push, tally.longest_read
    ));
    assert!(tally.failures.is_empty(), "{:?}", tally.failures);
    assert_eq!(before, after, "the term changed without a fault");
    Ok(())
}
