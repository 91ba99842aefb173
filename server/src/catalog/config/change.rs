//! A change begins, goes on behind its canaries, is cancelled, or is rolled back. Whole, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use unum_proto::model::secrets::is_secret_value;
use unum_proto::model::{ChangeId, ConfigOutcome, ConfigType, MASK, NodeKey};

use super::records::{ConfigChange, ConfigRecord, ConfigRecordKey, Desired, Kind, Phase, Setting, Target, TargetState};
use super::rows::{ConfigRow, config_row};
use super::{CHANGES_MAX, TARGETS_MAX};
use crate::base::planted::{Bug, planted};
use crate::catalog::NodeStatus;
use crate::catalog::transition::Transition;

/// A change that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigProposal {
    /// Tells a retry from another change.
    pub change_key: String,
    /// Who wants it, as the client says.
    pub who: String,
    /// The client's address.
    pub host: String,
    /// As it was typed, secrets masked.
    pub statement: String,
    /// What is wanted.
    pub wish: ConfigWish,
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigWish {
    /// New values.
    Set {
        /// By key and value.
        assignments: Vec<Assignment>,
        /// The version of the configuration at which the nodes were found.
        seen: u64,
        /// So many nodes hear of it first; the others when it is resumed.
        canaries: Option<u32>,
        /// Only if nothing that it sets was changed after this revision.
        if_revision: Option<u64>,
        /// Whether a value that somebody changes underneath is set again.
        enforce: bool,
    },
    /// The values from before another change; what is open of that one is cancelled.
    Rollback {
        /// That change.
        of: ChangeId,
    },
}

/// One key and value for some nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The nodes, each once.
    pub nodes: Vec<NodeKey>,
}

/// What is done with a change that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigStep {
    /// All of its nodes hear of it.
    Resume,
    /// No more of its nodes hear of it.
    Cancel,
}

/// A change was committed, now or by an earlier attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigDone {
    /// Its id.
    pub change: ChangeId,
    /// Whether an earlier attempt had done it.
    pub duplicate: bool,
}

/// Nothing was changed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConfigRefusal {
    /// The configuration has changed since the nodes were found: find them again.
    Moved,
    /// It cannot be.
    Refused(String),
}

fn refused<T>(why: String) -> Result<T, ConfigRefusal> {
    Err(ConfigRefusal::Refused(why))
}

