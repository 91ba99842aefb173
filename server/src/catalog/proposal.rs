//! A command by the type of its outcome: who proposes pushes is answered with outcomes of pushes.

use unum_proto::model::{ChangeId, ConfigReport, NodeKey, PushOutcome, Registered, Registration};

use super::change::{CatalogChange, Changed};
use super::config::{ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep};
use super::{Command, Outcome, Place, Silence, StampedPush, State};

/// A command, and how to read what comes of it.
#[derive(Debug, Clone)]
pub struct Proposal<O> {
    command: Command,
    read: fn(Outcome) -> Result<O, Outcome>,
}

/// An outcome of another kind than the command: the leader runs a version that does not go with this one.
#[derive(Debug, thiserror::Error)]
#[error("the leader answers a command of one kind with an outcome of another: {0:?}")]
pub struct ForeignOutcome(Outcome);

impl Proposal<Vec<PushOutcome>> {
    /// See [`Command::Pushes`]; one outcome per push, in order.
    pub fn pushes(received_at_us: i64, pushes: Vec<StampedPush>) -> Self {
        let read = |outcome| match outcome {
            Outcome::Pushes(outcomes) => Ok(outcomes),
            other => Err(other),
        };
        Self { command: Command::Pushes { received_at_us, pushes }, read }
    }
}

impl Proposal<u32> {
    /// See [`Command::Silences`]; how many nodes changed their status.
    pub fn silences(at_us: i64, silences: Vec<Silence>) -> Self {
        let read = |outcome| match outcome {
            Outcome::Silences { changed } => Ok(changed),
            other => Err(other),
        };
        Self { command: Command::Silences { at_us, silences }, read }
    }

    /// See [`Command::ReportConfig`]; how many reports said something new.
    pub fn report_config(at_us: i64, node: NodeKey, reports: Vec<ConfigReport>) -> Self {
        let read = |outcome| match outcome {
            Outcome::ConfigReported { new } => Ok(new),
            other => Err(other),
        };
        Self { command: Command::ReportConfig { at_us, node, reports }, read }
    }
}

impl Proposal<Result<(), String>> {
    /// See [`Command::RemoveNode`]; an error says why it was not removed.
    pub fn remove_node(at_us: i64, node: NodeKey) -> Self {
        let read = |outcome| match outcome {
            Outcome::NodeRemoved(removed) => Ok(removed),
            other => Err(other),
        };
        Self { command: Command::RemoveNode { at_us, node }, read }
    }
}

impl Proposal<u32> {
    /// See [`Command::Sweep`]; how much went.
    pub fn sweep(at_us: i64, before_us: i64, places: Vec<Place>) -> Self {
        let read = |outcome| match outcome {
            Outcome::Swept { gone } => Ok(gone),
            other => Err(other),
        };
        Self { command: Command::Sweep { at_us, before_us, places }, read }
    }
}

impl Proposal<Registered> {
    /// See [`Command::Register`]; an error says who holds the name.
    pub fn register(at_us: i64, registration: Registration) -> Self {
        let read = |outcome| match outcome {
            Outcome::Registered(registered) => Ok(registered),
            other => Err(other),
        };
        Self { command: Command::Register { at_us, registration }, read }
    }
}

impl Proposal<bool> {
    /// See [`Command::Release`]; whether the name was given back.
    pub fn release(at_us: i64, node: NodeKey, epoch: u64) -> Self {
        let read = |outcome| match outcome {
            Outcome::Released(released) => Ok(released),
            other => Err(other),
        };
        Self { command: Command::Release { at_us, node, epoch }, read }
    }
}

impl Proposal<Result<Changed, String>> {
    /// See [`Command::Change`]; an error says why nothing was changed.
    pub fn change(at_us: i64, change_key: String, change: CatalogChange) -> Self {
        let read = |outcome| match outcome {
            Outcome::Changed(changed) => Ok(changed),
            other => Err(other),
        };
        Self { command: Command::Change { at_us, change_key, change }, read }
    }
}

impl Proposal<Result<ConfigDone, ConfigRefusal>> {
    /// See [`Command::ProposeConfig`].
    pub fn propose_config(at_us: i64, proposal: ConfigProposal) -> Self {
        Self { command: Command::ProposeConfig { at_us, proposal }, read: read_config }
    }

    /// See [`Command::StepConfig`].
    pub fn step_config(at_us: i64, change: ChangeId, step: ConfigStep) -> Self {
        Self { command: Command::StepConfig { at_us, change, step }, read: read_config }
    }
}

fn read_config(outcome: Outcome) -> Result<Result<ConfigDone, ConfigRefusal>, Outcome> {
    match outcome {
        Outcome::Config(done) => Ok(done),
        other => Err(other),
    }
}

impl<O> Proposal<O> {
    /// What the log entry carries.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// What came of it.
    ///
    /// # Errors
    /// When the outcome is of another kind.
    pub fn read(&self, outcome: Outcome) -> Result<O, ForeignOutcome> {
        (self.read)(outcome).map_err(ForeignOutcome)
    }
}

impl State {
    /// What the proposal would come to if it were the next entry, and the state after it. This state stays as it is.
    pub fn draft<O>(&self, proposal: &Proposal<O>) -> (Self, O) {
        let mut draft = self.clone();
        let outcome = draft.apply(self.revision + 1, proposal.command.clone()).outcome;
        (draft, proposal.read(outcome).expect("apply answers with the outcome of its command"))
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{Evidence, Instance};

    use super::*;

    #[test]
    fn every_proposal_reads_the_outcome_of_its_command_and_no_other() {
        let state = State::default();
        let node = NodeKey::parse("tikv", "1").unwrap();
        assert!(state.draft(&Proposal::pushes(0, Vec::new())).1.is_empty());
        assert_eq!(state.draft(&Proposal::silences(0, Vec::new())).1, 0);
        assert_eq!(state.draft(&Proposal::report_config(0, node.clone(), Vec::new())).1, 0);
        assert_eq!(state.draft(&Proposal::sweep(0, 0, Vec::new())).1, 0);
        assert!(!state.draft(&Proposal::release(0, node.clone(), 1)).1);
        let instance = Instance::new("a", Evidence::default()).unwrap();
        let registration = Registration { node: node.clone(), instance, take_over: false };
        assert_eq!(state.draft(&Proposal::register(0, registration)).1, Ok(1));
        assert!(state.draft(&Proposal::remove_node(0, node)).1.unwrap_err().contains("tikv"));
        assert!(state.draft(&Proposal::step_config(0, 7.into(), ConfigStep::Cancel)).1.is_err());
        let change = CatalogChange::DropTable { table: "t".parse().unwrap(), if_exists: false };
        assert!(state.draft(&Proposal::change(0, "k".into(), change)).1.is_err());
        let foreign = Proposal::silences(0, Vec::new()).read(Outcome::NodeRemoved(Ok(()))).unwrap_err();
        assert!(foreign.to_string().contains("NodeRemoved"), "{foreign}");
    }
}
