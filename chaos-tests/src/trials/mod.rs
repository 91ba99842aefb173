//! Trials: tests that need load, luck, root, a tool of the host, or minutes.
//!
//! `cargo test` has what is deterministic or waits for a condition; what is here depends on a machine and its moment, so
//! it runs by name (`unum-trial run failover`), with a seed, under a limit of time, and ends with one line that counts. Each
//! file is one trial: a list of cases. Those of the slice are what CI runs of it.
//!
//! A case says that it cannot run here by [`cannot_run`]; it is counted as skipped, never as passed.

mod chaos;
mod disk;
mod disk_use;
mod failover;
mod load;
mod mysql;
mod planted;
mod power_cut;
mod sandbox;
mod trial;

pub use trial::{Case, Tally, Trial};

/// All of them.
pub const ALL: &[Trial] = &[
    chaos::TRIAL,
    planted::TRIAL,
    failover::TRIAL,
    load::TRIAL,
    disk::TRIAL,
    sandbox::TRIAL,
    power_cut::TRIAL,
    disk_use::TRIAL,
    mysql::TRIAL,
];

impl Trial {
    /// The trial of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|trial| trial.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> =
            ALL.iter().flat_map(|trial| trial.cases.iter().map(|case| (trial.name, case.name))).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
