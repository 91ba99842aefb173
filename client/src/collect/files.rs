//! The kernel's small files, as text. Where a file is not there, as on every platform but Linux, there is no text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes read of one file. The longest that is read here, `/proc/net/dev` or `/proc/mounts` of a busy container host,
/// has some tens of kilobytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// What a file has; none if it cannot be read. What is too long is cut.
pub(super) fn bytes(path: impl AsRef<Path>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The text of a file; none if it cannot be read. A name that is no text, of a device or a user, costs only itself.
pub(super) fn text(path: impl AsRef<Path>) -> Option<String> {
    bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The text without the blanks around it; none if that leaves nothing.
pub(super) fn trimmed(path: impl AsRef<Path>) -> Option<String> {
    text(path).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The names in a directory, sorted; none if it cannot be read.
pub(super) fn names(dir: impl AsRef<Path>) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}
