//! Who this publisher is: an id, and evidence of where it runs.
//!
//! An id that is kept in a file survives a restart, so that the restarted publisher is known for what it is. Without one all
//! publishers of this process have the same.

use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rand::Rng;
use unum_proto::model::limits::{DESCRIPTION_CHARS_MAX, INSTANCE_ID_CHARS_MAX};
use unum_proto::model::{Evidence, Instance};

use crate::Error;

/// A publisher's instance. While one that is kept lives, no other process has it.
#[derive(Debug)]
pub struct OwnInstance {
    pub(super) instance: Instance,
    /// Locked as long as it is open.
    _file: Option<File>,
}

impl OwnInstance {
    /// That of this process: the same for each of its publishers, and another one after a restart.
    pub fn of_process() -> Self {
        static ID: OnceLock<String> = OnceLock::new();
        let instance = Instance::new(ID.get_or_init(new_id), evidence()).expect("a legal id and short evidence");
        Self { instance, _file: None }
    }

    /// That of an id, which whoever calls keeps over restarts.
    ///
    /// # Errors
    /// [`Error::Refused`] when it is no id.
    pub fn of_id(id: &str) -> Result<Self, Error> {
        Ok(Self { instance: Instance::new(id, evidence())?, _file: None })
    }

    /// The one whose id is in a file, which is made if it is not there, with its directory.
    ///
    /// # Errors
    /// [`Error::Refused`] when another process has it, when it cannot be read or written, or when what it has is no id.
    pub fn kept_in(path: &Path) -> Result<Self, Error> {
        let refused = |why: String| Error::Refused(format!("the instance id in {}: {why}", path.display()));
        let open = || {
            if let Some(directory) = path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            File::options().read(true).write(true).create(true).truncate(false).open(path)
        };
        let mut file = open().map_err(|e| refused(e.to_string()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(refused(
                    "another process publishes with it; stop that one, or give this one another id".into(),
                ));
            }
            Err(TryLockError::Error(e)) => return Err(refused(e.to_string())),
        }
        let mut text = String::new();
        let most = INSTANCE_ID_CHARS_MAX as u64 + 2;
        Read::by_ref(&mut file).take(most).read_to_string(&mut text).map_err(|e| match e.kind() {
            ErrorKind::InvalidData => refused("it is no text; remove the file".into()),
            _ => refused(e.to_string()),
        })?;
        // One that was not written whole, before it was ever used, is as none.
        let id = match text.strip_suffix('\n') {
            Some(id) => id.to_owned(),
            None => {
                let id = new_id();
                write(&mut file, &format!("{id}\n")).map_err(|e| refused(e.to_string()))?;
                id
            }
        };
        let instance = Instance::new(id, evidence()).map_err(|e| refused(format!("{e}; remove the file")))?;
        Ok(Self { instance, _file: Some(file) })
    }
}

fn write(file: &mut File, text: &str) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn new_id() -> String {
    format!("{:032x}", rand::rng().random::<u128>())
}

/// Where this process runs, as far as the system says.
fn evidence() -> Evidence {
    let line = |path: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.trim().chars().filter(|c| !c.is_control()).take(DESCRIPTION_CHARS_MAX).collect::<String>()
    };
    Evidence {
        host: line("/proc/sys/kernel/hostname"),
        ip: String::new(),
        boot_id: line("/proc/sys/kernel/random/boot_id"),
        machine_id: line("/etc/machine-id"),
    }
}

/// Where a command keeps what it needs over restarts, if nothing else is named: as the XDG base directories have it, and for
/// root where services have it.
pub fn state_directory() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(state) = variable("XDG_STATE_HOME").filter(|path| path.is_absolute()) {
        return state.join("unum");
    }
    match variable("HOME").filter(|home| home.is_absolute()) {
        Some(home) if home != Path::new("/root") && home != Path::new("/") => home.join(".local/state/unum"),
        _ => PathBuf::from("/var/lib/unum-agent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_kept_is_the_same_after_a_restart_and_is_nobody_elses_meanwhile() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/agent-tikv-one.instance");
        let first = OwnInstance::kept_in(&path).unwrap();
        let error = OwnInstance::kept_in(&path).unwrap_err().to_string();
        assert!(error.contains("another process publishes with it"), "{error}");
        let id = first.instance.id().to_owned();
        drop(first);
        assert_eq!(OwnInstance::kept_in(&path).unwrap().instance.id(), id);
        // Cut short while it was written.
        std::fs::write(&path, &id[..7]).unwrap();
        let other = OwnInstance::kept_in(&path).unwrap();
        assert_ne!(other.instance.id(), id);
        drop(other);
        for (text, part) in [(&b"a b\n"[..], "is no id of an instance"), (b"\xff\n", "it is no text; remove the file")]
        {
            std::fs::write(&path, text).unwrap();
            let error = OwnInstance::kept_in(&path).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("remove the file"), "{error}");
        }
    }
}
