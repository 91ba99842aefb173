//! Both sides of a child: who starts it and asks, and the child itself.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, ChildStdout, Command};

use super::frame::{LENGTH_BYTES, decoded, encoded, length};
use super::kind::{ARGUMENT, Kind};

/// A child, as its parent has it. Dropped, it is killed; if it cannot be, it is left behind.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    to: ChildStdin,
    from: ChildStdout,
}

impl Child {
    pub(super) fn start(program: &Path, kind: &str) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.arg(ARGUMENT).arg(kind);
        // No pipe of the parent's: who waits for its end would wait for a child that hangs, too.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C is for the parent.
        #[cfg(unix)]
        command.process_group(0);
        let started = command.kill_on_drop(true).spawn();
        let mut process = started.map_err(|e| format!("{} does not start: {e}", program.display()))?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(to), Some(from)) => Ok(Self { process, to, from }),
            _ => Err("a child without pipes".into()),
        }
    }

    pub(super) async fn ask<Q: Serialize, A: DeserializeOwned>(&mut self, question: &Q) -> Result<A, String> {
        let question = encoded(question)?;
        let ended = |e: std::io::Error| format!("the helper ended: {e}");
        self.to.write_all(&question).await.map_err(ended)?;
        let mut prefix = [0; LENGTH_BYTES];
        self.from.read_exact(&mut prefix).await.map_err(ended)?;
        let mut answer = vec![0; length(prefix)?];
        self.from.read_exact(&mut answer).await.map_err(ended)?;
        decoded(&answer)
    }

    /// Ends it; says whether it has ended within this time.
    pub(super) async fn end_within(&mut self, time: Duration) -> bool {
        // An error is a child that has ended.
        let _ = self.process.start_kill();
        tokio::time::timeout(time, self.process.wait()).await.is_ok()
    }

    /// Ends it, and says whether it has ended already.
    pub(super) fn ended_when_told(&mut self) -> bool {
        let _ = self.process.start_kill();
        matches!(self.process.try_wait(), Ok(Some(_)))
    }
}

/// The child: answers what comes on standard input, until that ends; says whether it could.
pub(crate) fn serve<K: Kind>() -> bool {
    let (mut from, mut to) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut kind = K::start();
    let mut prefix = [0; LENGTH_BYTES];
    while from.read_exact(&mut prefix).is_ok() {
        let answered = length(prefix).and_then(|length| {
            let mut question = vec![0; length];
            from.read_exact(&mut question).map_err(|e| e.to_string())?;
            let answer = encoded(&kind.answer(decoded(&question)?))?;
            to.write_all(&answer).and_then(|()| to.flush()).map_err(|e| e.to_string())
        });
        if answered.is_err() {
            return false;
        }
    }
    true
}
