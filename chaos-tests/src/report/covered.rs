//! What a history covers: without it a run that did nothing would pass.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::history::{Action, Operation, Outcome};
use crate::traffic::is_removable;

/// Counts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Covered {
    /// Acknowledged writes.
    pub writes: u64,
    /// Writes, removals and changes of unknown outcome.
    pub unknown: u64,
    /// Answered reads.
    pub reads: u64,
    /// … of which a fault was there.
    pub reads_during_faults: u64,
    /// Operations without an effect.
    pub failed: u64,
    /// Removals that were acknowledged.
    pub removed: u64,
    /// Copies of pushes that were answered like the first.
    pub copies: u64,
    /// … and that were refused because a later push may have been taken in.
    pub copies_refused: u64,
    /// Changes of configuration that happened.
    pub changed: u64,
    /// … and that did not.
    pub not_changed: u64,
    /// Pushes that were refused after a newer epoch of their agent had begun.
    pub old_epochs_refused: u64,
    /// The longest between two acknowledged writes, ms.
    pub longest_without_write_ms: u64,
    /// The longest between two answered reads, ms.
    pub longest_without_read_ms: u64,
    /// Terms that began, as the replicas say.
    pub lead_changes: u64,
    /// Raft snapshots that were installed, by replicas that have not been restarted since.
    pub snapshots_installed: u64,
}

impl Covered {
    /// Counts what is in a history.
    pub fn of(history: &[Operation]) -> Self {
        let mut covered = Self::default();
        let faults: Vec<(u64, u64)> = history
            .iter()
            .filter(|operation| matches!(operation.action, Action::Fault { .. }))
            .filter_map(|operation| Some((operation.begin_us, operation.done()?.0)))
            .collect();
        let mut newest: BTreeMap<u32, u32> = BTreeMap::new();
        for operation in history {
            if let Action::Write { node, epoch, .. } = operation.action {
                let newest = newest.entry(node).or_default();
                *newest = epoch.max(*newest);
                let refused = matches!(operation.outcome, Outcome::Refused { .. });
                covered.old_epochs_refused += u64::from(refused && epoch < *newest && !is_removable(node));
            }
            covered.count(operation, &faults);
        }
        covered.longest_without_write_ms = longest_without(history, |action| matches!(action, Action::Write { .. }));
        covered.longest_without_read_ms = longest_without(history, |action| matches!(action, Action::Read { .. }));
        covered
    }

    fn count(&mut self, operation: &Operation, faults: &[(u64, u64)]) {
        match (&operation.action, &operation.outcome) {
            (Action::Fault { .. } | Action::Look { .. }, _) => {}
            (Action::Copy { .. }, Outcome::Done { .. }) => self.copies += 1,
            (Action::Copy { .. }, Outcome::Refused { .. }) => self.copies_refused += 1,
            (Action::Copy { .. }, _) => {}
            (Action::Change { .. }, Outcome::Refused { .. }) => self.not_changed += 1,
            (_, Outcome::Failed { .. } | Outcome::Refused { .. }) => self.failed += 1,
            (_, Outcome::Unknown { .. } | Outcome::Nonsense { .. }) => self.unknown += 1,
            (Action::Write { .. }, Outcome::Done { .. }) => self.writes += 1,
            (Action::Remove { .. }, Outcome::Done { .. }) => self.removed += 1,
            (Action::Change { .. }, Outcome::Done { .. }) => self.changed += 1,
            (Action::Read { .. }, Outcome::Done { end_us, .. }) => {
                self.reads += 1;
                let during = faults.iter().any(|(begin, end)| operation.begin_us < *end && *begin < *end_us);
                self.reads_during_faults += u64::from(during);
            }
        }
    }
}

/// The longest between the ends of two operations that were acknowledged or answered, ms.
fn longest_without(history: &[Operation], is: impl Fn(&Action) -> bool) -> u64 {
    let mut ends: Vec<u64> =
        history.iter().filter(|operation| is(&operation.action)).filter_map(|o| Some(o.done()?.0)).collect();
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0) / 1000
}
