//! `unum.config_changes`: every change of the nodes' configuration.

use unum_proto::model::{ChangeId, ConfigOutcome, Row};
use unum_proto::typed_rows;

use crate::catalog::State;
use crate::catalog::config::{ConfigChange, Kind, Phase, Target, TargetState};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(state: &State, id: ChangeId, change: &ConfigChange) {
        let targets = state.config.targets.get(&id).into_iter().flatten().map(|(_, target)| target.as_ref());
        let count = |is: fn(&TargetState) -> bool| targets.clone().filter(|target| is(&target.state)).count() as u64;
        let rollback_of = match change.kind {
            Kind::Set => None,
            Kind::Rollback { of } => Some(of),
        };
    }
    "id": UInt64, "the change: the revision of its commit" => id;
    "state": Text, "running; canary: waits for RESUME; done, needs restart, failed; cancelled" => state_of(change, targets.clone());
    "statement": Text, "as it was typed, secrets masked" => change.statement.as_str();
    "targets": UInt64, "settings that it sets" => targets.clone().count() as u64;
    "applied": UInt64, "of these applied, or applied with the next restart" => count(is_applied);
    "failed": UInt64, "of these failed or rejected" => count(is_failed);
    "open": UInt64, "of these neither" => count(TargetState::is_open);
    "who": Text, "who wanted it, as the client says" => change.who.as_str();
    "host": Text, "the client's address" => change.host.as_str();
    "created_at": Timestamp, "when it was committed, by the leader's clock" => change.at_us;
    "rollback_of": UInt64, "the change that it rolls back" => rollback_of;
    "enforce": Bool, "whether a value that somebody changes underneath is set again" => change.enforce;
    "change_key": Text, "what tells a retry from another change" => change.change_key.as_str();
}

/// One row a change, the oldest first.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_changes",
    comment: "changes of the nodes' configuration, the last 1000 and all in progress",
    columns: COLUMNS,
    reads: Reads::Nothing,
    rows,
};

/// The state of a change, from those of its targets.
pub fn state_of<'a>(change: &ConfigChange, targets: impl Iterator<Item = &'a Target> + Clone) -> &'static str {
    let any = |is: fn(&TargetState) -> bool| targets.clone().any(|target| is(&target.state));
    match change.phase {
        Phase::Cancelled => "cancelled",
        Phase::Canary => "canary",
        Phase::Running if any(TargetState::is_open) => "running",
        Phase::Running if any(is_failed) => "failed",
        Phase::Running if any(|state| *state == TargetState::Decided(ConfigOutcome::NeedsRestart)) => "needs restart",
        Phase::Running => "done",
    }
}

fn is_failed(state: &TargetState) -> bool {
    matches!(state, TargetState::Decided(ConfigOutcome::Failed(_) | ConfigOutcome::Rejected(_)))
}

fn is_applied(state: &TargetState) -> bool {
    matches!(state, TargetState::Decided(ConfigOutcome::Applied | ConfigOutcome::NeedsRestart))
}

fn rows(view: &View) -> Vec<Row> {
    let state: &State = &view.state;
    state.config.changes.iter().map(|(id, change)| row(state, *id, change)).collect()
}
