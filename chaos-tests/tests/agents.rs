//! Agents and replicas on a host where something hangs.

use std::path::Path;
use std::time::{Duration, Instant};

use unum_chaos_tests::cluster::{Cluster, PATIENCE, Process, binary, until};
use unum_chaos_tests::host::tell;
use unum_chaos_tests::hung_mount::{self, HungMount};
use unum_client::Client;

/// How long a mount hangs under an agent, in seconds: ten minutes, if somebody says so.
const HANG_SECONDS: &str = "UNUM_HANG_SECONDS";
const HANG_DEFAULT: u64 = 5;

/// SIGTERM is obeyed within this time, whatever hangs; what a busy machine needs beside is not the agent's.
const END_LIMIT: Duration = Duration::from_secs(1);
const BUSY: Duration = Duration::from_secs(4);

/// A mount that hangs, or a word on why this host has none.
fn hung(dir: &Path) -> anyhow::Result<Option<HungMount>> {
    match hung_mount::unavailable() {
        Some(why) => {
            tell(&format!("not run: {why}"));
            Ok(None)
        }
        None => Ok(Some(HungMount::make(&dir.join("hung"))?)),
    }
}

/// The processes that a process started, and theirs; and the bytes that all of them have resident.
fn children(of: u32) -> (usize, u64) {
    let text = |pid: u32, file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let (mut open, mut count, mut bytes) = (vec![of], 0, 0);
    while let Some(pid) = open.pop() {
        let children: Vec<u32> =
            text(pid, &format!("task/{pid}/children")).split_whitespace().filter_map(|pid| pid.parse().ok()).collect();
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let of_threads = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        let all: Vec<u32> = of_threads
            .flat_map(|line| line.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
            .collect();
        debug_assert!(children.iter().all(|child| all.contains(child)));
        count += all.len();
        open.extend(all);
        let resident = text(pid, "statm").split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
        bytes += resident.unwrap_or(0) * 4096;
    }
    (count, bytes)
}

async fn count(client: &Client, sql: &str) -> Option<i64> {
    client.query(sql).await.ok()?.rows().next()?.get::<i64>("n").ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_goes_on_while_a_mount_hangs() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let dir = tempfile::tempdir()?;
    // The mount goes first, if this fails: what stands in it could not be ended.
    let mut running: Option<Process> = None;
    let lists: Option<Process>;
    let Some(mount) = hung(dir.path())? else { return Ok(()) };
    let client = cluster.client(1)?;
    let words = ["agent", "--node-type", "tikv", "--id", "1", "--interval", "200ms", "--endpoints"];
    let mut args = mount.enter();
    args.push(binary("unum")?.display().to_string());
    args.extend(words.map(str::to_owned));
    args.push(cluster.endpoints().join(","));
    // Its configuration lies on the mount, too.
    args.extend(["--config-file".to_owned(), mount.path().join("a.toml").display().to_string()]);
    let spawn = || Process::spawn(Path::new(&args[0]), &args[1..], &dir.path().join("agent.log"));
    let agent = running.insert(spawn()?).id();

    let told = "SELECT COUNT(*) AS n FROM cluster_agents WHERE node_id = '1' AND problem = 'not read' \
                AND message LIKE 'disk hung on %/hung (fuse): no answer since %'";
    until("the mount is told", async || count(&client, told).await.filter(|rows| *rows == 1)).await?;
    let told = "SELECT COUNT(*) AS n FROM cluster_agents WHERE table_name = 'config' AND message LIKE '%a.toml: no answer since %'";
    until("the file is told", async || count(&client, told).await.filter(|rows| *rows == 1)).await?;
    let known = "SELECT COUNT(*) AS n FROM cluster_node_infos WHERE id = '1' AND memory > 0 AND disk > 0";
    until("the rest of the host is known", async || count(&client, known).await.filter(|rows| *rows == 1)).await?;
    let null = "SELECT COUNT(*) AS n FROM cluster_hardware WHERE node_id = '1' AND device_name = 'hung' AND name = 'total' AND value IS NULL";
    until("its space is NULL", async || count(&client, null).await.filter(|rows| *rows == 1)).await?;

    // A command that stands in the mount: it is killed and does not end, and no other one is started.
    let mut listing = args[..args.len() - 2].to_vec();
    let list = format!("cat {}/list", mount.path().display());
    listing.extend(["--config-timeout", "200ms", "--config-from", &list].map(str::to_owned));
    if let Some(id) = listing.iter_mut().find(|word| *word == "1") {
        "2".clone_into(id);
    }
    let listing = Process::spawn(Path::new(&listing[0]), &listing[1..], &dir.path().join("listing.log"))?;
    lists = Some(listing);
    let told = "SELECT COUNT(*) AS n FROM cluster_agents WHERE node_id = '2' AND table_name = 'config' \
                AND message LIKE '%has not ended; it is not run again before'";
    until("the command is told", async || count(&client, told).await.filter(|rows| *rows == 1)).await?;

    let sequence = "SELECT CAST(sequence AS SIGNED) AS n FROM nodes WHERE id = '1'";
    let (before, (processes, bytes)) = (count(&client, sequence).await.unwrap_or(0), children(agent));
    let seconds = std::env::var(HANG_SECONDS).ok().and_then(|text| text.parse().ok()).unwrap_or(HANG_DEFAULT);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(seconds) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let (now, _) = children(agent);
        assert!(now <= processes + 1, "{now} processes, and {processes} at first");
    }
    // It pushes as often as it can on a machine that may be busy: again and again, that is.
    until("it pushes", async || count(&client, sequence).await.filter(|now| *now > before + 5)).await?;
    let (now, bytes_now) = children(agent);
    tell(&format!(
        "{seconds} s: {} pushes, {processes} to {now} processes, {} to {} MiB",
        count(&client, sequence).await.unwrap_or(0) - before,
        bytes >> 20,
        bytes_now >> 20,
    ));
    assert!(bytes_now < bytes * 3 / 2, "{bytes_now} bytes, and {bytes} at first");

    let lists = lists.expect("it runs");
    let (commands, _) = children(lists.id());
    assert!(commands <= 5, "{commands} processes of an agent whose command hangs");
    assert_eq!(lists.terminate(PATIENCE)?, Some(0));
    let began = Instant::now();
    assert_eq!(running.take().expect("it runs").terminate(PATIENCE)?, Some(0));
    assert!(began.elapsed() < END_LIMIT + BUSY, "it took {:?} to end", began.elapsed());
    // What was left behind keeps nothing from the next one: it has the name, and pushes.
    running = Some(spawn()?);
    let epoch = count(&client, sequence).await;
    until("the next agent pushes", async || count(&client, sequence).await.filter(|now| Some(*now) != epoch)).await?;
    assert_eq!(running.take().expect("it runs").terminate(PATIENCE)?, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_starts_and_serves_while_a_mount_hangs() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let mut cluster = Cluster::prepare(1, "")?;
    // The mount goes first, if this fails: what stands in it could not be ended.
    let Some(mount) = hung(dir.path())? else { return Ok(()) };
    let enter = mount.enter();
    let enter: Vec<&str> = enter.iter().map(String::as_str).collect();
    cluster.spawn_under(1, &enter)?;
    cluster.wait_until_answers(1).await?;
    let client = cluster.client(1)?;
    let told = "SELECT COUNT(*) AS n FROM cluster_agents WHERE node_type = 'unum' AND message LIKE 'disk hung %'";
    until("the mount is told", async || count(&client, told).await.filter(|rows| *rows == 1)).await?;
    let began = Instant::now();
    assert_eq!(cluster.stop(1)?, Some(0));
    assert!(began.elapsed() < END_LIMIT + BUSY, "it took {:?} to end", began.elapsed());
    // The same port and the same directory, while what it left behind still stands in the mount.
    cluster.spawn_under(1, &enter)?;
    cluster.wait_until_answers(1).await?;
    assert_eq!(cluster.stop(1)?, Some(0));
    Ok(())
}

/// As of any daemon: its files are read again, and it goes on.
#[tokio::test(flavor = "multi_thread")]
async fn sighup_makes_an_agent_read_again() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let (dir, client) = (tempfile::tempdir()?, cluster.client(1)?);
    let file = dir.path().join("a.toml");
    std::fs::write(&file, "level = 1\n")?;
    let file_name = file.display().to_string();
    // An hour: nothing comes of its own.
    let words =
        ["agent", "--node-type", "tikv", "--id", "1", "--interval", "1h", "--config-file", &file_name, "--endpoints"];
    let mut args: Vec<String> = words.map(str::to_owned).to_vec();
    args.push(cluster.endpoints().join(","));
    let agent = Process::spawn(&binary("unum")?, &args, &dir.path().join("agent.log"))?;
    let level = "SELECT CAST(value AS SIGNED) AS n FROM cluster_config WHERE node_id = '1' AND `key` = 'level'";
    until("the first value is there", async || count(&client, level).await.filter(|level| *level == 1)).await?;
    let info = "SELECT COUNT(*) AS n FROM cluster_node_infos WHERE id = '1'";
    until("the first round is over", async || count(&client, info).await.filter(|rows| *rows == 1)).await?;
    std::fs::write(&file, "level = 2\n")?;
    agent.signal("HUP")?;
    until("the second value is there", async || count(&client, level).await.filter(|level| *level == 2)).await?;
    assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    Ok(())
}

