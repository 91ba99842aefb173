//! A sandbox: namespaces for network, mounts and processes that the kernel removes with the run, however it ends.
//!
//! Faults of network and disk need root. Their rules, mounts and processes live in namespaces of this run alone, so nothing
//! that it does is seen outside, and a run that is killed leaves nothing but its temporary directory; and, if a disk was
//! frozen at that moment, the replica that waits for it.

use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::host::{is_root, is_there, sh};

/// Set in the environment of the run inside.
const INSIDE: &str = "UNUM_CHAOS_SANDBOX";

/// What the sandbox is made with.
const TOOLS: [&str; 6] = ["setpriv", "unshare", "nsenter", "mount", "ip", "nft"];

/// Why there can be no sandbox here, if there can be none.
pub fn unavailable() -> Option<String> {
    if !is_root() {
        return Some("it needs root".into());
    }
    let missing = TOOLS.iter().find(|tool| !is_there(tool))?;
    Some(format!("{missing} is not installed"))
}

/// Whether this process is inside.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Runs this program again with the same arguments inside a new sandbox; returns its exit code.
pub fn run_inside() -> anyhow::Result<ExitCode> {
    let program = std::env::current_exe()?;
    // `unshare` waits with SIGTERM blocked, and the first process of a namespace ignores it. So both are killed when this
    // process has ended, by whatever signal; the kernel ends all others with the first.
    let status = Command::new("setpriv")
        .args(["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .status()
        .context("unshare does not start")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Brings up what every sandbox has: loopback, and a place for the names of network namespaces.
pub fn prepare() -> anyhow::Result<()> {
    sh("ip", &["link", "set", "lo", "up"])?;
    std::fs::create_dir_all("/run/netns")?;
    sh("mount", &["-t", "tmpfs", "tmpfs", "/run/netns"])
}