impl Transition<'_> {
    /// Begins a change, if all of it can be.
    pub(in crate::catalog) fn propose_config(&mut self, proposal: ConfigProposal) -> Result<ConfigDone, ConfigRefusal> {
        if let Some(change) = self.state.config.by_change_key.get(&proposal.change_key) {
            return Ok(ConfigDone { change: *change, duplicate: true });
        }
        // What is refused half way leaves nothing behind.
        let mut drafted = self.state.clone();
        let mut draft = Transition { state: &mut drafted, at_us: self.at_us, changes: BTreeSet::new() };
        let done = draft.begin(proposal)?;
        self.changes.append(&mut draft.changes);
        *self.state = drafted;
        Ok(done)
    }

    fn begin(&mut self, proposal: ConfigProposal) -> Result<ConfigDone, ConfigRefusal> {
        let ConfigProposal { change_key, who, host, statement, wish } = proposal;
        let id = ChangeId::from(self.state.revision);
        self.make_room()?;
        let (kind, canaries, enforce, mut targets) = match wish {
            ConfigWish::Set { assignments, seen, canaries, if_revision, enforce } => {
                if self.state.config.version != seen {
                    return Err(ConfigRefusal::Moved);
                }
                (Kind::Set, canaries, enforce, self.targets_of(assignments, if_revision)?)
            }
            ConfigWish::Rollback { of } => {
                self.cancel(of, &format!("change {id} rolled it back"))?;
                (Kind::Rollback { of }, None, false, self.former_values(of)?)
            }
        };
        self.check(&targets)?;
        let phase = self.choose_canaries(&mut targets, canaries);
        let change = ConfigChange { change_key, who, host, at_us: self.at_us, statement, kind, phase, enforce };
        self.put_config(ConfigRecordKey::Change(id), Some(ConfigRecord::Change(change)));
        for (setting, target) in targets {
            if target.state == TargetState::Pending {
                self.want(id, &setting, target.value.clone());
            }
            self.put_config(ConfigRecordKey::Target(id, setting), Some(ConfigRecord::Target(target)));
        }
        Ok(ConfigDone { change: id, duplicate: false })
    }

    /// Forgets the oldest change that is over when there are too many.
    fn make_room(&mut self) -> Result<(), ConfigRefusal> {
        if self.state.config.changes.len() < CHANGES_MAX {
            return Ok(());
        }
        let is_open = |id: &ChangeId| {
            self.state
                .config
                .targets
                .get(id)
                .is_some_and(|targets| targets.values().any(|target| target.state.is_open()))
        };
        let Some(oldest) = self.state.config.changes.keys().copied().find(|id| !is_open(id)) else {
            return refused(format!(
                "{CHANGES_MAX} changes are in progress; cancel some: SELECT * FROM config_changes"
            ));
        };
        let settings: Vec<Setting> =
            self.state.config.targets.get(&oldest).iter().flat_map(|targets| targets.keys().cloned()).collect();
        for setting in settings {
            self.put_config(ConfigRecordKey::Target(oldest, setting), None);
        }
        self.put_config(ConfigRecordKey::Change(oldest), None);
        Ok(())
    }

    fn targets_of(
        &self,
        assignments: Vec<Assignment>,
        if_revision: Option<u64>,
    ) -> Result<BTreeMap<Setting, Target>, ConfigRefusal> {
        let count: usize = assignments.iter().map(|assignment| assignment.nodes.len()).sum();
        if count == 0 {
            return refused("no node matches; SELECT node_type, node_id, key FROM cluster_config shows all".into());
        }
        if count > TARGETS_MAX {
            return refused(format!("the change sets {count} settings; the limit is {TARGETS_MAX}: narrow it"));
        }
        let mut targets = BTreeMap::new();
        for Assignment { key, value, nodes } in assignments {
            for node in nodes {
                let Some(row) = config_row(self.state, &node, &key) else { return Err(ConfigRefusal::Moved) };
                let setting = Setting::new(&node, &key);
                if let (Some(expected), Some(changed)) = (if_revision, self.changed_at(&setting))
                    && changed > expected
                    && !planted(Bug::IgnoreRevision)
                {
                    return refused(format!(
                        "{} of node {} was changed at revision {changed}, after revision {expected}; read it again",
                        setting.key, setting.node,
                    ));
                }
                let target = self.new_target(&setting, &row, value.clone());
                targets.insert(setting, target);
            }
        }
        Ok(targets)
    }

    fn new_target(&self, setting: &Setting, row: &ConfigRow<'_>, value: String) -> Target {
        // Who has it already has nothing to do, unless something else is wanted of it.
        let wanted = self.state.config.desired_of(setting);
        let has =
            row.has(&value) == Some(true) && wanted.is_none_or(|wanted| row.data_type.same(&wanted.value, &value));
        Target {
            old: row.value.map(str::to_owned),
            secret: row.secret || is_secret_value(&value),
            value,
            state: if has { TargetState::Decided(ConfigOutcome::Applied) } else { TargetState::Pending },
            attempts: 0,
            reported_at_us: None,
            reported_at: None,
            before: wanted.map(|wanted| wanted.as_ref().clone()),
        }
    }

    /// The revision at which a setting or what is wanted of it last changed.
    fn changed_at(&self, setting: &Setting) -> Option<u64> {
        let wanted = self.state.config.desired_of(setting).map(|wanted| wanted.revision);
        let was = self.state.config.last_span(&setting.node, &setting.key).map(|(_, span)| span.until);
        wanted.max(was)
    }

    /// The values that a change's settings had before it.
    fn former_values(&self, of: ChangeId) -> Result<BTreeMap<Setting, Target>, ConfigRefusal> {
        let mut targets = BTreeMap::new();
        for (setting, target) in self.state.config.targets.get(&of).into_iter().flatten() {
            if matches!(target.state, TargetState::Cancelled(_)) && target.attempts == 0 {
                continue;
            }
            // A node or a key that is gone has nothing to be rolled back.
            let Some(row) = config_row(self.state, &setting.node, &setting.key) else { continue };
            if let Some(wanted) = self.state.config.desired_of(setting)
                && wanted.change > of
            {
                return refused(format!(
                    "change {} has set {} of node {} since; roll that one back first",
                    wanted.change, setting.key, setting.node,
                ));
            }
            let former = match (&target.before, &target.old) {
                (Some(before), _) => before.value.clone(),
                (None, Some(old)) if old != MASK => old.clone(),
                _ => {
                    return refused(format!(
                        "what {} of node {} was before change {of} is not known; SET CONFIG it",
                        setting.key, setting.node,
                    ));
                }
            };
            targets.insert(setting.clone(), self.new_target(setting, &row, former));
        }
        match targets.is_empty() {
            true => refused(format!("change {of} has changed nothing that could be rolled back")),
            false => Ok(targets),
        }
    }

    /// Whether every target can be.
    fn check(&self, targets: &BTreeMap<Setting, Target>) -> Result<(), ConfigRefusal> {
        for (setting, target) in targets {
            let Setting { node, key } = setting;
            if self.state.nodes.get(node).is_none_or(|node| node.status == NodeStatus::Removed) {
                return refused(format!("node {node} was removed"));
            }
            let data_type = config_row(self.state, node, key).map_or(ConfigType::Text, |row| row.data_type);
            if let Err(remedy) = data_type.check(&target.value) {
                let shown = if target.secret { MASK } else { &target.value };
                return refused(format!("{key} of node {node} is of type {data_type}, and {shown:?} is not; {remedy}"));
            }
            if let Some(other) = self.state.config.open.get(setting) {
                return refused(format!(
                    "change {other} is in progress and sets {key} of node {node}, too; wait for it, or CANCEL CHANGE {other}"
                ));
            }
        }
        Ok(())
    }

    /// All but the first so many nodes wait.
    fn choose_canaries(&self, targets: &mut BTreeMap<Setting, Target>, canaries: Option<u32>) -> Phase {
        let Some(canaries) = canaries else { return Phase::Running };
        let nodes: BTreeSet<NodeKey> = targets.keys().map(|setting| setting.node.clone()).collect();
        let first: BTreeSet<&NodeKey> = nodes.iter().take(canaries as usize).collect();
        for (setting, target) in targets.iter_mut() {
            if !first.contains(&setting.node) && target.state == TargetState::Pending {
                target.state = TargetState::Waiting;
            }
        }
        match targets.values().any(|target| target.state == TargetState::Waiting) {
            true => Phase::Canary,
            false => Phase::Running,
        }
    }

    fn want(&mut self, change: ChangeId, setting: &Setting, value: String) {
        let desired = Desired { value, change, revision: self.state.revision };
        self.put_config(ConfigRecordKey::Desired(setting.clone()), Some(ConfigRecord::Desired(desired)));
    }

    /// Goes on with a change, or ends it. Done again, it is nothing more.
    pub(in crate::catalog) fn step_config(
        &mut self,
        id: ChangeId,
        step: ConfigStep,
    ) -> Result<ConfigDone, ConfigRefusal> {
        let done = ConfigDone { change: id, duplicate: false };
        match step {
            ConfigStep::Cancel => self.cancel(id, "").map(|()| done),
            ConfigStep::Resume => {
                let change = self.known(id)?;
                match change.phase {
                    Phase::Cancelled => return refused(format!("change {id} was cancelled; SET CONFIG it again")),
                    Phase::Running => return Ok(ConfigDone { duplicate: true, ..done }),
                    Phase::Canary => {}
                }
                let change = ConfigChange { phase: Phase::Running, ..change };
                self.put_config(ConfigRecordKey::Change(id), Some(ConfigRecord::Change(change)));
                for (setting, target) in self.targets_in(id, |state| *state == TargetState::Waiting) {
                    self.want(id, &setting, target.value.clone());
                    let target = Target { state: TargetState::Pending, ..target };
                    self.put_config(ConfigRecordKey::Target(id, setting), Some(ConfigRecord::Target(target)));
                }
                Ok(done)
            }
        }
    }

    fn known(&self, id: ChangeId) -> Result<ConfigChange, ConfigRefusal> {
        match self.state.config.changes.get(&id) {
            Some(change) => Ok(change.as_ref().clone()),
            None => refused(format!("there is no change {id}; SELECT * FROM config_changes shows all")),
        }
    }

    fn targets_in(&self, id: ChangeId, is_in: impl Fn(&TargetState) -> bool) -> Vec<(Setting, Target)> {
        let targets = self.state.config.targets.get(&id).into_iter().flatten();
        let chosen = targets.filter(|(_, target)| is_in(&target.state));
        chosen.map(|(setting, target)| (setting.clone(), target.as_ref().clone())).collect()
    }

    /// Nothing more is wanted of what is open of a change.
    fn cancel(&mut self, id: ChangeId, why: &str) -> Result<(), ConfigRefusal> {
        let change = self.known(id)?;
        let open = self.targets_in(id, TargetState::is_open);
        if open.is_empty() {
            return match change.phase {
                Phase::Cancelled => Ok(()),
                _ if why.is_empty() => {
                    refused(format!("change {id} is over; ROLLBACK CHANGE {id} sets the former values again"))
                }
                _ => Ok(()),
            };
        }
        for (setting, target) in open {
            self.cancel_target(id, setting, target, why);
        }
        let change = ConfigChange { phase: Phase::Cancelled, ..change };
        self.put_config(ConfigRecordKey::Change(id), Some(ConfigRecord::Change(change)));
        Ok(())
    }

    /// What was wanted before is wanted again.
    pub(super) fn cancel_target(&mut self, id: ChangeId, setting: Setting, target: Target, why: &str) {
        self.want_as_before(id, &setting, &target);
        let state = TargetState::Cancelled(why.to_owned());
        let target =
            Target { state, reported_at_us: Some(self.at_us), reported_at: Some(self.state.revision), ..target };
        self.put_config(ConfigRecordKey::Target(id, setting), Some(ConfigRecord::Target(target)));
    }

    pub(super) fn want_as_before(&mut self, id: ChangeId, setting: &Setting, target: &Target) {
        if self.state.config.desired_of(setting).is_some_and(|wanted| wanted.change == id) {
            let before = target.before.clone().map(ConfigRecord::Desired);
            self.put_config(ConfigRecordKey::Desired(setting.clone()), before);
        }
    }
}
