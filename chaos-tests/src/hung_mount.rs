//! A mount whose server takes each request and never answers, in a mount namespace that nobody else sees.
//!
//! Who asks it stands in the kernel: no signal ends it, SIGKILL included, until this is dropped. So it is with an NFS server that
//! has gone, or a FUSE daemon that waits for something else.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::ensure;

use crate::namespace::Namespace;

/// The request that a mount begins with, which is answered: without it nobody asks anything else.
const INIT: u32 = 26;

/// Bytes of a request's head: length, opcode, unique, and what does not matter here.
const HEAD_BYTES: usize = 40;

/// The kernel's least size of a buffer for requests, and more.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// Options of the mount: the connection is the standard input of `mount`.
const OPTIONS: &str = "fd=0,rootmode=40000,user_id=0,group_id=0,allow_other";

/// What this host lacks for it.
pub fn unavailable() -> Option<String> {
    let lacks = || (!Path::new("/dev/fuse").exists()).then(|| "there is no /dev/fuse".to_owned());
    Namespace::unavailable().or_else(lacks)
}

/// A mount that hangs. Dropping it lets go of whoever stands in it.
#[derive(Debug)]
pub struct HungMount {
    namespace: Namespace,
    path: PathBuf,
}

impl HungMount {
    /// Mounts it on a directory, which is made.
    pub fn make(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path)?;
        let device = File::options().read(true).write(true).open("/dev/fuse")?;
        let mount = Self { namespace: Namespace::new(&["mount"])?, path: path.to_owned() };
        let mut command = mount.namespace.command("mount");
        let command = command.args(["-i", "-t", "fuse", "-o", OPTIONS, "hung"]).arg(path).stdin(device.try_clone()?);
        let status = command.status()?;
        ensure!(status.success(), "mount ended with {status}");
        answer_init(&device)?;
        // It ends with the mount.
        std::thread::spawn(move || take_all(device));
        Ok(mount)
    }

    /// Where it is, in its namespace.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a command line begins with that sees it.
    pub fn enter(&self) -> Vec<String> {
        self.namespace.enter()
    }
}

impl Drop for HungMount {
    fn drop(&mut self) {
        let path = self.path.to_string_lossy();
        // By force: it fails the requests that were taken, too. What stood in them keeps the mount busy for a moment.
        let _ = self.namespace.sh(&["umount", "-f", &path]);
        let _ = self.namespace.sh(&["umount", "-l", &path]);
    }
}

/// The protocol of version 7.12 asks for no more than this.
fn answer_init(mut device: &File) -> anyhow::Result<()> {
    let mut request = vec![0; REQUEST_BYTES_MAX];
    let length = device.read(&mut request)?;
    let word = |at: usize| u32::from_le_bytes([request[at], request[at + 1], request[at + 2], request[at + 3]]);
    ensure!(length >= HEAD_BYTES && word(4) == INIT, "the first request is no INIT");
    let mut body = Vec::new();
    for number in [7u32, 12, 0, 0] {
        body.extend(number.to_le_bytes());
    }
    body.extend([0; 8]);
    let mut reply = Vec::new();
    reply.extend(u32::try_from(16 + body.len())?.to_le_bytes());
    reply.extend(0u32.to_le_bytes());
    reply.extend(&request[8..16]);
    reply.extend(body);
    device.write_all(&reply)?;
    Ok(())
}

fn take_all(mut device: File) {
    let mut request = vec![0; REQUEST_BYTES_MAX];
    while device.read(&mut request).is_ok_and(|length| length > 0) {}
}
