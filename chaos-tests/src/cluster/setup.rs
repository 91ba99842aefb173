//! What a cluster is made of.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::disk::Disk;
use super::hosts::Host;
use super::ports;
use super::process::Process;

/// Ports of a replica that has a host of its own.
const PORT: u16 = 7400;
const HTTP_PORT: u16 = 7401;

/// Moves the clocks that a program reads, but for the monotonic one.
const LIBFAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// How a cluster is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Voters, with ids from 1.
    pub size: u64,
    /// TOML of their `--config`.
    pub config: String,
    /// Whether each has a host of its own. Only inside a sandbox.
    pub hosts: bool,
    /// Whether each has a disk of its own, and of how many MiB.
    pub disk_mib: Option<u64>,
    /// Whether their wall clocks can be moved.
    pub clocks: bool,
    /// The program: `unumd`, or a build of it with planted bugs.
    pub unumd: String,
    /// Environment of all replicas.
    pub env: Vec<(String, String)>,
}

impl Setup {
    /// Replicas on loopback, with nothing that needs root.
    pub fn plain(size: u64, config: &str) -> Self {
        Self {
            size,
            config: config.to_owned(),
            hosts: false,
            disk_mib: None,
            clocks: false,
            unumd: "unumd".to_owned(),
            env: Vec::new(),
        }
    }

    /// Why clocks cannot be moved here, if they cannot.
    pub fn clocks_unavailable() -> Option<String> {
        (!Path::new(LIBFAKETIME).is_file()).then(|| "libfaketime is not installed".to_owned())
    }
}

/// One replica: where it is, and its process while it runs.
#[derive(Debug)]
pub struct Member {
    /// Its id.
    pub id: u64,
    /// The id that the first replica at this address had: clients know it by that.
    pub place: u64,
    /// Its gRPC address.
    pub addr: String,
    /// Its HTTP address.
    pub http_addr: String,
    /// Its directory.
    pub data_dir: PathBuf,
    /// Its host, if it has one of its own.
    pub host: Option<Host>,
    pub(super) disk: Option<Disk>,
    /// The file that its wall clock's offset is in.
    pub(super) clock: Option<PathBuf>,
    pub(super) process: Option<Process>,
}

impl Member {
    pub(super) fn new(id: u64, dir: &Path, setup: &Setup) -> anyhow::Result<Self> {
        let data_dir = dir.join(id.to_string());
        let host = setup.hosts.then(|| Host::make(id)).transpose()?;
        let addr = |port| match &host {
            Some(host) => Ok(format!("{}:{port}", host.ip())),
            None => ports::free().map(|port| format!("127.0.0.1:{port}")),
        };
        let (addr, http_addr) = (addr(PORT)?, addr(HTTP_PORT)?);
        let image = dir.join(format!("{id}.img"));
        let disk = setup.disk_mib.map(|mib| Disk::make(image, &data_dir, mib)).transpose()?;
        let clock = setup.clocks.then(|| dir.join(format!("{id}.clock")));
        let member = Self { id, place: id, addr, http_addr, data_dir, host, disk, clock, process: None };
        if member.clock.is_some() {
            member.set_clock(0)?;
        }
        Ok(member)
    }

    /// Whether its process was started, and not ended by us.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Moves its wall clock away from the true one.
    pub(super) fn set_clock(&self, minutes: i32) -> anyhow::Result<()> {
        let clock = self.clock.as_ref().context("the replica's clock cannot be moved")?;
        // Renamed, so that nobody reads half of it.
        let new = clock.with_extension("new");
        std::fs::write(&new, format!("{minutes:+}m\n"))?;
        Ok(std::fs::rename(new, clock)?)
    }

    /// The words of the command line before those of the program: where it runs, and with which environment.
    pub(super) fn prefix(&self, env: &[(String, String)]) -> Vec<String> {
        let mut words = self.host.as_ref().map(Host::enter).unwrap_or_default();
        let mut env: Vec<String> = env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(clock) = &self.clock {
            env.push(format!("LD_PRELOAD={LIBFAKETIME}"));
            env.push(format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()));
            env.extend(["DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1"].map(str::to_owned));
        }
        if !env.is_empty() {
            words.push("env".to_owned());
            words.extend(env);
        }
        words
    }

    /// Removes all that it has on disk.
    pub(super) fn wipe(&self) -> anyhow::Result<()> {
        for entry in std::fs::read_dir(&self.data_dir)? {
            let path = entry?.path();
            if path.file_name().is_some_and(|name| name == "lost+found") {
                continue;
            }
            if path.is_dir() { std::fs::remove_dir_all(path)? } else { std::fs::remove_file(path)? }
        }
        Ok(())
    }
}
