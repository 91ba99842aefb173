//! Nodes come to what is wanted of them: what they say, and what their pushes show.

use std::collections::BTreeSet;
use std::sync::Arc;

use unum_proto::model::{ChangeId, ConfigOutcome, ConfigReport, DesiredValue, NodeKey};

use super::records::{ConfigRecord, ConfigRecordKey, ConfigSpan, Setting, Since, Target, TargetState};
use super::rows::{ConfigRow, config_row, parse};
use super::{Config, SPANS_PER_KEY_MAX};
use crate::catalog::transition::Transition;
use crate::catalog::{Hashed, Snapshot, Table};

impl Config {
    /// What a node is to set, by change. What failed before is among it if the node tries again.
    pub fn to_be_set(&self, node: &NodeKey, again: bool) -> Vec<DesiredValue> {
        let wanted = self.desired.get(node).into_iter().flatten().filter_map(|(key, desired)| {
            let target = self.targets.get(&desired.change)?.get(&Setting::new(node, key))?;
            let failed = matches!(target.state, TargetState::Decided(ConfigOutcome::Failed(_)));
            (target.state == TargetState::Pending || (again && failed)).then(|| DesiredValue {
                change: desired.change,
                key: key.clone(),
                value: desired.value.clone(),
                attempts: target.attempts,
            })
        });
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by(|a, b| (a.change, &a.key).cmp(&(b.change, &b.key)));
        wanted
    }
}

