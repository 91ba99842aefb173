//! A file that others write, too, and that may lie on a mount that never answers.
//!
//! It is read when it is still: two looks with a pause between them see the same file, so that what somebody is writing is
//! not taken half. It is replaced in one step, and only if it still is what was read; mode, owner, attributes and access lists
//! stay. All of it is done in a child process.

use std::fs::Metadata;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::helper::{Helper, Kind, Program};

/// Between two looks that must see the same.
const STILL_PAUSE: Duration = Duration::from_millis(50);

/// How often it is looked whether a file is still, before it is said that it is not.
const LOOKS_MAX: u32 = 10;

/// How long the child may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// Bytes of all attributes of a file that are kept.
const ATTRIBUTES_BYTES_MAX: usize = 64 * 1024;

/// A file, by its path.
#[derive(Debug)]
pub struct SharedFile {
    path: PathBuf,
    bytes_max: u64,
    helper: Helper<FileKeeper>,
}

/// What a file had when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What tells that it is changed.
    pub stamp: Stamp,
}

/// What differs when a file was changed or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: Option<SystemTime>,
    changed: (i64, i64),
}

impl SharedFile {
    /// A file of at most so many bytes. Nothing is opened yet.
    pub fn new(program: &Program, path: impl Into<PathBuf>, bytes_max: u64) -> Self {
        Self { path: path.into(), bytes_max, helper: Helper::new(program) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it has, if that is not what is known; none if it is.
    ///
    /// # Errors
    /// Why it cannot be read, beginning with its path: it is not there, too large, being written, or does not answer.
    pub async fn read(&mut self, known: Option<Stamp>) -> Result<Option<Contents>, String> {
        let question = FileQuestion::Read { path: self.path.clone(), known, bytes_max: self.bytes_max };
        match self.ask(question).await? {
            FileAnswer::Same => Ok(None),
            FileAnswer::Read(contents) => Ok(Some(contents)),
            FileAnswer::Replaced(_) => Err(self.told("it answered another question")),
        }
    }

    /// Puts these bytes in the place of what was read; gives the file's new stamp.
    ///
    /// # Errors
    /// Why it was not replaced, beginning with its path: it was changed since, or cannot be written. If it does not answer, it
    /// may have been replaced.
    pub async fn replace(&mut self, read: &Contents, bytes: Vec<u8>) -> Result<Stamp, String> {
        let question = FileQuestion::Replace { path: self.path.clone(), before: read.clone(), bytes };
        match self.ask(question).await? {
            FileAnswer::Replaced(stamp) => Ok(stamp),
            FileAnswer::Same | FileAnswer::Read(_) => Err(self.told("it answered another question")),
        }
    }

    async fn ask(&mut self, question: FileQuestion) -> Result<FileAnswer, String> {
        let answer = self.helper.ask(&question, ANSWER_LIMIT).await;
        answer.map_err(|silence| self.told(silence))?.map_err(|why| self.told(why))
    }

    fn told(&self, why: impl std::fmt::Display) -> String {
        format!("{}: {why}", self.path.display())
    }
}

/// Reads and replaces files.
#[derive(Debug)]
pub(crate) struct FileKeeper;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FileQuestion {
    Read { path: PathBuf, known: Option<Stamp>, bytes_max: u64 },
    Replace { path: PathBuf, before: Contents, bytes: Vec<u8> },
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FileAnswer {
    Same,
    Read(Contents),
    Replaced(Stamp),
}

impl Kind for FileKeeper {
    const NAME: &'static str = "file";
    type Question = FileQuestion;
    type Answer = Result<FileAnswer, String>;

    fn start() -> Self {
        Self
    }

    fn answer(&mut self, question: FileQuestion) -> Self::Answer {
        match question {
            FileQuestion::Read { path, known, bytes_max } => {
                if known.is_some_and(|known| stamp(&path).is_ok_and(|now| now == known)) {
                    return Ok(FileAnswer::Same);
                }
                still(|| look(&path, bytes_max)).map(FileAnswer::Read)
            }
            FileQuestion::Replace { path, before, bytes } => replace(&path, &before, &bytes).map(FileAnswer::Replaced),
        }
    }
}

fn unreadable(error: &std::io::Error) -> String {
    format!("it cannot be read: {error}")
}

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    Ok(stamp_of(&std::fs::metadata(path)?))
}

#[cfg(unix)]
fn stamp_of(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt;
    Stamp {
        file: (metadata.dev(), metadata.ino()),
        size: metadata.len(),
        modified: metadata.modified().ok(),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

#[cfg(not(unix))]
fn stamp_of(metadata: &Metadata) -> Stamp {
    Stamp { file: (0, 0), size: metadata.len(), modified: metadata.modified().ok(), changed: (0, 0) }
}

/// The file, once two looks with a pause between them see the same.
fn still(mut look: impl FnMut() -> Result<Contents, String>) -> Result<Contents, String> {
    let mut before = look()?;
    for _ in 0..LOOKS_MAX {
        std::thread::sleep(STILL_PAUSE);
        let now = look()?;
        if now == before {
            return Ok(before);
        }
        before = now;
    }
    Err("somebody writes it all the time; it is taken when it is still".into())
}

/// The file as one look sees it.
fn look(path: &Path, bytes_max: u64) -> Result<Contents, String> {
    let read = || {
        // A pipe or a device would be waited for, for ever.
        let metadata = std::fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(std::io::Error::other("it is no file"));
        }
        let file = std::fs::File::open(path)?;
        let stamp = stamp_of(&file.metadata()?);
        let mut bytes = Vec::new();
        file.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Contents { bytes, stamp })
    };
    let contents = read().map_err(|e| unreadable(&e))?;
    if contents.bytes.len() as u64 > bytes_max {
        return Err(format!("it has {} bytes; the limit is {bytes_max}", contents.stamp.size));
    }
    Ok(contents)
}

/// The new bytes take the place of the old ones in one step, durably.
fn replace(path: &Path, before: &Contents, bytes: &[u8]) -> Result<Stamp, String> {
    let failed = |e: std::io::Error| format!("it cannot be written: {e}");
    // Through links: what they lead to is replaced.
    let path = path.canonicalize().map_err(|e| unreadable(&e))?;
    let is_same = || -> Result<(), String> {
        let now = look(&path, before.bytes.len() as u64).map_err(|_| changed())?;
        if now == *before { Ok(()) } else { Err(changed()) }
    };
    is_same()?;
    std::thread::sleep(STILL_PAUSE);
    let directory = path.parent().unwrap_or(Path::new("/"));
    let metadata = std::fs::metadata(&path).map_err(|e| unreadable(&e))?;
    let new = tempfile::Builder::new().prefix(".unum-").tempfile_in(directory).map_err(failed)?;
    let prepared = new.as_file().write_all(bytes).and_then(|()| dress(&new, &path, &metadata));
    prepared.and_then(|()| new.as_file().sync_all()).map_err(failed)?;
    // The last look: what somebody wrote since is not lost.
    is_same()?;
    let file = new.persist(&path).map_err(|e| failed(e.error))?;
    std::fs::File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)?;
    file.metadata().map(|metadata| stamp_of(&metadata)).map_err(|e| unreadable(&e))
}

fn changed() -> String {
    "somebody else has changed it meanwhile; it stays as it is".into()
}

/// Gives the new file what hangs on the old one: its mode, its owner, its attributes and with them access lists and labels.
#[cfg(unix)]
fn dress(new: &tempfile::NamedTempFile, old: &Path, metadata: &Metadata) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    if metadata.nlink() > 1 {
        let names = metadata.nlink();
        return Err(std::io::Error::other(format!(
            "it has {names} names (hard links), and the others would keep the old text"
        )));
    }
    let own = new.as_file().metadata()?;
    if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
        std::os::unix::fs::fchown(new.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
    }
    attributes(new, old)?;
    new.as_file().set_permissions(metadata.permissions())
}

