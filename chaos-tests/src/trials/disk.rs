//! The disk fails or is full: the replica stops rather than guess, or refuses in time; nothing acknowledged is lost.

use std::time::Duration;

use super::trial::{Trial, cannot_run, case};
use crate::cluster::{Cluster, until};
use crate::counter::{counter, publisher, read_counter};
use crate::faults::disk::traced;
use crate::host::{Mount, missing};
use crate::load::Load;
use crate::promise::Promise;

pub(super) const TRIAL: Trial = Trial {
    name: "disk",
    about: "the disk fails or is full (strace, root)",
    cases: &[
        case!(slice 120 a_sync_that_fails_ends_the_process_and_loses_nothing),
        case!(slice 120 a_disk_that_gets_full_refuses_pushes_and_answers_reads_until_there_is_room),
        case!(slice 120 a_disk_without_a_reserve_ends_the_process_and_it_starts_again_with_all_that_was_acknowledged),
    ],
};

async fn a_sync_that_fails_ends_the_process_and_loses_nothing(_: u64) -> anyhow::Result<()> {
    cannot_run(missing(false, &["strace"]))?;
    let mut cluster = Cluster::start(3).await?;
    let victim = cluster.leader(1).await?;
    assert_eq!(cluster.stop(victim)?, Some(0));
    cluster.spawn_under(victim, &traced("inject=fdatasync:error=EIO:when=60+"))?;
    cluster.wait_until_answers(victim).await?;
    let load = Load::start(&cluster.client_of_all()?, 4, 2).await?;
    let (code, log) = cluster.wait_until_ended(victim).await?;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("storage has failed; no further write is tried"), "{log}");
    assert!(log.contains("error: raft has stopped"), "{log}");

    let acked = load.acked();
    until("the others go on", async || (load.acked() > acked + 20).then_some(())).await?;
    cluster.spawn(victim)?;
    cluster.wait_until_answers(victim).await?;
    load.stop().await?.check(&cluster.client(victim)?).await
}

async fn a_disk_that_gets_full_refuses_pushes_and_answers_reads_until_there_is_room(_: u64) -> anyhow::Result<()> {
    cannot_run(missing(true, &["mount"]))?;
    // 40 MiB of 64 stay free: enough for sled, and the ballast below takes the rest.
    let config = "[storage]\ndisk_reserve_bytes = 20971520\n";
    let mut cluster = Cluster::prepare(1, config)?;
    let disk = Mount::tmpfs(&cluster.member(1).data_dir, 64)?;
    cluster.start_all().await?;
    let client = cluster.client(1)?.with_timeout(Duration::from_millis(1_500));
    let mut pushing = publisher(&client, "a");
    pushing.push(counter(1)).await?;

    let ballast = cluster.member(1).data_dir.join("ballast");
    std::fs::write(&ballast, vec![1; 44 * 1024 * 1024])?;
    let refused = until("a push is refused", async || pushing.push(counter(2)).await.err()).await?;
    assert_eq!(refused.exit_code(), 5);
    assert!(refused.to_string().contains("less than the reserve of 20971520 bytes; make room"), "{refused}");
    let before = read_counter(&client, "a").await?;
    assert!(before <= 2);

    std::fs::remove_file(&ballast)?;
    until("a push is taken again", async || pushing.push(counter(3)).await.ok()).await?;
    assert_eq!(read_counter(&client, "a").await?, 3);
    assert_eq!(cluster.stop(1)?, Some(0));
    disk.unmount()
}

async fn a_disk_without_a_reserve_ends_the_process_and_it_starts_again_with_all_that_was_acknowledged(
    _: u64,
) -> anyhow::Result<()> {
    cannot_run(missing(true, &["mount"]))?;
    let mut cluster = Cluster::prepare(1, "[storage]\ndisk_reserve_bytes = 0\n")?;
    let disk = Mount::tmpfs(&cluster.member(1).data_dir, 64)?;
    cluster.start_all().await?;
    let client = cluster.client(1)?.with_timeout(Duration::from_secs(1));
    let mut pushing = publisher(&client, "a");
    pushing.push(counter(1)).await?;
    // Whatever is left, to the last byte.
    let ballast = cluster.member(1).data_dir.join("ballast");
    let mut file = std::fs::File::create(&ballast)?;
    while std::io::Write::write_all(&mut file, &[1; 4096]).is_ok() {}
    drop(file);

    let mut acked = 1;
    for value in 2.. {
        match pushing.push(counter(value)).await {
            Ok(_) => acked = value,
            Err(_) => break,
        }
        anyhow::ensure!(value < 100_000, "the disk does not get full");
    }
    let (code, log) = cluster.wait_until_ended(1).await?;
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("storage has failed"), "{log}");

    std::fs::remove_file(&ballast)?;
    cluster.spawn(1)?;
    cluster.wait_until_answers(1).await?;
    let found = read_counter(&cluster.client(1)?, "a").await?;
    Promise::Lost.ensure(found >= acked, || format!("{found} after {acked} was acknowledged"))?;
    assert!(found <= acked + 1, "{found} after {acked} was acknowledged");
    assert_eq!(cluster.stop(1)?, Some(0));
    disk.unmount()
}
