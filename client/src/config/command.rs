//! A command of the user's, run in a shell: bounded in time and in what is kept of its output.
//!
//! Its own end counts, and not that of what it left running with its output open. What does not end in time is ended with all that
//! it started, and has ended before anybody tries again.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

/// Bytes of the standard error that are kept: the last ones.
const ERROR_BYTES_MAX: usize = 512;

/// What a command wrote before it ended is in its pipes by then; this long is waited for the end of them, which does not come
/// as long as something that it started holds them.
const PIPES_PAUSE: Duration = Duration::from_millis(100);

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub status: ExitStatus,
    /// The start of its standard output: one byte more than was asked for, if there was more.
    pub output: Vec<u8>,
    /// The end of its standard error, without blanks around.
    pub error: String,
}

/// Runs `command` in a shell, with more variables in its environment and this on its standard input.
///
/// # Errors
/// When it does not start, or was ended because it took too long; the text begins with the command.
pub async fn run(
    command: &str,
    variables: &[(&str, &str)],
    input: Vec<u8>,
    output_max: usize,
    timeout: Duration,
) -> Result<Ended, String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).envs(variables.iter().copied());
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = shell.process_group(0).spawn().map_err(|e| format!("{command:?} does not start: {e}"))?;
    let mut group = Group(child);
    let pipes = (group.0.stdin.take(), group.0.stdout.take(), group.0.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(format!("{command:?} has no pipes"));
    };
    // A command that does not read is no failure.
    let written = tokio::spawn(async move {
        let _ = stdin.write_all(&input).await;
    });
    let (mut output, mut error) = (Vec::new(), Vec::new());
    let mut read = Box::pin(async {
        tokio::join!(first(stdout, output_max + 1, &mut output), last(stderr, ERROR_BYTES_MAX, &mut error));
    });
    let ended = async {
        tokio::select! {
            status = group.0.wait() => {
                let _ = tokio::time::timeout(PIPES_PAUSE, &mut read).await;
                status
            }
            // Its pipes are at their end, which is before its own.
            () = &mut read => group.0.wait().await,
        }
    };
    let ended = tokio::time::timeout(timeout, ended).await;
    written.abort();
    drop(read);
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => return Err(format!("{command:?} failed: {error}")),
        Err(_) => {
            group.end().await;
            return Err(format!(
                "{command:?} did not end within {} and was killed",
                humantime::format_duration(timeout)
            ));
        }
    };
    let said = String::from_utf8_lossy(&error);
    Ok(Ended { status, output, error: said.trim().to_owned() })
}

/// A child and all that it starts. Dropped before its end, they are killed.
struct Group(Child);

impl Group {
    /// Ends them, and waits until the child has.
    async fn end(&mut self) {
        self.kill();
        let _ = self.0.wait().await;
    }

    fn kill(&self) {
        // None, once it was waited for: its number may be another one's by then.
        let pid = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The first bytes; the rest is read, so that nobody is ended by a pipe that is full or closed, and not kept.
async fn first(mut from: impl AsyncRead + Unpin, most: usize, kept: &mut Vec<u8>) {
    let mut part = [0; 4096];
    loop {
        match from.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => kept.extend_from_slice(&part[..read.min(most - kept.len())]),
        }
    }
}

/// The last bytes.
async fn last(mut from: impl AsyncRead + Unpin, most: usize, kept: &mut Vec<u8>) {
    let mut part = [0; 4096];
    loop {
        match from.read(&mut part).await {
            Ok(0) | Err(_) => return,
            Ok(read) => kept.extend_from_slice(&part[..read]),
        }
        let over = kept.len().saturating_sub(most);
        kept.drain(..over);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    async fn ended(command: &str, timeout: Duration) -> Result<Ended, String> {
        run(command, &[("UNUM_TEST", "x y")], b"in\n".to_vec(), 1000, timeout).await
    }

    #[tokio::test]
    async fn what_a_command_says_is_kept_within_bounds() {
        let ran = ended("read a; echo \"$a $UNUM_TEST\"; echo no >&2; exit 3", LONG).await.unwrap();
        assert_eq!((ran.status.code(), ran.output.as_slice(), ran.error.as_str()), (Some(3), &b"in x y\n"[..], "no"));
        // Of one that prints much the beginning is kept, and of one that says much the end.
        let ran = ended("yes | head -c 1000000", LONG).await.unwrap();
        assert_eq!((ran.status.code(), ran.output.len()), (Some(0), 1001));
        let ran = ended("i=0; while [ $i -lt 2000 ]; do echo $i >&2; i=$((i+1)); done", LONG).await.unwrap();
        assert!(ran.error.ends_with("1999") && ran.error.len() <= ERROR_BYTES_MAX, "{}", ran.error);
    }

    /// As `systemctl reload` or a daemon that a hook starts.
    #[tokio::test]
    async fn its_own_end_counts_and_not_that_of_what_holds_its_output() {
        let began = Instant::now();
        let ran = ended("sleep 600 & echo \"$!\"; echo said >&2", LONG).await.unwrap();
        assert!(began.elapsed() < LONG, "it was not waited for");
        assert_eq!((ran.status.code(), ran.error.as_str()), (Some(0), "said"));
        let left: i32 = String::from_utf8(ran.output).unwrap().trim().parse().unwrap();
        let alive = rustix::process::test_kill_process(Pid::from_raw(left).unwrap());
        assert!(alive.is_ok(), "what a command leaves running on purpose goes on");
        let _ = rustix::process::kill_process(Pid::from_raw(left).unwrap(), Signal::KILL);
    }

    #[tokio::test]
    async fn what_does_not_end_in_time_is_ended_with_all_that_it_started() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let command = format!("sleep 600 & echo $! > {}; sleep 600", file.path().display());
        let told = ended(&command, Duration::from_millis(500)).await.unwrap_err();
        assert!(told.contains("did not end within 500ms and was killed"), "{told}");
        let left: i32 = std::fs::read_to_string(file.path()).unwrap().trim().parse().unwrap();
        let is_gone = || {
            let state = std::fs::read_to_string(format!("/proc/{left}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        let began = Instant::now();
        while !is_gone() {
            assert!(began.elapsed() < LONG, "process {left} lives");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
