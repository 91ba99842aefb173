//! What only Linux tells, elsewhere: nothing.

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
