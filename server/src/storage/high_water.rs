//! A small record outside sled: what the store must at least have.
//!
//! sled finds the end of its log at the first batch that does not check, so a bad sector in the middle silently takes
//! away all that came later. Whoever opens the store holds what is there against this mark.
//!
//! The file has two slots that are written in turn, so a torn write leaves the one before. A mark is written after
//! what it speaks of was synced. It is synced itself at most every [`SYNC_INTERVAL`], because it is a second device
//! flush: after a loss of power it may be that much behind, never ahead.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Error;

/// Between two syncs of the file.
const SYNC_INTERVAL: Duration = Duration::from_secs(1);

/// Each slot is a sector of its own.
const SLOT_BYTES: usize = 512;

const MAGIC: [u8; 4] = *b"unhw";

/// magic, crc32 of the rest, generation (8), length (2), payload.
const HEADER_BYTES: usize = 18;

/// The mark of one store.
#[derive(Debug)]
pub struct HighWaterFile(Mutex<Open>);

#[derive(Debug)]
struct Open {
    file: File,
    generation: u64,
    payload: Option<Vec<u8>>,
    dirty_since: Option<Instant>,
}

impl HighWaterFile {
    /// Opens or makes the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let io = |e: std::io::Error| Error::Io(format!("{}: {e}", path.display()));
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path).map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let newest = bytes.chunks(SLOT_BYTES).filter_map(parse).max_by_key(|(generation, _)| *generation);
        if newest.is_none() && !bytes.is_empty() {
            return Err(Error::Corrupt(format!("{} holds no high-water mark that checks", path.display())));
        }
        let (generation, payload) = newest.map_or((0, None), |(generation, payload)| (generation, Some(payload)));
        Ok(Self(Mutex::new(Open { file, generation, payload, dirty_since: None })))
    }

    /// The mark, if one was ever written.
    pub fn read(&self) -> Option<Vec<u8>> {
        self.lock().payload.clone()
    }

    /// Writes a mark; on the medium at once if `durable`.
    pub fn write(&self, payload: &[u8], durable: bool) -> Result<(), Error> {
        let mut open = self.lock();
        open.generation += 1;
        let slot = (open.generation % 2) as usize * SLOT_BYTES;
        let bytes = encode(open.generation, payload);
        open.file.seek(SeekFrom::Start(slot as u64)).and_then(|_| open.file.write_all(&bytes)).map_err(failed)?;
        open.payload = Some(payload.to_vec());
        let dirty_since = *open.dirty_since.get_or_insert_with(Instant::now);
        if durable || dirty_since.elapsed() >= SYNC_INTERVAL {
            open.sync()?;
        }
        Ok(())
    }

    /// Returns when the newest mark is on the medium.
    pub fn sync(&self) -> Result<(), Error> {
        self.lock().sync()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        // A panic between two fields loses at most the newest mark, which is the older one's successor.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn sync(&mut self) -> Result<(), Error> {
        if self.dirty_since.take().is_some() {
            self.file.sync_data().map_err(failed)?;
        }
        Ok(())
    }
}

fn failed(error: std::io::Error) -> Error {
    Error::Io(format!("the high-water mark: {error}"))
}

fn encode(generation: u64, payload: &[u8]) -> [u8; SLOT_BYTES] {
    assert!(payload.len() <= SLOT_BYTES - HEADER_BYTES, "a high-water mark of {} bytes", payload.len());
    let mut slot = [0; SLOT_BYTES];
    slot[8..16].copy_from_slice(&generation.to_le_bytes());
    slot[16..18].copy_from_slice(&(payload.len() as u16).to_le_bytes());
    slot[HEADER_BYTES..][..payload.len()].copy_from_slice(payload);
    slot[..4].copy_from_slice(&MAGIC);
    let crc = crc32fast::hash(&slot[8..]);
    slot[4..8].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn parse(slot: &[u8]) -> Option<(u64, Vec<u8>)> {
    let slot: &[u8; SLOT_BYTES] = slot.try_into().ok()?;
    let crc = u32::from_le_bytes([slot[4], slot[5], slot[6], slot[7]]);
    if slot[..4] != MAGIC || crc != crc32fast::hash(&slot[8..]) {
        return None;
    }
    let (generation, rest) = slot[8..].split_first_chunk::<8>()?;
    let (length, payload) = rest.split_first_chunk::<2>()?;
    Some((u64::from_le_bytes(*generation), payload.get(..usize::from(u16::from_le_bytes(*length)))?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_mark_is_read_again_and_a_torn_one_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("high-water");
        assert_eq!(HighWaterFile::open(&path).unwrap().read(), None);
        for mark in [b"first".as_slice(), b"second", b"third"] {
            HighWaterFile::open(&path).unwrap().write(mark, true).unwrap();
            assert_eq!(HighWaterFile::open(&path).unwrap().read().unwrap(), mark);
        }
        // The third is the third generation: it stands in the second slot.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[SLOT_BYTES + 100] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(HighWaterFile::open(&path).unwrap().read().unwrap(), b"second");
        bytes[100] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(HighWaterFile::open(&path), Err(Error::Corrupt(_))));
    }
}
