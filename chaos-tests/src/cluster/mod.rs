//! A cluster of `unumd` processes in a temporary directory, and the means to hurt it.
//!
//! Every process is a child of the test and ends with it, also where the test panics. What a test that is killed leaves
//! running ends with its [sandbox](crate::sandbox), if it has one.

mod binaries;
mod disk;
mod hosts;
mod ports;
mod process;
mod setup;
mod states;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use unum_client::Client;

pub use binaries::binary;
pub use disk::{Disk, Frozen};
pub use hosts::{Filter, Host, filter_clients};
pub use process::{Finished, Process, run, signal};
pub use setup::{Member, Setup};

/// How long anything may take that should happen at once, on a machine that does much besides.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How long a test's client waits for an answer that has to come.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long one look at the group may take, before the next one.
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// A replica that has come up answers in that time.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(1500);

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(20);

/// A cluster. Dropping it ends all processes and removes the directory.
#[derive(Debug)]
pub struct Cluster {
    /// The replicas, in the order of their addresses.
    pub members: Vec<Member>,
    setup: Setup,
    config: PathBuf,
    initial_cluster: String,
    newest_id: u64,
    joins_at: Option<u64>,
    dir: tempfile::TempDir,
}

impl Cluster {
    /// Starts `size` replicas and waits until each answers.
    pub async fn start(size: u64) -> anyhow::Result<Self> {
        Self::start_with(size, "").await
    }

    /// Starts `size` replicas with this TOML as their `--config`, and waits until each answers.
    pub async fn start_with(size: u64, config: &str) -> anyhow::Result<Self> {
        let mut cluster = Self::prepare(size, config)?;
        cluster.start_all().await?;
        Ok(cluster)
    }

    /// Starts all replicas and waits until each answers.
    pub async fn start_all(&mut self) -> anyhow::Result<()> {
        let ids: Vec<u64> = self.members.iter().map(|member| member.id).collect();
        for id in &ids {
            self.spawn(*id)?;
        }
        for id in ids {
            self.wait_until_answers(id).await?;
        }
        Ok(())
    }

    /// A cluster of which nothing runs yet.
    pub fn prepare(size: u64, config: &str) -> anyhow::Result<Self> {
        Self::prepare_with(Setup::plain(size, config))
    }

