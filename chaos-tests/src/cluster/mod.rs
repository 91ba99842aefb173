//! A cluster of `unumd` processes in a temporary directory, and the means to hurt it.
//!
//! Every process is a child of the test and ends with it, however the test ends.

mod binaries;
mod ports;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use unum_client::Client;

pub use binaries::binary;
pub use process::{Finished, Process, run};

/// How long anything may take that should happen at once, on a machine that does much besides.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at a condition.
const POLL: Duration = Duration::from_millis(20);

/// One replica: where it is, and its process while it runs.
#[derive(Debug)]
pub struct Member {
    /// Its id.
    pub id: u64,
    /// Its gRPC address.
    pub addr: String,
    /// Its HTTP address.
    pub http_addr: String,
    /// Its directory.
    pub data_dir: PathBuf,
    process: Option<Process>,
}

impl Member {
    fn new(id: u64, dir: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            id,
            addr: format!("127.0.0.1:{}", ports::free()?),
            http_addr: format!("127.0.0.1:{}", ports::free()?),
            data_dir: dir.join(id.to_string()),
            process: None,
        })
    }
}

/// A cluster. Dropping it ends all processes and removes the directory.
#[derive(Debug)]
pub struct Cluster {
    /// The replicas by id, from 1.
    pub members: Vec<Member>,
    config: PathBuf,
    founders: u64,
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
        let dir = tempfile::Builder::new().prefix("unum-test-").tempdir()?;
        let config_path = dir.path().join("unum.toml");
        std::fs::write(&config_path, config)?;
        let members = (1..=size).map(|id| Member::new(id, dir.path())).collect::<anyhow::Result<_>>()?;
        Ok(Self { members, config: config_path, founders: size, dir })
    }

    fn position(&self, id: u64) -> usize {
        self.members.iter().position(|member| member.id == id).expect("a member of the cluster")
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
        let founders = self.members.iter().filter(|member| member.id <= self.founders);
        founders.map(|member| format!("{}={}", member.id, member.addr)).collect::<Vec<_>>().join(",")
    }

    /// The arguments of a replica's process.
    pub fn serve_args(&self, id: u64) -> Vec<String> {
        let member = self.member(id);
        let entry = match id <= self.founders {
            true => ["--initial-cluster".to_owned(), self.initial_cluster()],
            false => ["--join".to_owned(), self.members[0].addr.clone()],
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

    /// Adds a replica that joins the group at its first member, and starts it.
    pub fn join(&mut self, id: u64) -> anyhow::Result<()> {
        let member = Member::new(id, self.dir.path())?;
        self.members.push(member);
        self.spawn(id)
    }

    /// Starts the process of a replica that does not run.
    pub fn spawn(&mut self, id: u64) -> anyhow::Result<()> {
        self.spawn_under(id, &[])
    }

    /// Starts the process of a replica under a program that replaces itself by it, as `strace -D` does.
    pub fn spawn_under(&mut self, id: u64, wrapper: &[&str]) -> anyhow::Result<()> {
        let log = self.dir.path().join(format!("{id}.log"));
        let unumd = binary("unumd")?;
        let process = match wrapper {
            [] => Process::spawn(&unumd, &self.serve_args(id), &log)?,
            [program, args @ ..] => {
                let args = args.iter().map(|arg| (*arg).to_owned());
                let args: Vec<_> =
                    args.chain([unumd.to_string_lossy().into_owned()]).chain(self.serve_args(id)).collect();
                Process::spawn(Path::new(program), &args, &log)?
            }
        };
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
        let position = self.position(id);
        let process = self.members[position].process.as_mut().context("the replica runs")?;
        let ended = until(&format!("replica {id} ends"), async || process.ended().ok().flatten()).await;
        ended.with_context(|| process.log())
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
        Ok(Client::connect_lazy([self.member(id).addr.clone()])?)
    }

    /// A client of all replicas.
    pub fn client_of_all(&self) -> anyhow::Result<Client> {
        Ok(Client::connect_lazy(self.endpoints())?)
    }

    /// Waits until a replica answers a linearizable query.
    pub async fn wait_until_answers(&mut self, id: u64) -> anyhow::Result<()> {
        let client = self.client(id)?.with_timeout(Duration::from_millis(1500));
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
        let mut stream = TcpStream::connect(&self.member(id).http_addr)?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }

    /// Who leads, as any replica says that can answer.
    pub async fn leader_of_any(&self) -> anyhow::Result<u64> {
        let client = self.client_of_all()?;
        let leader = async || -> anyhow::Result<Option<u64>> {
            let result = client.query("SELECT id FROM replicas WHERE role = 'leader'").await?;
            Ok(result.rows().next().map(|row| row.get("id")).transpose()?)
        };
        until("a leader is known", async || leader().await.ok().flatten()).await
    }

    /// The term of now.
    pub async fn term(&self) -> anyhow::Result<u64> {
        let result = self.client_of_all()?.query("SELECT max(term) AS term FROM replicas").await?;
        Ok(result.rows().next().context("one row")?.get("term")?)
    }

    /// Whether all replicas have the same state at the same entry. What is known of a replica is as old as its last
    /// report, so it is looked at until each was seen at an entry where another one was seen, too.
    pub async fn equal_states(&self) -> anyhow::Result<()> {
        let client = self.client_of_all()?;
        let states = async || -> anyhow::Result<Vec<(u64, u64, String)>> {
            let result = client.query("SELECT id, applied, state_hash FROM replicas").await?;
            result.rows().map(|row| Ok((row.get("id")?, row.get("applied")?, row.get("state_hash")?))).collect()
        };
        let mut seen: BTreeMap<u64, BTreeMap<u64, String>> = BTreeMap::new();
        let compared = async || {
            for (id, applied, hash) in states().await.ok()? {
                seen.entry(applied).or_default().insert(id, hash);
            }
            let together = seen.values().filter(|at| at.len() > 1);
            let ids: BTreeSet<u64> = together.flat_map(BTreeMap::keys).copied().collect();
            (ids.len() == self.members.len()).then_some(())
        };
        until("each replica was seen at an entry where another one was", compared).await?;
        for (applied, at) in &seen {
            let hashes: BTreeSet<&String> = at.values().collect();
            anyhow::ensure!(hashes.len() == 1, "the states differ at entry {applied}: {at:?}");
        }
        Ok(())
    }

    /// Who leads, as `of` sees it.
    pub async fn leader(&self, of: u64) -> anyhow::Result<u64> {
        let client = self.client(of)?;
        let leader = async || -> anyhow::Result<Option<u64>> {
            let result = client.query("SELECT id FROM replicas WHERE role = 'leader'").await?;
            Ok(result.rows().next().map(|row| row.get("id")).transpose()?)
        };
        until("a leader is known", async || leader().await.ok().flatten()).await
    }
}

/// Waits until `look` finds something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if started.elapsed() > PATIENCE {
            bail!("waited {} s in vain until {what}", PATIENCE.as_secs());
        }
        tokio::time::sleep(POLL).await;
    }
}
