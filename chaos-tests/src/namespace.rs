//! Namespaces of the kernel that a test makes, for processes that shall see another host than this one. They end with the test.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use anyhow::Context;

use crate::host::{missing, sh};

/// Namespaces, held by a process in them.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
    kinds: &'static [&'static str],
}

impl Namespace {
    /// What this host lacks for one.
    pub fn unavailable() -> Option<String> {
        missing(true, &["unshare", "nsenter", "mount"])
    }

    /// New namespaces of these kinds: `mount`, `net`.
    pub fn new(kinds: &'static [&'static str]) -> anyhow::Result<Self> {
        let mut holder = Command::new("unshare");
        holder.args(kinds.iter().map(|kind| format!("--{kind}")));
        if kinds.contains(&"mount") {
            holder.args(["--propagation", "private"]);
        }
        holder.args(["sh", "-c", "echo made; exec sleep infinity"]);
        let mut holder =
            holder.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("unshare does not start")?;
        let made = holder.stdout.take().context("a pipe")?.read_exact(&mut [0; 4]);
        let namespace = Self { holder, kinds };
        made.context("unshare has no namespace")?;
        Ok(namespace)
    }

    /// What a command line begins with that runs in them.
    pub fn enter(&self) -> Vec<String> {
        let target = ["--target".to_owned(), self.holder.id().to_string(), "--".to_owned()];
        let kinds = self.kinds.iter().map(|kind| format!("--{kind}"));
        std::iter::once("nsenter".to_owned()).chain(kinds).chain(target).collect()
    }

    /// A command that runs in them.
    pub fn command(&self, program: &str) -> Command {
        let words = self.enter();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).arg(program);
        command
    }

    /// Runs a program in them to its end; its error is ours.
    pub fn sh(&self, words: &[&str]) -> anyhow::Result<()> {
        let enter = self.enter();
        let args: Vec<&str> = enter[1..].iter().map(String::as_str).chain(words.iter().copied()).collect();
        sh(&enter[0], &args)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It sleeps, so it can be.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
