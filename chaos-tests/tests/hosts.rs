//! Agents on hosts that are not as ours is: what they say of them is held against the host's own programs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use unum_chaos_tests::cluster::{Cluster, PATIENCE, Process, binary, until};
use unum_chaos_tests::host::{make_ext4, missing, sh, tell};
use unum_chaos_tests::namespace::Namespace;
use unum_client::{Client, FromValue};

/// A cluster of one replica, and a directory.
struct Stage {
    cluster: Cluster,
    dir: tempfile::TempDir,
}

impl Stage {
    async fn new() -> anyhow::Result<Self> {
        Ok(Self { cluster: Cluster::start(1).await?, dir: tempfile::tempdir()? })
    }

    fn client(&self) -> anyhow::Result<Client> {
        self.cluster.client(1)
    }

    /// An agent, behind these words.
    fn agent(&self, id: &str, before: &[String], more: &[&str]) -> anyhow::Result<Process> {
        let mut words = before.to_vec();
        words.push(binary("unum")?.display().to_string());
        words.extend(
            ["agent", "--node-type", "host", "--id", id, "--interval", "100ms", "--endpoints"].map(str::to_owned),
        );
        words.push(self.cluster.endpoints().join(","));
        words.extend(more.iter().map(|word| (*word).to_owned()));
        Process::spawn(Path::new(&words[0]), &words[1..], &self.dir.path().join(format!("{id}.log")))
    }
}

/// The one row of a statement, when there is one.
async fn row<T: FromValue>(client: &Client, sql: &str) -> Option<T> {
    client.query(sql).await.ok()?.rows().next()?.get("v").ok()
}

/// A value of an agent's `node_info`, once it has pushed several times.
async fn fact<T: FromValue>(client: &Client, id: &str, column: &str) -> anyhow::Result<T> {
    let sequence = format!("SELECT CAST(sequence AS SIGNED) AS v FROM nodes WHERE id = '{id}'");
    let first: i64 = until("the agent pushes", async || row(client, &sequence).await).await?;
    until("it pushes again", async || row::<i64>(client, &sequence).await.filter(|now| *now > first + 2)).await?;
    let sql = format!("SELECT {column} AS v FROM cluster_node_infos WHERE id = '{id}'");
    row(client, &sql).await.with_context(|| format!("there is no {column}"))
}

fn unavailable(why: Option<String>) -> bool {
    why.inspect(|why| tell(&format!("not run: {why}"))).is_some()
}

