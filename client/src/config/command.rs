//! A command of the user's, run in a shell: bounded in time and in what is kept of its output.
//!
//! Its own end counts, and not that of what it left running with its output open. What does not end in time is ended with all that
//! it started, and has ended before anybody tries again: what stands in the kernel cannot be, and is left behind.

use std::collections::HashMap;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// Bytes of the standard error that are kept: the last ones.
const ERROR_BYTES_MAX: usize = 512;

/// What a command wrote before it ended is in its pipes by then; this long is waited for the end of them, which does not come
/// as long as something that it started holds them.
const PIPES_PAUSE: Duration = Duration::from_millis(100);

/// How long the end of what was killed is waited for.
const END_PAUSE: Duration = Duration::from_secs(1);

/// Between two looks at whether it has ended.
const END_LOOK: Duration = Duration::from_millis(10);

/// Runs commands, each once at a time. Clones know of each other's.
#[derive(Debug, Clone, Default)]
pub struct Commands(Arc<Mutex<HashMap<String, Slot>>>);

/// Whoever has it runs the command; what is in it was killed, and has not ended.
type Slot = Arc<Mutex<Option<(Group, SystemTime)>>>;

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

impl Ended {
    /// Its output, if it ended well.
    ///
    /// # Errors
    /// How it ended instead, and what it said.
    pub fn output_of_success(self) -> Result<Vec<u8>, String> {
        match self.status.success() {
            true => Ok(self.output),
            false => Err(format!("it ended with {}: {}", self.status, self.error)),
        }
    }
}

impl Commands {
    /// Runs `command` in a shell, with more variables in its environment and this on its standard input. One that runs already
    /// is waited for.
    ///
    /// # Errors
    /// When it does not start, was ended because it took too long, or did not end when it was killed before. The text has nothing
    /// of the command, which may have a password in it.
    pub async fn run(
        &self,
        command: &str,
        variables: &[(&str, &str)],
        input: Vec<u8>,
        output_max: usize,
        timeout: Duration,
    ) -> Result<Ended, String> {
        let slot = Arc::clone(self.0.lock().await.entry(command.to_owned()).or_default());
        let mut left = slot.lock().await;
        if let Some((group, since)) = left.as_mut() {
            if !group.has_ended() {
                let since = humantime::format_rfc3339_seconds(*since);
                return Err(format!("it was killed at {since} and has not ended; it is not run again before"));
            }
            *left = None;
        }
        let mut group = Group::new(started(command, variables)?);
        match ended(&mut group, input, output_max, timeout).await? {
            Some(ended) => Ok(ended),
            None => {
                if !group.end_within(END_PAUSE).await {
                    *left = Some((group, SystemTime::now()));
                }
                let time = humantime::format_duration(timeout);
                Err(format!("it did not end within {time} and was killed"))
            }
        }
    }
}

fn started(command: &str, variables: &[(&str, &str)]) -> Result<Child, String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command).envs(variables.iter().copied());
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell.process_group(0).spawn().map_err(|e| format!("it does not start: {e}"))
}

/// What it came to; none if it did not end in time.
async fn ended(
    group: &mut Group,
    input: Vec<u8>,
    output_max: usize,
    timeout: Duration,
) -> Result<Option<Ended>, String> {
    let pipes = (group.child.stdin.take(), group.child.stdout.take(), group.child.stderr.take());
    let (Some(mut stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err("it has no pipes".to_owned());
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
            status = group.child.wait() => {
                let _ = tokio::time::timeout(PIPES_PAUSE, &mut read).await;
                status
            }
            // Its pipes are at their end, which is before its own.
            () = &mut read => group.child.wait().await,
        }
    };
    let ended = tokio::time::timeout(timeout, ended).await;
    written.abort();
    drop(read);
    match ended {
        Ok(Ok(status)) => {
            let error = String::from_utf8_lossy(&error).trim().to_owned();
            Ok(Some(Ended { status, output, error }))
        }
        Ok(Err(error)) => Err(format!("its end is not known: {error}")),
        Err(_) => Ok(None),
    }
}

/// A child and all that it starts. Dropped before the child's end, they are killed.
#[derive(Debug)]
struct Group {
    child: Child,
    /// The number that they have together; whoever has it is one of them, until none is left.
    id: Option<Pid>,
}

impl Group {
    fn new(child: Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, id }
    }

    /// Ends them; says whether all have ended within this time.
    async fn end_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while !self.has_ended() {
            if Instant::now() >= deadline {
                return false;
            }
            tokio::time::sleep(END_LOOK).await;
        }
        true
    }

    /// Ends them; says whether all have ended.
    fn has_ended(&mut self) -> bool {
        self.kill();
        let has_child_ended = matches!(self.child.try_wait(), Ok(Some(_)));
        has_child_ended && self.id.is_none_or(|id| test_kill_process_group(id).is_err() || !is_alive(id))
    }

    fn kill(&self) {
        if let Some(id) = self.id {
            // An error is a group that has ended.
            let _ = kill_process_group(id, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Of one that has ended, what it left running on purpose goes on.
        if self.child.id().is_some() {
            self.kill();
        }
    }
}

/// Whether a group has a process that has not ended: one that nobody waited for has.
#[cfg(target_os = "linux")]
fn is_alive(group: Pid) -> bool {
    let group = group.as_raw_nonzero().to_string();
    let is_of_it = |stat: String| {
        // Behind the name, which may have anything in it: state, parent, group.
        let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let state = fields.next();
        fields.nth(1) == Some(group.as_str()) && state != Some("Z")
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok()).any(is_of_it)
}

#[cfg(not(target_os = "linux"))]
fn is_alive(_group: Pid) -> bool {
    true
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
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    async fn ended(command: &str, timeout: Duration) -> Result<Ended, String> {
        Commands::default().run(command, &[("UNUM_TEST", "x y")], b"in\n".to_vec(), 1000, timeout).await
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
