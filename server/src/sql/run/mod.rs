//! Running a plan: its memory, and its result under limits.

pub mod execution;
pub mod memory;
