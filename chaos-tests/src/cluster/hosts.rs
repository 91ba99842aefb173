//! Hosts of their own for the replicas: network namespaces on one bridge, inside the sandbox.
//!
//! The clients are on the bridge itself, so what is done to a host's network is done between replicas, or between a
//! replica and the clients, as the rule says.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::host::{ToolFailed, sh};

const BRIDGE: &str = "unum-bridge";

/// The /24 of all hosts. It exists in the sandbox only.
const SUBNET: &str = "10.213.77";

/// The clients' own address on the bridge.
const CLIENTS: &str = "10.213.77.254";

/// A network namespace with an address on the bridge. It goes with the sandbox, or when another one takes its number.
#[derive(Debug, Clone)]
pub struct Host {
    number: u64,
}

impl Host {
    /// Makes the host of that number, from 1; the bridge, too, if this is the first.
    pub fn make(number: u64) -> anyhow::Result<Self> {
        anyhow::ensure!((1..=200).contains(&number), "host {number} is not between 1 and 200");
        if sh("ip", &["link", "show", BRIDGE]).is_err() {
            sh("ip", &["link", "add", BRIDGE, "type", "bridge"])?;
            sh("ip", &["addr", "add", &format!("{CLIENTS}/24"), "dev", BRIDGE])?;
            sh("ip", &["link", "set", BRIDGE, "up"])?;
        }
        let host = Self { number };
        let (name, outside) = (host.name(), format!("veth-{number}"));
        if sh("ip", &["netns", "pids", &name]).is_ok() {
            // Of the run before: with it go its rules, and its interfaces some time later.
            sh("ip", &["netns", "del", &name])?;
            if sh("ip", &["link", "show", &outside]).is_ok() {
                // It may go by itself in between.
                let _ = sh("ip", &["link", "del", &outside]);
            }
        }
        sh("ip", &["netns", "add", &name])?;
        sh("ip", &["link", "add", &outside, "type", "veth", "peer", "name", "eth0", "netns", &name])?;
        sh("ip", &["link", "set", &outside, "master", BRIDGE, "up"])?;
        // Always the same: the clients' cache of such addresses outlives the host.
        sh("ip", &["-n", &name, "link", "set", "eth0", "address", &format!("02:00:00:00:00:{number:02x}")])?;
        sh("ip", &["-n", &name, "addr", "add", &format!("{}/24", host.ip()), "dev", "eth0"])?;
        sh("ip", &["-n", &name, "link", "set", "eth0", "up"])?;
        sh("ip", &["-n", &name, "link", "set", "lo", "up"])?;
        Ok(host)
    }

    fn name(&self) -> String {
        format!("replica-{}", self.number)
    }

    /// Its address.
    pub fn ip(&self) -> String {
        format!("{SUBNET}.{}", self.number)
    }

    /// What a command line begins with that runs on this host.
    pub fn enter(&self) -> Vec<String> {
        vec!["nsenter".into(), format!("--net=/run/netns/{}", self.name())]
    }

    /// Runs a program of this machine on the host.
    pub fn sh(&self, args: &[&str]) -> anyhow::Result<()> {
        let enter = self.enter();
        let all: Vec<&str> = enter[1..].iter().map(String::as_str).chain(args.iter().copied()).collect();
        sh(&enter[0], &all)
    }

    /// Drops what comes to this host as `rules` say, until the filter is dropped.
    pub fn filter(&self, rules: &[String]) -> anyhow::Result<Filter> {
        Filter::install(Some(self.clone()), "input", rules)
    }

    /// Drops what this host sends as `rules` say, until the filter is dropped.
    pub fn filter_sent(&self, rules: &[String]) -> anyhow::Result<Filter> {
        Filter::install(Some(self.clone()), "output", rules)
    }
}

/// Drops what clients send as `rules` say, until the filter is dropped.
pub fn filter_clients(rules: &[String]) -> anyhow::Result<Filter> {
    Filter::install(None, "output", rules)
}

/// Rules of nftables on a host, or where the clients are. Dropping it removes them.
#[derive(Debug)]
pub struct Filter {
    /// None: where the clients are.
    host: Option<Host>,
    table: String,
}

impl Filter {
    fn install(host: Option<Host>, hook: &str, rules: &[String]) -> anyhow::Result<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let table = format!("chaos{}", NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let mut script =
            format!("table inet {table} {{ chain c {{ type filter hook {hook} priority 0; policy accept;\n");
        rules.iter().for_each(|rule| script += &format!("{rule}\n"));
        script += "}\n}\n";
        let filter = Self { host, table };
        filter.nft(&script)?;
        Ok(filter)
    }

    fn nft(&self, script: &str) -> anyhow::Result<()> {
        let mut command = self.host.as_ref().map(Host::enter).unwrap_or_default();
        command.extend(["nft".to_owned(), "-f".to_owned(), "-".to_owned()]);
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("nft does not start")?;
        child.stdin.take().context("a pipe")?.write_all(script.as_bytes())?;
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(ToolFailed(format!("nft refused\n{script}{}", String::from_utf8_lossy(&output.stderr))));
        }
        Ok(())
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // A host that is gone has taken its rules along.
        let _ = self.nft(&format!("delete table inet {}\n", self.table));
    }
}
