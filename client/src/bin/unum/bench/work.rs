//! The works: what is asked or pushed, again and again.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use unum_client::{Client, Error, Publisher};

use super::args::Work;
use super::clients::{CLIENTS_PER_CONNECTION, Clients};
use super::load::{Measured, Recorder};
use super::nodes::Nodes;

/// Between two ids that one client asks for: prime, so that a client meets all of them.
const STRIDE: u32 = 7;

/// The statement of a work, the `turn`-th time.
fn statement(work: Work, nodes: u32, turn: u32) -> String {
    match work {
        Work::Scan => "SELECT * FROM cluster_node_infos".to_owned(),
        Work::GroupBy => {
            "SELECT node_type, COUNT(*), AVG(cpu), MAX(memory) FROM cluster_node_infos GROUP BY node_type".to_owned()
        }
        Work::Join => "SELECT n.node_type, COUNT(*), MAX(p.time) FROM cluster_node_infos n JOIN cluster_processlist p \
                       ON p.node_type = n.node_type AND p.node_id = n.id GROUP BY n.node_type"
            .to_owned(),
        _ => format!("SELECT * FROM cluster_node_infos WHERE id = '{}'", Nodes::id(turn % nodes)),
    }
}

/// Rows that an answer has at least: fewer would be another work than was asked for.
fn rows_min(work: Work, nodes: u32) -> usize {
    match work {
        Work::Scan => nodes as usize,
        _ => 1,
    }
}

async fn select(client: &Client, work: Work, nodes: u32, turn: u32) -> Result<(), Error> {
    let sql = statement(work, nodes, turn);
    let (rows, min) = (client.query(&sql).await?.row_count(), rows_min(work, nodes));
    match rows >= min {
        true => Ok(()),
        false => Err(Error::Protocol(format!("{sql} has {rows} rows instead of {min} or more"))),
    }
}

/// One statement after the other's answer, on each client.
pub async fn selects(
    work: Work,
    nodes: &Arc<Nodes>,
    clients: &Clients<'_>,
    count: usize,
    time: Duration,
) -> Result<Measured, Error> {
    let nodes = nodes.count();
    let clients = clients.shared(count, CLIENTS_PER_CONNECTION)?;
    let (recorder, started) = (Recorder::new(), Instant::now());
    let task = |(client, first): (Client, u32)| {
        let recorder = recorder.clone();
        tokio::spawn(async move {
            let mut turn = first;
            while started.elapsed() < time {
                let asked = Instant::now();
                recorder.add(asked, select(&client, work, nodes, turn).await);
                turn = turn.wrapping_add(STRIDE);
            }
        })
    };
    let tasks = clients.into_iter().zip(0..).map(task).collect();
    Ok(recorder.sum(tasks, started).await)
}

/// Point selects, each at its time: one that waits for a client counts its waiting.
pub async fn paced_selects(
    nodes: &Arc<Nodes>,
    clients: &Clients<'_>,
    rate: f64,
    count: usize,
    time: Duration,
) -> Result<Measured, Error> {
    let nodes = nodes.count();
    let clients = clients.shared(count, CLIENTS_PER_CONNECTION)?;
    let (recorder, started) = (Recorder::new(), Instant::now());
    let interval = Duration::from_secs_f64(count as f64 / rate);
    let task = |(client, number): (Client, u32)| {
        let recorder = recorder.clone();
        tokio::spawn(async move {
            let mut due = started + interval.mul_f64(f64::from(number) / count as f64);
            let mut turn = number;
            while due < started + time {
                tokio::time::sleep_until(due).await;
                recorder.add(due, select(&client, Work::PointSelect, nodes, turn).await);
                due += interval;
                turn = turn.wrapping_add(STRIDE);
            }
        })
    };
    let tasks = clients.into_iter().zip(0..).map(task).collect();
    Ok(recorder.sum(tasks, started).await)
}

/// Pushes: at a rate each node at its times, otherwise `in_flight` at a time, a node after the other.
pub async fn push(
    nodes: &Arc<Nodes>,
    publishers: Vec<Publisher>,
    rate: Option<f64>,
    in_flight: usize,
    time: Duration,
) -> Measured {
    let (recorder, started) = (Recorder::new(), Instant::now());
    let publishers = publishers.into_iter().zip(0..);
    let tasks = match rate {
        Some(rate) => {
            let interval = Duration::from_secs_f64(f64::from(nodes.count()) / rate);
            let first = |number: u32| started + interval.mul_f64(f64::from(number) / f64::from(nodes.count()));
            let paced = |(publisher, number)| {
                let times = (first(number), interval, started + time);
                paced_pushes(Arc::clone(nodes), publisher, number, times, recorder.clone())
            };
            publishers.map(|one| tokio::spawn(paced(one))).collect()
        }
        None => {
            let mut shares: Vec<Vec<(Publisher, u32)>> = (0..in_flight).map(|_| Vec::new()).collect();
            publishers.for_each(|one| shares[one.1 as usize % in_flight].push(one));
            let busy = shares.into_iter().filter(|share| !share.is_empty());
            busy.map(|share| tokio::spawn(pushes(Arc::clone(nodes), share, started + time, recorder.clone()))).collect()
        }
    };
    recorder.sum(tasks, started).await
}

/// One push after the other's answer.
async fn pushes(nodes: Arc<Nodes>, mut publishers: Vec<(Publisher, u32)>, end: Instant, recorder: Recorder) {
    for turn in 1.. {
        for (publisher, number) in &mut publishers {
            let table = nodes.node_info(*number, turn);
            let asked = Instant::now();
            if asked >= end {
                return;
            }
            recorder.add(asked, publisher.push_whole(vec![table]).await);
        }
    }
}

/// One push each interval. One that is late because the one before was late counts that, too.
async fn paced_pushes(
    nodes: Arc<Nodes>,
    mut publisher: Publisher,
    number: u32,
    (first, interval, end): (Instant, Duration, Instant),
    recorder: Recorder,
) {
    let mut due = first;
    for turn in 1.. {
        if due >= end {
            break;
        }
        tokio::time::sleep_until(due).await;
        recorder.add(due, publisher.push_whole(vec![nodes.node_info(number, turn)]).await);
        due += interval;
    }
}