#[cfg(not(unix))]
fn dress(new: &tempfile::NamedTempFile, _old: &Path, metadata: &Metadata) -> std::io::Result<()> {
    new.as_file().set_permissions(metadata.permissions())
}

#[cfg(target_os = "linux")]
fn attributes(new: &tempfile::NamedTempFile, old: &Path) -> std::io::Result<()> {
    use rustix::fs::{XattrFlags, fsetxattr, getxattr, listxattr};
    use rustix::io::Errno;

    let mut names = vec![0; ATTRIBUTES_BYTES_MAX];
    let length = match listxattr(old, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // What the directory gives to all that is made in it is none of the old file's.
    let mut own_names = vec![0; ATTRIBUTES_BYTES_MAX];
    let own_length = rustix::fs::flistxattr(new, &mut own_names[..])?;
    let kept: Vec<&[u8]> = names[..length].split(|byte| *byte == 0).collect();
    for name in own_names[..own_length].split(|byte| *byte == 0).filter(|name| !name.is_empty() && !kept.contains(name))
    {
        match rustix::fs::fremovexattr(new, name) {
            Ok(()) => {}
            // A label of the system's, which is not ours to take.
            Err(_) if name.starts_with(b"security.") => {}
            Err(error) => return Err(error.into()),
        }
    }
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = vec![0; ATTRIBUTES_BYTES_MAX];
        let length = getxattr(old, name, &mut value[..])?;
        let mut own = vec![0; ATTRIBUTES_BYTES_MAX];
        let has =
            rustix::fs::fgetxattr(new, name, &mut own[..]).is_ok_and(|own_length| own[..own_length] == value[..length]);
        if !has {
            fsetxattr(new, name, &value[..length], XattrFlags::empty())?;
        }
    }
    Ok(())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn attributes(_new: &tempfile::NamedTempFile, _old: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.conf");
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    #[test]
    fn what_was_read_is_replaced_and_what_somebody_changed_since_is_not() {
        let (dir, path) = file("old");
        let read = still(|| look(&path, 10)).unwrap();
        let stamp = replace(&path, &read, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        let now = look(&path, 10).unwrap();
        assert_eq!((now.stamp, now.bytes.as_slice()), (stamp, &b"new"[..]));
        // The same bytes again, but written by another.
        std::fs::write(&path, "new").unwrap();
        let why = replace(&path, &now, b"mine").unwrap_err();
        assert!(why.contains("somebody else has changed it"), "{why}");
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
    }

    #[test]
    fn a_file_that_is_being_written_is_waited_for() {
        let (_dir, path) = file("a");
        let grows = |times: u32| {
            let mut looks = 0;
            still(|| {
                looks += 1;
                if looks <= times {
                    std::fs::write(&path, "b".repeat(looks as usize)).unwrap();
                }
                look(&path, 100)
            })
        };
        assert_eq!(grows(3).unwrap().bytes, b"bbb");
        assert!(grows(LOOKS_MAX + 1).unwrap_err().contains("somebody writes it all the time"));
    }

    #[test]
    fn what_is_too_large_or_no_file_is_refused() {
        let (dir, path) = file("12345");
        assert_eq!(still(|| look(&path, 4)).unwrap_err(), "it has 5 bytes; the limit is 4");
        assert!(still(|| look(dir.path(), 4)).unwrap_err().contains("it is no file"));
        assert!(still(|| look(&dir.path().join("no"), 4)).unwrap_err().contains("it cannot be read"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_hangs_on_a_file_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (dir, path) = file("old");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let tells = rustix::fs::setxattr(&path, "user.note", b"kept", rustix::fs::XattrFlags::empty()).is_ok();
        let link = dir.path().join("link");
        symlink(&path, &link).unwrap();
        replace(&link, &still(|| look(&link, 10)).unwrap(), b"new").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        if tells {
            let mut note = [0; 10];
            let length = rustix::fs::getxattr(&path, "user.note", &mut note[..]).unwrap();
            assert_eq!(&note[..length], b"kept");
        }
        // One with a second name would be parted from it.
        std::fs::hard_link(&path, dir.path().join("second")).unwrap();
        let why = replace(&path, &still(|| look(&path, 10)).unwrap(), b"x").unwrap_err();
        assert!(why.contains("2 names"), "{why}");
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