    /// A cluster of which nothing runs yet.
    pub fn prepare_with(setup: Setup) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("unum-test-").tempdir()?;
        let config = dir.path().join("unum.toml");
        std::fs::write(&config, &setup.config)?;
        let members: Vec<Member> =
            (1..=setup.size).map(|id| Member::new(id, dir.path(), &setup)).collect::<anyhow::Result<_>>()?;
        let initial: Vec<String> = members.iter().map(|member| format!("{}={}", member.id, member.addr)).collect();
        Ok(Self {
            newest_id: setup.size,
            joins_at: None,
            initial_cluster: initial.join(","),
            members,
            setup,
            config,
            dir,
        })
    }

    fn position(&self, id: u64) -> usize {
        self.members.iter().position(|member| member.id == id).expect("a member of the cluster")
    }

    /// Those of these that were not removed or replaced.
    pub fn still_members(&self, ids: &[u64]) -> Vec<u64> {
        ids.iter().copied().filter(|id| self.members.iter().any(|member| member.id == *id)).collect()
    }

    /// A replica.
    pub fn member(&self, id: u64) -> &Member {
        &self.members[self.position(id)]
    }

    /// The temporary directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// All gRPC addresses.
    pub fn endpoints(&self) -> Vec<String> {
        self.members.iter().map(|member| member.addr.clone()).collect()
    }

    /// What `--initial-cluster` is.
    pub fn initial_cluster(&self) -> String {
        self.initial_cluster.clone()
    }

    /// The arguments of a replica's process.
    pub fn serve_args(&self, id: u64) -> Vec<String> {
        let member = self.member(id);
        let entry = match id <= self.setup.size {
            true => ["--initial-cluster".to_owned(), self.initial_cluster()],
            false => {
                // Any other one that runs, for the first may be gone for good.
                let others = || self.members.iter().filter(|other| other.id != id && other.runs());
                let other = others().find(|other| Some(other.id) == self.joins_at).or_else(|| others().next());
                ["--join".to_owned(), other.unwrap_or(&self.members[0]).addr.clone()]
            }
        };
        let args = [
            "serve",
            "--id",
            &id.to_string(),
            "--data-dir",
            &member.data_dir.to_string_lossy(),
            "--listen",
            &member.addr,
            "--http-listen",
            &member.http_addr,
            "--config",
            &self.config.to_string_lossy(),
        ];
        args.map(str::to_owned).into_iter().chain(entry).collect()
    }

    /// An id that no replica ever had.
    pub fn next_id(&self) -> u64 {
        self.newest_id + 1
    }

    /// From now on replicas join at one that answers, as an operator would choose it.
    pub async fn join_at_one_that_answers(&mut self) -> anyhow::Result<()> {
        let ids: Vec<u64> = self.members.iter().filter(|member| member.runs()).map(|member| member.id).collect();
        let one = async || {
            for id in &ids {
                if self.answers(*id).await {
                    return Some(*id);
                }
            }
            None
        };
        let one = until("a replica answers", one).await?;
        self.joins_at = Some(one);
        Ok(())
    }

    /// Adds a replica that joins the group, and starts it.
    pub fn join(&mut self, id: u64) -> anyhow::Result<()> {
        let member = Member::new(id, self.dir.path(), &self.setup)?;
        self.newest_id = self.newest_id.max(id);
        self.members.push(member);
        self.spawn(id)
    }

    /// Forgets a replica whose process has ended and that is no member any more.
    pub fn forget(&mut self, id: u64) {
        let position = self.position(id);
        self.members.remove(position);
    }

    /// Wipes a replica that does not run; one with a new id joins in its place. Returns the new id.
    pub fn succeed(&mut self, id: u64) -> anyhow::Result<u64> {
        let new = self.next_id();
        self.newest_id = new;
        let position = self.position(id);
        let member = &mut self.members[position];
        member.process = None;
        member.wipe()?;
        member.id = new;
        if member.clock.is_some() {
            member.set_clock(0)?;
        }
        self.spawn(new)?;
        Ok(new)
    }

    /// The program that replicas run.
    pub fn program(&self) -> anyhow::Result<PathBuf> {
        binary(&self.setup.unumd)
    }

    /// Starts the process of a replica that does not run.
    pub fn spawn(&mut self, id: u64) -> anyhow::Result<()> {
        self.spawn_under(id, &[])
    }

    /// Starts the process of a replica under a program that replaces itself by it, as `strace -D` does.
    pub fn spawn_under(&mut self, id: u64, wrapper: &[&str]) -> anyhow::Result<()> {
        let log = self.dir.path().join(format!("{id}.log"));
        let mut words = self.member(id).prefix(&self.setup.env);
        words.extend(wrapper.iter().map(|word| (*word).to_owned()));
        words.push(self.program()?.to_string_lossy().into_owned());
        words.extend(self.serve_args(id));
        let process = Process::spawn(Path::new(&words[0]), &words[1..], &log)?;
        let position = self.position(id);
        self.members[position].process = Some(process);
        Ok(())
    }

    /// Kills a replica with SIGKILL.
    pub fn kill(&mut self, id: u64) -> anyhow::Result<()> {
        let position = self.position(id);
        self.members[position].process.take().context("the replica runs")?.kill()
    }

    /// Waits until the process of a replica ends by itself; returns its exit code and its log.
    pub async fn wait_until_ended(&mut self, id: u64) -> anyhow::Result<(Option<i32>, String)> {
        self.wait_until_ended_within(id, PATIENCE).await
    }

    /// Waits that long until the process of a replica ends by itself; returns its exit code and its log.
    pub async fn wait_until_ended_within(
        &mut self,
        id: u64,
        patience: Duration,
    ) -> anyhow::Result<(Option<i32>, String)> {
        let position = self.position(id);
        let process = self.members[position].process.as_mut().context("the replica runs")?;
        let ended = until_in(patience, &format!("replica {id} ends"), async || process.ended().ok().flatten()).await;
        ended.with_context(|| process.log())
    }

    /// The exit code and the log of a replica whose process has ended by itself.
    pub fn ended(&mut self, id: u64) -> anyhow::Result<Option<(Option<i32>, String)>> {
        let position = self.position(id);
        self.members[position].process.as_mut().context("the replica was started")?.ended()
    }

    /// Whether a replica answers a linearizable query.
    pub async fn answers(&self, id: u64) -> bool {
        let Ok(client) = self.client(id) else { return false };
        client.with_timeout(ANSWER_TIMEOUT).query("SELECT 1").await.is_ok()
    }

    /// The disk of a replica.
    pub fn disk(&self, id: u64) -> anyhow::Result<&Disk> {
        self.member(id).disk.as_ref().context("the replicas have no disks of their own")
    }

    /// The disk of a replica.
    pub fn disk_mut(&mut self, id: u64) -> anyhow::Result<&mut Disk> {
        let position = self.position(id);
        self.members[position].disk.as_mut().context("the replicas have no disks of their own")
    }

    /// Moves the wall clock of a replica so many minutes away from the true one.
    pub fn set_clock(&self, id: u64, minutes: i32) -> anyhow::Result<()> {
        self.member(id).set_clock(minutes)
    }

    /// All replicas with their roles, as any says that can answer.
    pub async fn roles(&self) -> anyhow::Result<Vec<(u64, String)>> {
        let result =
            self.client_of_all()?.with_timeout(LOOK_TIMEOUT).query("SELECT id, role FROM replicas ORDER BY id").await?;
        result.rows().map(|row| Ok((row.get("id")?, row.get("role")?))).collect()
    }

    /// The process of a replica that runs.
    pub fn process(&self, id: u64) -> anyhow::Result<&Process> {
        self.members[self.position(id)].process.as_ref().context("the replica runs")
    }

    /// Stops a replica with SIGTERM and waits for its exit code.
    pub fn stop(&mut self, id: u64) -> anyhow::Result<Option<i32>> {
        let position = self.position(id);
        self.members[position].process.take().context("the replica runs")?.terminate(PATIENCE)
    }

    /// A client of one replica only.
    pub fn client(&self, id: u64) -> anyhow::Result<Client> {
        Ok(Client::builder([self.member(id).addr.clone()]).timeout(CLIENT_TIMEOUT).build()?)
    }

    /// A client of all replicas.
    pub fn client_of_all(&self) -> anyhow::Result<Client> {
        Ok(Client::builder(self.endpoints()).timeout(CLIENT_TIMEOUT).build()?)
    }

    /// Waits until a replica answers a linearizable query.
    pub async fn wait_until_answers(&mut self, id: u64) -> anyhow::Result<()> {
        let client = self.client(id)?.with_timeout(ANSWER_TIMEOUT);
        let position = self.position(id);
        let started = Instant::now();
        loop {
            let error = match client.query("SELECT 1").await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let process = self.members[position].process.as_mut().context("the replica runs")?;
            if let Some((code, log)) = process.ended()? {
                bail!("replica {id} has ended with {code:?}:\n{log}");
            }
            if started.elapsed() > PATIENCE {
                bail!("replica {id} does not answer: {error}\n{}", process.log());
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// What a replica's HTTP port answers, status line and headers included.
    pub fn http_get(&self, id: u64, path: &str) -> anyhow::Result<String> {
        let addr = self.member(id).http_addr.parse().context("an address")?;
        let mut stream = TcpStream::connect_timeout(&addr, ANSWER_TIMEOUT)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }

    /// A metric of a replica, by the name of its line; None if it does not answer or has no such line, as of something
    /// that never happened.
    pub fn metric(&self, id: u64, name: &str) -> Option<f64> {
        let metrics = self.http_get(id, "/metrics").ok()?;
        let line = metrics.lines().find(|line| line.split([' ', '{']).next() == Some(name))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The term of now.
    pub async fn term(&self) -> anyhow::Result<u64> {
        let result =
            self.client_of_all()?.with_timeout(LOOK_TIMEOUT).query("SELECT max(term) AS term FROM replicas").await?;
        Ok(result.rows().next().context("one row")?.get("term")?)
    }

    /// Who leads, as `of` sees it.
    pub async fn leader(&self, of: u64) -> anyhow::Result<u64> {
        let client = self.client(of)?.with_timeout(LOOK_TIMEOUT);
        let leader = async || -> anyhow::Result<Option<u64>> {
            let result = client.query("SELECT id FROM replicas WHERE role = 'leader'").await?;
            Ok(result.rows().next().map(|row| row.get("id")).transpose()?)
        };
        until("a leader is known", async || leader().await.ok().flatten()).await
    }
}

/// Waits until `look` finds something.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    until_in(PATIENCE, what, look).await
}

/// Waits that long until `look` finds something.
pub async fn until_in<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if started.elapsed() > patience {
            bail!("waited {} s in vain until {what}", patience.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}
