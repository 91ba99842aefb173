//! Named runs: which faults on which cluster, how often, and what a run must have covered to count.
//!
//! - [`all`] names them
//! - [`run`] runs one
//! - [`planted`] names bugs that have to be found

pub mod all;
pub mod planted;
mod run;
mod scenario;

pub use all::ALL;
pub use run::Options;
pub use scenario::{Must, Rig, Scenario, Step};
