//! A disk of its own for each replica: an ext4 in an image file on a loop device.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::host::{Mount, make_ext4, sh};

use super::Process;

/// A frozen file system thaws by itself after so many seconds, should the run hang.
const WATCHDOG_S: u32 = 15;

/// A mounted image. Dropping it unmounts it.
#[derive(Debug)]
pub struct Disk {
    image: PathBuf,
    dir: PathBuf,
    mount: Option<Mount>,
}

impl Disk {
    /// A new disk of so many MiB, mounted at `dir`.
    pub fn make(image: PathBuf, dir: &Path, size_mib: u64) -> anyhow::Result<Self> {
        make_ext4(&image, size_mib)?;
        let mount = Some(Mount::image(&image, dir)?);
        Ok(Self { image, dir: dir.to_owned(), mount })
    }

    /// Where it is mounted.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the device has at this moment, in a file: nothing of the page cache above it.
    pub fn copy(&self) -> anyhow::Result<PathBuf> {
        let copy = self.image.with_extension("cut");
        sh("cp", &["--sparse=always", &self.image.to_string_lossy(), &copy.to_string_lossy()])?;
        Ok(copy)
    }

    /// Goes on with what was copied. Nothing may use the disk.
    pub fn replace_by(&mut self, copy: PathBuf) -> anyhow::Result<()> {
        self.mount.take().context("the disk is mounted")?.unmount()?;
        std::fs::rename(copy, &self.image)?;
        self.mount = Some(Mount::image(&self.image, &self.dir)?);
        Ok(())
    }

    /// Freezes the file system until what is returned is dropped.
    pub fn freeze(&self) -> anyhow::Result<Frozen> {
        let dir = self.dir.to_string_lossy().into_owned();
        let thaw = format!("sleep {WATCHDOG_S}; fsfreeze -u '{dir}'");
        let log = self.image.with_extension("watchdog.log");
        let watchdog = Process::spawn("sh".as_ref(), &["-c".into(), thaw], &log)?;
        sh("fsfreeze", &["-f", &dir])?;
        Ok(Frozen { dir, _watchdog: watchdog })
    }
}

/// A frozen file system. Dropping it thaws it.
#[derive(Debug)]
pub struct Frozen {
    dir: String,
    _watchdog: Process,
}

impl Drop for Frozen {
    fn drop(&mut self) {
        // The watchdog may have been quicker.
        let _ = sh("fsfreeze", &["-u", &self.dir]);
    }
}
