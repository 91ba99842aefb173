//! Holds the packets that the kernel queues, each for a random time, so that they are late and overtake each other.
//!
//! It runs on a host of its own inside the sandbox, as a process that is ended with the fault.

use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use anyhow::Context;
use nfq::{Message, Queue, Verdict};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// The queue that the rule names.
const QUEUE: u16 = 0;

/// Between two looks when nothing came and nothing is due.
const NAP: Duration = Duration::from_micros(500);

/// Packets that are held at most; more pass at once. The kernel's own queue, before this one, is of 1,024
/// and drops the rest.
const HELD_MAX: usize = 10_000;

struct Held {
    due: Instant,
    packet: Message,
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Held {}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Held {
    /// What is due first is the greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.due.cmp(&self.due)
    }
}

/// Holds each packet up to `max`, until the process is ended.
///
/// # Errors
/// When the kernel gives no queue.
pub fn delay(max: Duration, seed: u64) -> anyhow::Result<()> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut queue = Queue::open().context("netlink")?;
    queue.bind(QUEUE).context("the queue")?;
    queue.set_nonblocking(true);
    let mut held = BinaryHeap::new();
    loop {
        let came = match queue.recv() {
            Ok(packet) => {
                let due = Instant::now() + max.mul_f64(random.random());
                held.push(Held { due, packet });
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => false,
            Err(error) => return Err(error).context("a packet"),
        };
        while held.peek().is_some_and(|first: &Held| first.due <= Instant::now() || held.len() > HELD_MAX) {
            if let Some(Held { mut packet, .. }) = held.pop() {
                packet.set_verdict(Verdict::Accept);
                queue.verdict(packet).context("a verdict")?;
            }
        }
        if !came {
            std::thread::sleep(NAP);
        }
    }
}