/// What a command prints is a table of the agent's own node; one that fails is told, and costs only itself.
#[tokio::test(flavor = "multi_thread")]
async fn commands_print_tables_of_the_agents_own_node() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let (dir, client) = (tempfile::tempdir()?, cluster.client(1)?);
    let switch = dir.path().join("switch").display().to_string();
    let tables = [
        "mounts=df -k -P".to_owned(),
        r#"pods=echo '{"items": [{"name": "a"}, {"name": "b"}], "kind": "List"}'"#.to_owned(),
        // Fails, until somebody mends it.
        format!("odd=test -e {switch} && printf 'a;b\\n1;2\\n' || {{ echo broken >&2; exit 3; }}"),
        "hangs=sleep 600".to_owned(),
    ];
    let words = [
        "agent",
        "--node-type",
        "tikv",
        "--id",
        "1",
        "--interval",
        "100ms",
        "--every",
        "100ms",
        "--table-timeout",
        "500ms",
    ];
    let mut args: Vec<String> = words.map(str::to_owned).to_vec();
    args.extend(tables.iter().flat_map(|table| ["--table".to_owned(), table.clone()]));
    args.extend(["--endpoints".to_owned(), cluster.endpoints().join(",")]);
    let agent = Process::spawn(&binary("unum")?, &args, &dir.path().join("agent.log"))?;
    let mounts = "SELECT COUNT(*) AS n FROM cluster_mounts WHERE node_id = '1' AND mounted_on = '/'";
    until("df is a table", async || count(&client, mounts).await.filter(|rows| *rows == 1)).await?;
    let pods = "SELECT COUNT(*) AS n FROM cluster_pods WHERE name IN ('a', 'b')";
    until("the list in an object is a table", async || count(&client, pods).await.filter(|rows| *rows == 2)).await?;
    for (table, why) in [("odd", "%it ended with exit status: 3: broken"), ("hangs", "%did not end within 500ms%")] {
        let told = format!(
            "SELECT COUNT(*) AS n FROM cluster_agents WHERE problem = 'table refused' AND table_name = '{table}' AND message LIKE '{why}'"
        );
        until("it is told", async || count(&client, &told).await.filter(|rows| *rows == 1)).await?;
    }
    std::fs::write(&switch, "")?;
    let odd = "SELECT CAST(b AS SIGNED) AS n FROM cluster_odd WHERE a = 1";
    until("what is mended is a table", async || count(&client, odd).await.filter(|b| *b == 2)).await?;
    let told = "SELECT COUNT(*) AS n FROM cluster_agents WHERE table_name = 'odd'";
    until("and is told no more", async || count(&client, told).await.filter(|rows| *rows == 0)).await?;
    assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    Ok(())
}
