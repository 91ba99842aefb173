//! How much one query may take. The defaults stand in `config`.

/// The limits of a query.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes that its operators hold at one time.
    pub memory_bytes: usize,
    /// Rows of the result.
    pub rows: usize,
    /// Bytes of the result, as Arrow holds it.
    pub bytes: usize,
}
