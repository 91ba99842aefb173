//! What this host lets a test do: root, mounts, strace. A test that cannot run says so, and why.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// Why this host cannot do what takes these programs, and root: the first thing that is missing.
pub fn missing(root: bool, programs: &[&str]) -> Option<String> {
    match programs.iter().find(|program| !is_there(program)) {
        Some(program) => Some(format!("{program} is not installed")),
        None => (root && !is_root()).then(|| "it needs root".to_owned()),
    }
}

/// Says something on the terminal: not by `eprintln!`, which the test harness keeps to itself.
pub fn tell(line: &str) {
    // There is nowhere to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether a program is installed.
pub fn is_there(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    found.is_ok_and(|output| output.status.success())
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Runs a program of the host to its end; its error is ours.
pub fn sh(program: &str, args: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program).args(args).output().with_context(|| format!("{program} does not start"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!(ToolFailed(format!("{program} {}: {why}", args.join(" "))));
    }
    Ok(())
}

/// A program of the host failed: it says nothing of what is tested.
#[derive(Debug)]
pub struct ToolFailed(pub String);

impl std::fmt::Display for ToolFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ToolFailed {}

/// A mounted file system. Dropping it unmounts it.
#[derive(Debug)]
pub struct Mount(PathBuf);

impl Mount {
    /// A tmpfs of so many MiB.
    pub fn tmpfs(dir: &Path, size_mib: u64) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        sh("mount", &["-t", "tmpfs", "-o", &format!("size={size_mib}m"), "tmpfs", &dir.to_string_lossy()])?;
        Ok(Self(dir.to_owned()))
    }

    /// The ext4 in an image file, on a loop device.
    pub fn image(image: &Path, dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        sh("mount", &["-o", "loop", &image.to_string_lossy(), &dir.to_string_lossy()])?;
        Ok(Self(dir.to_owned()))
    }

    /// Unmounts it.
    pub fn unmount(self) -> anyhow::Result<()> {
        let result = sh("umount", &[&self.0.to_string_lossy()]);
        if result.is_ok() {
            std::mem::forget(self);
        }
        result
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: a process that still holds it open is being ended.
        let _ = sh("umount", &["-l", &self.0.to_string_lossy()]);
    }
}

/// A new image file with an ext4 of so many MiB.
pub fn make_ext4(image: &Path, size_mib: u64) -> anyhow::Result<()> {
    std::fs::File::create(image)?.set_len(size_mib * 1024 * 1024)?;
    sh("mkfs.ext4", &["-q", "-F", &image.to_string_lossy()])
}