/// What `df` says of a path: total, used and available.
fn df(namespace: &Namespace, path: &Path) -> anyhow::Result<[u64; 3]> {
    let output = namespace.command("df").args(["--block-size=1", "--output=size,used,avail"]).arg(path).output()?;
    ensure!(output.status.success(), "df: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let words = text.lines().nth(1).context("a line")?.split_whitespace().map(str::parse);
    words.collect::<Result<Vec<_>, _>>()?.try_into().map_err(|words| anyhow::anyhow!("df said {words:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn disks_are_as_df_has_them() -> anyhow::Result<()> {
    let root_is_disk = std::fs::read_to_string("/proc/self/mounts")?
        .lines()
        .any(|line| line.starts_with("/dev/") && line.contains(" / "));
    let lacking = Namespace::unavailable().or_else(|| missing(true, &["mkfs.ext4", "df", "losetup"]));
    let lacking = lacking.or_else(|| (!root_is_disk).then(|| "the root is on no disk".to_owned()));
    if unavailable(lacking) {
        return Ok(());
    }
    let stage = Stage::new().await?;
    let namespace = Namespace::new(&["mount"])?;
    let at = |name: &str| stage.dir.path().join(name);
    let text = |path: &Path| path.to_string_lossy().into_owned();
    // A file system with a reserve for root, half full, at a place with an odd name; bound elsewhere; under a layer.
    let image = at("image");
    make_ext4(&image, 64)?;
    let odd = stage.dir.path().join(OsStr::from_bytes(b"a b\\c\n\xff'd"));
    for dir in [&odd, &at("bound"), &at("memory"), &at("layer"), &at("hidden")] {
        std::fs::create_dir(dir)?;
    }
    let mut mount = namespace.command("mount");
    ensure!(mount.args(["-o", "loop"]).arg(&image).arg(&odd).status()?.success(), "mount");
    let mut fill = namespace.command("dd");
    let fill = fill.args(["if=/dev/zero", "bs=1M", "count=20", "status=none"]);
    let mut to = std::ffi::OsString::from("of=");
    to.push(odd.join("file"));
    ensure!(fill.arg(to).status()?.success(), "dd");
    let mut bind = namespace.command("mount");
    ensure!(bind.arg("--bind").arg(&odd).arg(at("bound")).status()?.success(), "mount --bind");
    namespace.sh(&["mount", "--bind", "/", &text(&at("hidden"))])?;
    namespace.sh(&["mount", "-t", "tmpfs", "-o", "size=8m", "memory", &text(&at("memory"))])?;
    namespace.sh(&["mount", "-t", "tmpfs", "-o", "size=8m", "over", &text(&at("hidden"))])?;
    let overlay = format!("lowerdir={}:{}", text(&at("memory")), text(&at("bound")));
    namespace.sh(&["mount", "-t", "overlay", "-o", &overlay, "overlay", &text(&at("layer"))])?;
    let before: [u64; 3] = df(&namespace, Path::new("/"))?;

    let _agent = stage.agent("a", &namespace.enter(), &[])?;
    let client = stage.client()?;
    let percent: f64 = fact(&client, "a", "disk").await?;
    let total: u64 = fact(&client, "a", "disk_total").await?;
    // The root's alone: neither the loop device, which is in a file on it, nor what lies in memory, nor layers or bounds.
    let after = df(&namespace, Path::new("/"))?;
    let said = |[_, used, available]: [u64; 3]| 100.0 * used as f64 / (used + available) as f64;
    let (low, high) = (said(before).min(said(after)), said(before).max(said(after)));
    assert!((low - 0.5..=high + 0.5).contains(&percent), "{percent} and df {low} to {high}");
    assert_eq!(total, before[0]);

    let of_loop = "SELECT GROUP_CONCAT(value ORDER BY FIELD(name, 'total', 'used', 'free')) AS v FROM cluster_load \
                   WHERE node_id = 'a' AND device_name LIKE 'loop%' AND name IN ('total', 'used', 'free')";
    let expected = df(&namespace, &odd)?.map(|bytes| bytes.to_string()).join(",");
    let shown = until("the file system is there", async || row::<String>(&client, of_loop).await).await?;
    assert_eq!(shown, expected);
    // Of all that was mounted here it is the only device, where its path is shorter.
    let dir = text(stage.dir.path());
    let paths = format!(
        "SELECT GROUP_CONCAT(value) AS v FROM cluster_hardware WHERE node_id = 'a' AND name = 'path' AND value LIKE '{dir}%'"
    );
    let shown = until("its path is there", async || row::<String>(&client, &paths).await).await?;
    assert_eq!(shown, text(&at("bound")));
    Ok(())
}

/// Where a file of the kernel cannot be read, there is nothing to say: 0 would be a lie.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_null() -> anyhow::Result<()> {
    if unavailable(Namespace::unavailable()) {
        return Ok(());
    }
    let stage = Stage::new().await?;
    let client = stage.client()?;
    let mut agents = Vec::new();
    let cases: [(&str, &[&str]); 8] = [
        ("/proc/stat", &["cpu", "cpu_iowait"]),
        ("/proc/meminfo", &["memory", "memory_total", "memory_used", "swap_total", "swap_used"]),
        ("/proc/loadavg", &["load1", "load5", "load15"]),
        ("/proc/net/dev", &["net", "net_recv", "net_sent"]),
        ("/proc/self/mountinfo", &["disk", "disk_total", "disk_used"]),
        ("/proc/cpuinfo", &["physical_cores"]),
        ("/proc/sys/kernel/hostname", &[]),
        ("/proc/diskstats", &[]),
    ];
    for (number, (file, _)) in cases.iter().enumerate() {
        let namespace = Namespace::new(&["mount"])?;
        let empty = stage.dir.path().join("empty");
        std::fs::write(&empty, "")?;
        // A process's own files cannot be covered: all of /proc is, by one where they are not.
        if *file == "/proc/self/mountinfo" || *file == "/proc/net/dev" {
            namespace.sh(&["mount", "-t", "tmpfs", "none", "/proc"])?;
        } else {
            namespace.sh(&["mount", "--bind", &empty.to_string_lossy(), file])?;
        }
        agents.push((stage.agent(&format!("n{number}"), &namespace.enter(), &[])?, namespace));
    }
    for (number, (file, columns)) in cases.iter().enumerate() {
        let id = format!("n{number}");
        let arch: String = fact(&client, &id, "arch").await.with_context(|| format!("without {file}"))?;
        assert!(!arch.is_empty());
        for column in *columns {
            let value: Option<f64> = fact(&client, &id, &format!("CAST({column} AS DOUBLE)")).await?;
            assert_eq!(value, None, "{column} without {file}");
        }
    }
    Ok(())
}

/// A group of version 1 or 2 for a test; removed with it.
struct Group(PathBuf);

impl Group {
    fn make(dir: &str, limits: &[(&str, &str)]) -> anyhow::Result<Self> {
        let path = Path::new(dir).join(format!("unum-test-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| path.display().to_string())?;
        let group = Self(path);
        for (file, limit) in limits {
            std::fs::write(group.0.join(file), limit).with_context(|| (*file).to_owned())?;
        }
        Ok(group)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bounds_the_process_is_what_counts() -> anyhow::Result<()> {
    const LIMIT: u64 = 512 << 20;
    let limit = LIMIT.to_string();
    let v1 = || -> anyhow::Result<Vec<Group>> {
        Ok(vec![
            Group::make("/sys/fs/cgroup/memory", &[("memory.limit_in_bytes", &limit)])?,
            Group::make("/sys/fs/cgroup/cpu", &[("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", "50000")])?,
            Group::make("/sys/fs/cgroup/cpuacct", &[])?,
            Group::make("/sys/fs/cgroup/pids", &[("pids.max", "200")])?,
        ])
    };
    let v2 = || -> anyhow::Result<Vec<Group>> {
        let limits = [("memory.max", limit.as_str()), ("cpu.max", "50000 100000"), ("pids.max", "200")];
        Ok(vec![Group::make("/sys/fs/cgroup", &limits)?])
    };
    let groups = match v1().or_else(|_| v2()) {
        Ok(groups) => groups,
        Err(why) => {
            tell(&format!("not run: no control group can be made here: {why:#}"));
            return Ok(());
        }
    };
    let stage = Stage::new().await?;
    let client = stage.client()?;
    // The shell goes into the groups, and becomes the agent.
    let into: Vec<String> =
        groups.iter().map(|group| format!("echo $$ > {}/cgroup.procs; ", group.0.display())).collect();
    let words = ["sh".to_owned(), "-c".to_owned(), format!("{}exec \"$@\"", into.concat()), "sh".to_owned()];
    let agent = stage.agent("bound", &words, &[])?;
    let whole = stage.agent("whole", &words, &["--whole-host"])?;
    assert_eq!(fact::<u64>(&client, "bound", "memory_total").await?, LIMIT);
    assert_eq!(fact::<f64>(&client, "bound", "cpu_limit").await?, 0.5);
    assert_eq!(fact::<u64>(&client, "bound", "memory_limit").await?, LIMIT);
    assert_eq!(fact::<u64>(&client, "bound", "pids_limit").await?, 200);
    assert!(fact::<u64>(&client, "bound", "memory_used").await? <= LIMIT);
    assert!(fact::<u64>(&client, "whole", "memory_total").await? > LIMIT);
    assert_eq!(fact::<u64>(&client, "whole", "memory_limit").await?, LIMIT);
    let capacity =
        "SELECT value + 0 > 536870912 AS v FROM cluster_hardware WHERE node_id = 'bound' AND name = 'capacity'";
    until("the host's own memory is there", async || row::<i64>(&client, capacity).await.filter(|more| *more == 1))
        .await?;
    for agent in [agent, whole] {
        assert_eq!(agent.terminate(PATIENCE)?, Some(0));
    }
    Ok(())
}

/// What goes through a bridge and a container's device goes through the card, too; and the address is the one that the default
/// route has now.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_follows_the_default_route() -> anyhow::Result<()> {
    if unavailable(Namespace::unavailable().or_else(|| missing(true, &["ip", "socat"]))) {
        return Ok(());
    }
    let stage = Stage::new().await?;
    let client = stage.client()?;
    let namespace = Namespace::new(&["net"])?;
    let ip = |words: &str| namespace.sh(&std::iter::once("ip").chain(words.split(' ')).collect::<Vec<_>>());
    for words in [
        "link set lo up",
        "link add first type veth peer name other1",
        "link add second type veth peer name other2",
        // The first in any order of addresses, and no route leads there.
        "link add docker0 type bridge",
        "addr add 10.9.0.1/24 dev docker0",
        "addr add 10.11.0.5/24 dev first",
        "addr add 10.12.0.6/24 dev second",
        "link set docker0 up",
        "link set first up",
        "link set second up",
        "link set other1 up",
        "link set other2 up",
        "route add default via 10.12.0.1",
    ] {
        ip(words)?;
    }
    // The replica is outside: a door leads there, by a socket in the file system.
    let door = stage.dir.path().join("door");
    let endpoint = stage.cluster.endpoints().remove(0);
    let outside = [format!("UNIX-LISTEN:{},fork", door.display()), format!("TCP:{endpoint}")];
    let _outside = Process::spawn(Path::new("socat"), &outside, &stage.dir.path().join("outside.log"))?;
    let mut inside = namespace.enter();
    inside.extend([
        "socat".to_owned(),
        format!("TCP-LISTEN:{},fork,bind=127.0.0.1", endpoint.rsplit(':').next().context("a port")?),
    ]);
    inside.push(format!("UNIX-CONNECT:{}", door.display()));
    let _inside = Process::spawn(Path::new(&inside[0]), &inside[1..], &stage.dir.path().join("inside.log"))?;
    let _agent = stage.agent("r", &namespace.enter(), &[])?;
    let address = "SELECT ip AS v FROM cluster_node_infos WHERE id = 'r'";
    let is = async |wanted: &str| row::<String>(&client, address).await.filter(|ip| ip == wanted);
    until("the address is that of the default route", async || is("10.12.0.6").await).await?;
    ip("route replace default via 10.11.0.1")?;
    until("the address follows it", async || is("10.11.0.5").await).await?;
    ip("route del default")?;
    ip("-6 addr add fd00:1::7/64 dev second nodad")?;
    ip("-6 route add default via fd00:1::1")?;
    until("the address is IPv6's, where only that has a route", async || is("fd00:1::7").await).await?;
    Ok(())
}

/// As in a container whose first process is the agent: nobody else waits for what a hook leaves behind.
#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_is_the_first_process_reaps_what_it_inherits() -> anyhow::Result<()> {
    if unavailable(missing(true, &["unshare"])) {
        return Ok(());
    }
    let stage = Stage::new().await?;
    let client = stage.client()?;
    let words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"].map(str::to_owned);
    // Each listing leaves a process behind that ends on its own.
    let list = "(sleep 0.05 &) ; echo level=1";
    let agent = stage.agent("first", &words, &["--config-from", list])?;
    let processes: u64 = fact(&client, "first", "processes").await?;
    let sequence = "SELECT CAST(sequence AS SIGNED) AS v FROM nodes WHERE id = 'first'";
    let first: i64 = row(&client, sequence).await.context("a sequence")?;
    until("it has listed often", async || row::<i64>(&client, sequence).await.filter(|now| *now > first + 30)).await?;
    let zombies = "SELECT COUNT(*) AS v FROM cluster_processes WHERE node_id = 'first' AND state = 'zombie'";
    let count: i64 = row(&client, zombies).await.context("a count")?;
    assert!(count <= 3, "{count} zombies of {processes} processes at first");
    // `unshare` passes the signal on to nobody: the agent's own number is asked for.
    let children = Command::new("ps").args(["-o", "pid=", "--ppid", &agent.id().to_string()]).output()?;
    let pid = String::from_utf8(children.stdout)?.trim().to_owned();
    sh("kill", &["-TERM", &pid])?;
    let mut agent = agent;
    until("it ends", async || agent.ended().ok().flatten().filter(|(code, _)| *code == Some(0))).await?;
    Ok(())
}
