//! `unum.config_changes`: every change of the nodes' configuration.

use unum_proto::model::{ConfigOutcome, DataType, Row, Value};

use crate::catalog::State;
use crate::catalog::config::{ConfigChange, Kind, Phase, Target, TargetState};
use crate::sql::syntax::names::DEFAULT_SCHEMA;
use crate::sql::tables::view::{Reads, SystemTable, View};

/// One row a change, the oldest first.
pub static TABLE: SystemTable = SystemTable {
    schema: DEFAULT_SCHEMA,
    name: "config_changes",
    comment: "changes of the nodes' configuration, the last 1000 and all in progress",
    columns: &[
        ("id", DataType::UInt64, "the change: the revision of its commit"),
        ("state", DataType::Text, "running; canary: waits for RESUME; done, needs restart, failed; cancelled"),
        ("statement", DataType::Text, "as it was typed, secrets masked"),
        ("targets", DataType::UInt64, "settings that it sets"),
        ("applied", DataType::UInt64, "of these applied, or applied with the next restart"),
        ("failed", DataType::UInt64, "of these failed or rejected"),
        ("open", DataType::UInt64, "of these neither"),
        ("who", DataType::Text, "who wanted it, as the client says"),
        ("host", DataType::Text, "the client's address"),
        ("created_at", DataType::Timestamp, "when it was committed, by the leader's clock"),
        ("rollback_of", DataType::UInt64, "the change that it rolls back"),
        ("enforce", DataType::Bool, "whether a value that somebody changes underneath is set again"),
        ("change_key", DataType::Text, "what tells a retry from another change"),
    ],
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
    let row = |(id, change): (&u64, &std::sync::Arc<ConfigChange>)| {
        let targets = state.config.targets.get(id).into_iter().flatten().map(|(_, target)| target.as_ref());
        let count = |is: fn(&TargetState) -> bool| targets.clone().filter(|target| is(&target.state)).count() as u64;
        vec![
            (*id).into(),
            state_of(change, targets.clone()).into(),
            change.statement.as_str().into(),
            (targets.clone().count() as u64).into(),
            count(is_applied).into(),
            count(is_failed).into(),
            count(TargetState::is_open).into(),
            change.who.as_str().into(),
            change.host.as_str().into(),
            Value::Timestamp(change.at_us),
            match change.kind {
                Kind::Set => Value::Null,
                Kind::Rollback { of } => of.into(),
            },
            change.enforce.into(),
            change.change_key.as_str().into(),
        ]
    };
    state.config.changes.iter().map(row).collect()
}
