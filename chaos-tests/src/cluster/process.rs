//! Child processes: started with their output in a file, ended with the test.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// Where the `unum` command keeps what it needs over restarts.
const STATE_DIRECTORY: &str = "UNUM_STATE_DIR";

/// Its number, everywhere.
const SIGKILL: i32 = 9;

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a program; standard output and error go to the end of `log`. A publisher keeps its instance beside it, so that one
    /// that is started again is the same.
    pub fn spawn(program: &Path, args: &[String], log: &Path) -> anyhow::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let child = Command::new(program)
            .args(args)
            .env(STATE_DIRECTORY, log.with_extension("state"))
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| format!("{} does not start", program.display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// The exit code and the log if the process has ended; no code if a signal ended it.
    pub fn ended(&mut self) -> anyhow::Result<Option<(Option<i32>, String)>> {
        Ok(self.child.try_wait()?.map(|status| (status.code(), self.log())))
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What the process wrote so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_else(|e| format!("no log: {e}"))
    }

    /// Sends a signal by its name: STOP, CONT, TERM.
    pub fn signal(&self, name: &str) -> anyhow::Result<()> {
        signal(self.child.id(), name)
    }

    /// SIGKILL.
    ///
    /// # Errors
    /// When the process had ended before by itself.
    pub fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.signal() == Some(SIGKILL), "it had ended by itself, {status}:\n{}", self.log());
        Ok(())
    }

    /// SIGTERM, and the exit code.
    pub fn terminate(mut self, patience: Duration) -> anyhow::Result<Option<i32>> {
        self.signal("TERM")?;
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            if started.elapsed() > patience {
                bail!("the process does not end on SIGTERM:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal by its name: STOP, CONT, TERM.
pub fn signal(process: u32, name: &str) -> anyhow::Result<()> {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.to_string()]).stderr(Stdio::null()).status()?;
    anyhow::ensure!(sent.success(), "SIG{name} was not sent");
    Ok(())
}

/// What a program left behind.
#[derive(Debug, Clone)]
pub struct Finished {
    /// Its exit code.
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs a program to its end with `input` on its standard input. A publisher is another instance each time.
pub fn run(program: &Path, args: &[&str], input: &str) -> anyhow::Result<Finished> {
    let state = tempfile::tempdir()?;
    let mut child = Command::new(program)
        .args(args)
        .env(STATE_DIRECTORY, state.path())
        .env_remove("UNUM_ENDPOINTS")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().context("a pipe")?.write_all(input.as_bytes())?;
    let output = child.wait_with_output()?;
    Ok(Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout)?,
        stderr: String::from_utf8(output.stderr)?,
    })
}
