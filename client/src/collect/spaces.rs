//! The space of each mount, asked where nobody waits for it: one question a mount at a time, each in a child process that is
//! left behind if there is no answer. Such a mount is not asked again before that child has ended.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::mounts::{Mount, Space};
use crate::helper::{Helper, Kind, Program, Silence};

/// How long one mount may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// How long all mounts of one round may take. Those that it does not reach are the first of the next.
const ROUND_LIMIT: Duration = Duration::from_secs(2);

/// Mounts that hang, each with its child. More than these, and no mount is asked any more.
const HANGING_MAX: usize = 64;

/// What a mount says, or why it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MountSpace {
    pub(super) mount: Mount,
    pub(super) space: Option<Space>,
}

/// Asks the mounts.
#[derive(Debug)]
pub(super) struct Spaces {
    program: Program,
    /// Whose mounts have all answered.
    helper: Helper<SpaceReader>,
    hanging: HashMap<PathBuf, Helper<SpaceReader>>,
    /// The mount that the next round begins with.
    next: Option<PathBuf>,
}

/// What one round came to.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) spaces: Vec<MountSpace>,
    /// What did not answer as a mount should, and since when.
    pub(super) unread: Vec<String>,
}

impl Spaces {
    pub(super) fn new(program: &Program) -> Self {
        Self { program: program.clone(), helper: Helper::new(program), hanging: HashMap::new(), next: None }
    }

    /// Asks each mount that does not hang. Those that are gone, or are none that can be seen, are left out.
    pub(super) async fn ask(&mut self, mounts: Vec<Mount>) -> Round {
        let deadline = Instant::now() + ROUND_LIMIT;
        self.hanging.retain(|_, helper| helper.hangs().is_some());
        let first = self.next.take().and_then(|next| mounts.iter().position(|mount| mount.path == next)).unwrap_or(0);
        let mut round = Round::default();
        for mount in mounts[first..].iter().chain(&mounts[..first]) {
            let answer = match self.hanging.get_mut(&mount.path).and_then(Helper::hangs) {
                Some(since) => Err(Silence::Hangs { since }),
                None if Instant::now() >= deadline || self.hanging.len() >= HANGING_MAX => {
                    self.next.get_or_insert_with(|| mount.path.clone());
                    continue;
                }
                None => self.ask_one(mount).await,
            };
            let space = match answer {
                Ok(Looked::Space(space)) => Some(space),
                Ok(Looked::NotThere) => continue,
                Ok(Looked::Denied) => None,
                Ok(Looked::Fails(why)) => {
                    round.unread.push(told(mount, why));
                    None
                }
                Err(silence) => {
                    round.unread.push(told(mount, silence));
                    None
                }
            };
            round.spaces.push(MountSpace { mount: mount.clone(), space });
        }
        round.spaces.sort_by(|a, b| a.mount.name.cmp(&b.mount.name));
        round.unread.sort();
        round
    }

    async fn ask_one(&mut self, mount: &Mount) -> Result<Looked, Silence> {
        let question = Look { path: mount.path.clone(), device: mount.device };
        let answer = self.helper.ask(&question, ANSWER_LIMIT).await;
        if self.helper.hangs().is_some() {
            let helper = std::mem::replace(&mut self.helper, Helper::new(&self.program));
            self.hanging.insert(mount.path.clone(), helper);
        }
        answer
    }
}

fn told(mount: &Mount, why: impl std::fmt::Display) -> String {
    format!("disk {} on {} ({}): {why}", mount.name, mount.path.display(), mount.file_system)
}

/// Looks at mounts.
#[derive(Debug)]
pub(crate) struct SpaceReader;

/// A mount, and the device that must be there: another mount may hide it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Look {
    path: PathBuf,
    device: Option<(u32, u32)>,
}

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Looked {
    Space(Space),
    /// Nothing with space, or it cannot be seen from here.
    NotThere,
    /// It is another user's.
    Denied,
    Fails(String),
}

impl Kind for SpaceReader {
    const NAME: &'static str = "space";
    type Question = Look;
    type Answer = Looked;

    fn start() -> Self {
        Self
    }

    fn answer(&mut self, Look { path, device }: Look) -> Looked {
        match look(&path, device) {
            Ok(Some(space)) => Looked::Space(space),
            Ok(None) => Looked::NotThere,
            Err(error) => match error.kind() {
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Looked::NotThere,
                std::io::ErrorKind::PermissionDenied => Looked::Denied,
                _ => Looked::Fails(error.to_string()),
            },
        }
    }
}

#[cfg(unix)]
fn look(path: &Path, device: Option<(u32, u32)>) -> std::io::Result<Option<Space>> {
    let found = rustix::fs::stat(path)?.st_dev;
    if device.is_some_and(|device| device != (rustix::fs::major(found), rustix::fs::minor(found))) {
        return Ok(None);
    }
    let stat = rustix::fs::statvfs(path)?;
    let bytes = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    let used = bytes(stat.f_blocks.saturating_sub(stat.f_bfree));
    Ok((stat.f_blocks > 0).then(|| Space { total: bytes(stat.f_blocks), used, available: bytes(stat.f_bavail) }))
}

#[cfg(not(unix))]
fn look(_path: &Path, _device: Option<(u32, u32)>) -> std::io::Result<Option<Space>> {
    Ok(None)
}