impl Transition<'_> {
    /// What a node says came of it. Said again, it is nothing more; returns how many were new.
    pub(in crate::catalog) fn report_config(&mut self, node: &NodeKey, reports: Vec<ConfigReport>) -> u32 {
        let mut new = 0;
        for ConfigReport { change, key, outcome, attempt } in reports {
            let setting = Setting { node: node.clone(), key };
            let known = self.state.config.targets.get(&change).and_then(|targets| targets.get(&setting));
            let Some(target) = known.map(|target| target.as_ref().clone()) else { continue };
            let expected = match &target.state {
                TargetState::Pending | TargetState::Decided(ConfigOutcome::Failed(_)) => attempt > target.attempts,
                _ => false,
            };
            if !expected {
                continue;
            }
            if matches!(outcome, ConfigOutcome::Rejected(_)) {
                self.want_as_before(change, &setting, &target);
            }
            self.decide(change, setting, Target { attempts: attempt, ..target }, outcome);
            new += 1;
        }
        new
    }

    fn decide(&mut self, change: ChangeId, setting: Setting, target: Target, outcome: ConfigOutcome) {
        let state = TargetState::Decided(outcome);
        let target =
            Target { state, reported_at_us: Some(self.at_us), reported_at: Some(self.state.revision), ..target };
        self.put_config(ConfigRecordKey::Target(change, setting), Some(ConfigRecord::Target(target)));
    }

    /// A node has pushed its configuration: what was different until now is history.
    pub(in crate::catalog) fn config_pushed(
        &mut self,
        node: &NodeKey,
        table: &Table,
        before: Option<&Arc<Hashed<Snapshot>>>,
    ) {
        let Some(after) = table.snapshots.get(node) else { return };
        if before.is_some_and(|before| before.rows == after.rows) {
            return self.compare_with_wanted(node);
        }
        if before.is_none() && !self.state.config.since.contains_key(node) {
            let since = Since { revision: self.state.revision, at_us: self.at_us };
            self.put_config(ConfigRecordKey::Since(node.clone()), Some(ConfigRecord::Since(since)));
        }
        let rows = before.map(|before| parse(&table.schema, &before.rows)).unwrap_or_default();
        let now = parse(&table.schema, &after.rows);
        let value = |row: Option<&ConfigRow<'_>>| row.and_then(|row| row.value).map(str::to_owned);
        let keys: BTreeSet<&str> = rows.keys().chain(now.keys()).copied().collect();
        for key in keys {
            let (was, is) = (value(rows.get(key)), value(now.get(key)));
            // What a node has from its first push on has no past.
            if was != is && (before.is_some() || self.state.config.last_span(node, key).is_some()) {
                self.remember(Setting::new(node, key), was, now.get(key));
            }
        }
        self.config_changed();
        self.compare_with_wanted(node);
    }

    fn config_changed(&mut self) {
        self.put_config(ConfigRecordKey::Version, Some(ConfigRecord::Version(self.state.revision)));
    }

    fn remember(&mut self, setting: Setting, was: Option<String>, is: Option<&ConfigRow<'_>>) {
        let Setting { node, key } = &setting;
        let since = self.state.config.since.get(node).map_or(self.state.revision, |since| since.revision);
        let from = self.state.config.last_span(node, key).map_or(since, |(_, span)| span.until);
        let wanted = self.state.config.desired_of(&setting);
        let ended_by = wanted.filter(|wanted| is.is_some_and(|is| is.has(&wanted.value) == Some(true)));
        let ended_by = ended_by.map(|wanted| wanted.change);
        let span = ConfigSpan { value: was, until: self.state.revision, until_us: self.at_us, ended_by };
        self.put_config(ConfigRecordKey::Span(setting.clone(), from), Some(ConfigRecord::Span(span)));
        self.forget_oldest(&setting);
    }

    fn forget_oldest(&mut self, setting: &Setting) {
        let Setting { node, key } = setting;
        let Some(spans) = self.state.config.spans.get(node) else { return };
        let mut of_key = spans.range((key.clone(), 0)..=(key.clone(), u64::MAX)).map(|((_, from), _)| *from);
        let oldest = of_key.next();
        if let Some(oldest) = oldest
            && of_key.count() >= SPANS_PER_KEY_MAX
        {
            self.put_config(ConfigRecordKey::Span(setting.clone(), oldest), None);
        }
    }

    /// What needed a restart may have had it; what is enforced may have been changed underneath.
    fn compare_with_wanted(&mut self, node: &NodeKey) {
        let Some(desired) = self.state.config.desired.get(node).cloned() else { return };
        let mut decided = Vec::new();
        for (key, desired) in &desired {
            let setting = Setting::new(node, key);
            let targets = self.state.config.targets.get(&desired.change);
            let Some(target) = targets.and_then(|targets| targets.get(&setting)) else { continue };
            let enforced = || self.state.config.changes.get(&desired.change).is_some_and(|change| change.enforce);
            let has = config_row(self.state, node, key).and_then(|row| row.has(&desired.value));
            let state = match (&target.state, has) {
                (TargetState::Decided(ConfigOutcome::NeedsRestart), Some(true)) => {
                    TargetState::Decided(ConfigOutcome::Applied)
                }
                (TargetState::Decided(ConfigOutcome::Applied), Some(false)) if enforced() => TargetState::Pending,
                _ => continue,
            };
            decided.push((desired.change, setting, Target { state, ..target.as_ref().clone() }));
        }
        for (change, setting, target) in decided {
            let target = Target { reported_at_us: Some(self.at_us), reported_at: Some(self.state.revision), ..target };
            self.put_config(ConfigRecordKey::Target(change, setting), Some(ConfigRecord::Target(target)));
        }
    }

    /// Nothing is wanted of a node that was removed, and its past goes with it.
    pub(in crate::catalog) fn config_node_removed(&mut self, node: &NodeKey) {
        let open: Vec<(Setting, ChangeId)> = self
            .state
            .config
            .open
            .iter()
            .filter(|(setting, _)| setting.node == *node)
            .map(|(s, id)| (s.clone(), *id))
            .collect();
        for (setting, id) in open {
            let target = self.state.config.targets.get(&id).and_then(|targets| targets.get(&setting)).cloned();
            if let Some(target) = target {
                self.cancel_target(id, setting, target.as_ref().clone(), "the node was removed");
            }
        }
        let wanted = self.state.config.desired.get(node).into_iter().flatten();
        let wanted: Vec<_> = wanted.map(|(key, _)| ConfigRecordKey::Desired(Setting::new(node, key))).collect();
        let past = self.state.config.spans.get(node).into_iter().flatten();
        let past: Vec<_> = past.map(|((key, from), _)| ConfigRecordKey::Span(Setting::new(node, key), *from)).collect();
        let since = self.state.config.since.contains_key(node).then(|| ConfigRecordKey::Since(node.clone()));
        let published = since.is_some();
        for key in wanted.into_iter().chain(past).chain(since) {
            self.put_config(key, None);
        }
        if published {
            self.config_changed();
        }
    }
}
