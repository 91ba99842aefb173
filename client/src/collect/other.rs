//! What only Linux tells, elsewhere: nothing.

use super::mounts::Mount;

/// No CPU times.
#[derive(Debug)]
pub(super) struct IoWait;

impl IoWait {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn percent(&mut self) -> Option<f64> {
        None
    }
}

/// Not counted.
pub(super) fn processes() -> Option<u64> {
    None
}

/// sysinfo knows.
pub(super) fn tells_cpu() -> bool {
    true
}

/// sysinfo knows.
pub(super) fn tells_load() -> bool {
    true
}

/// None is known here that could be asked without a risk of waiting for ever.
pub(super) fn mounts() -> Vec<Mount> {
    Vec::new()
}
