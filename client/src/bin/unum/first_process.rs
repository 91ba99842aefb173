//! An agent that is the first process of a container: it starts itself again, and waits for all that ends.
//!
//! The kernel gives it every process whose parent has ended: what hooks leave running, above all. Whoever does not wait for them
//! keeps them as zombies, until the container has no number left for another process. Whom it passes signals on to is the agent.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

/// What the process ends with when a signal ended the agent: this and the signal's number, as shells say it.
const SIGNALED: i32 = 128;

/// Whether this process is the first one.
pub fn is_first() -> bool {
    std::process::id() == 1
}

/// Runs the agent as a child, to its end.
pub async fn run() -> std::io::Result<ExitCode> {
    // Before the child starts: it may end at once.
    let mut ended = signal(SignalKind::child())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut args = std::env::args_os();
    let name = args.next().unwrap_or_default();
    let child = Command::new("/proc/self/exe").arg0(name).args(args).spawn()?;
    let child = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pass = |signal| {
        if let Some(child) = child {
            // It may have ended a moment ago, which is told next.
            let _ = kill_process(child, signal);
        }
    };
    loop {
        if let Some(code) = reap(child) {
            return Ok(code);
        }
        tokio::select! {
            _ = ended.recv() => {}
            _ = terminate.recv() => pass(Signal::TERM),
            _ = interrupt.recv() => pass(Signal::INT),
            _ = hangup.recv() => pass(Signal::HUP),
        }
    }
}

/// Waits for all that have ended; the code of the agent, if it is among them.
fn reap(agent: Option<Pid>) -> Option<ExitCode> {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) if Some(pid) == agent => {
                let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| SIGNALED + signal));
                return Some(ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)));
            }
            Ok(Some(_)) => {}
            // Nobody has ended, or nobody is left.
            Ok(None) | Err(_) => return None,
        }
    }
}
