//! What every floor may use: the clock, the task group, telemetry.
//!
//! It knows nothing of Unum.

pub mod clock;
pub mod tasks;
pub mod telemetry;
