//! What every floor may use: the clock, the disk's free space, the task group, what the process uses, telemetry, texts of values, options that change,
//! bugs that are planted for the chaos tests.
//!
//! It knows no table, no statement and no protocol; only `planted` names what the chaos tests break.

pub mod clock;
pub mod disk;
pub mod planted;
pub mod process;
pub mod tasks;
pub mod telemetry;
pub mod text;
pub mod tunable;
