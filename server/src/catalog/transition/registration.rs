//! A publisher takes a node's name, or gives it back.
//!
//! The epoch comes from here and from no clock: it is above all that the name had, and the revision of this entry at least,
//! so that no two publishers are ever given the same.

use std::sync::Arc;

use unum_proto::model::{NodeKey, Registered, Registration};

use super::Transition;
use crate::catalog::publisher::{Publisher, Rival};
use crate::catalog::state::NODES_MAX;
use crate::catalog::{Hashed, NodeStatus, RecordKey, State};

impl Transition<'_> {
    pub(super) fn register(&mut self, registration: Registration) -> Registered {
        let Registration { node, instance, take_over } = registration;
        let holder = self.state.holder_against(&node, &instance, self.at_us);
        if let (Some(holder), false) = (holder, take_over) {
            let message = format!(
                "node {node} has a publisher that is live ({}); stop that one, take its name with --take-over, or free \
                 the name with `unum node remove {node}`",
                holder.described(),
            );
            let since_us = match &holder.rival {
                Some(rival) if rival.instance.is_same(&instance) => rival.since_us,
                _ => self.at_us,
            };
            let rival = Some(Rival { instance, since_us, last_us: self.at_us });
            self.put_publisher(node, Publisher { rival, ..holder.clone() });
            return Err(message);
        }
        let before = self.state.publishers.get(&node).map(|publisher| publisher.epoch);
        if before.is_none() && self.state.publishers.len() >= NODES_MAX {
            let Some(unused) = self.state.oldest_unused_publisher(self.at_us) else {
                return Err(format!(
                    "node {node} would be one too many; the limit is {NODES_MAX} nodes: remove some with `unum node remove`"
                ));
            };
            self.remove_publisher(&unused);
        }
        let pushed = self.state.nodes.get(&node).map(|node| node.epoch);
        let Some(above) = before.max(pushed).unwrap_or(0).checked_add(1) else {
            return Err(format!("node {node} had the last epoch that there is, {}; give it another id", u64::MAX));
        };
        let epoch = above.max(self.state.revision);
        let publisher = Publisher { epoch, instance, since_us: self.at_us, released: false, rival: None };
        self.put_publisher(node, publisher);
        Ok(epoch)
    }

    /// Whether the name was given back: not if another publisher has it by now.
    pub(super) fn release(&mut self, node: &NodeKey, epoch: u64) -> bool {
        match self.state.publishers.get(node) {
            Some(publisher) if publisher.epoch == epoch => {
                let released = Publisher { released: true, rival: None, ..publisher.value().clone() };
                self.put_publisher(node.clone(), released);
                true
            }
            _ => false,
        }
    }

    pub(super) fn put_publisher(&mut self, node: NodeKey, publisher: Publisher) {
        let publisher = Hashed::publisher(&node, publisher);
        let added = publisher.hash();
        let before = self.state.publishers.insert(node.clone(), Arc::new(publisher));
        self.state.rehash(before.map(|before| before.hash()), Some(added));
        self.changes.insert(RecordKey::Publisher(node));
    }

    /// The name is free.
    pub(super) fn remove_publisher(&mut self, node: &NodeKey) {
        if let Some(removed) = self.state.publishers.remove(node) {
            self.state.rehash(Some(removed.hash()), None);
            self.changes.insert(RecordKey::Publisher(node.clone()));
        }
    }
}

impl State {
    /// The publisher that was given a name first, of those that are not live and whose node has no rows.
    fn oldest_unused_publisher(&self, at_us: i64) -> Option<NodeKey> {
        let has_node = |key: &NodeKey| self.nodes.get(key).is_some_and(|node| node.status != NodeStatus::Removed);
        let unused = self.publishers.iter().filter(|(key, one)| !has_node(key) && !self.is_live(key, one, at_us));
        unused.min_by_key(|(_, publisher)| publisher.since_us).map(|(key, _)| key.clone())
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{Evidence, Instance, NodeDescription, Push, PushOutcome};

    use super::*;
    use crate::catalog::{Command, Outcome, Silence, StampedPush};

    const NODE: &str = "one";

    fn key() -> NodeKey {
        NodeKey::parse("tikv", NODE).unwrap()
    }

    fn instance(id: &str, boot: &str) -> Instance {
        let evidence = Evidence { host: format!("host-{id}"), boot_id: boot.into(), ..Evidence::default() };
        Instance::new(id, evidence).unwrap()
    }

    struct Cluster(State);

    impl Cluster {
        fn apply(&mut self, command: Command) -> Outcome {
            self.0.apply(self.0.revision + 1, command).outcome
        }

        fn register(&mut self, at_us: i64, instance: Instance, take_over: bool) -> Registered {
            let registration = Registration { node: key(), instance, take_over };
            match self.apply(Command::Register { at_us, registration }) {
                Outcome::Registered(registered) => registered,
                other => panic!("{other:?}"),
            }
        }

        fn push(&mut self, epoch: u64, sequence: u64) -> Result<u64, String> {
            let push = Push::new(NodeDescription::new(key()), epoch, sequence, Vec::new()).unwrap();
            match self.apply(Command::Pushes { received_at_us: 1, pushes: vec![StampedPush::new(push)] }) {
                Outcome::Pushes(outcomes) => match &outcomes[0] {
                    PushOutcome::Accepted { revision, .. } => Ok(*revision),
                    PushOutcome::Refused { message } => Err(message.clone()),
                },
                other => panic!("{other:?}"),
            }
        }

        fn silent(&mut self) {
            let node = self.0.nodes[&key()].value();
            let silence =
                Silence { node: key(), epoch: node.epoch, sequence: node.sequence, status: NodeStatus::Stale };
            self.apply(Command::Silences { at_us: 1, silences: vec![silence] });
        }
    }

    #[test]
    fn a_live_publisher_stays_and_the_newer_one_is_told_and_shown() {
        let mut cluster = Cluster(State::default());
        let first = cluster.register(0, instance("a", "1"), false).unwrap();
        cluster.push(first, 1).unwrap();
        for at_us in [7, 9] {
            let told = cluster.register(at_us, instance("b", "1"), false).unwrap_err();
            assert!(told.contains("instance a, host host-a, since 1970-01-01 00:00:00 UTC"), "{told}");
            assert!(told.contains("--take-over") && told.contains("unum node remove tikv/one"), "{told}");
        }
        let rival = cluster.0.publishers[&key()].rival.clone().unwrap();
        assert_eq!((rival.instance.id(), rival.since_us, rival.last_us), ("b", 7, 9));
        cluster.push(first, 2).unwrap();
        let second = cluster.register(10, instance("b", "1"), true).unwrap();
        let told = cluster.push(first, 3).unwrap_err();
        assert!(told.contains("is held by epoch") && told.contains("instance b"), "{told}");
        cluster.push(second, 1).unwrap();
        assert_eq!(cluster.0.publishers[&key()].rival, None);
    }

    #[test]
    fn the_same_instance_has_its_name_back_at_once_and_others_when_the_ttl_is_over() {
        let mut cluster = Cluster(State::default());
        let first = cluster.register(0, instance("a", "1"), false).unwrap();
        cluster.push(first, 1).unwrap();
        let again = cluster.register(1, instance("a", "1"), false).unwrap();
        assert!(again > first);
        cluster.push(again, 1).unwrap();
        // A copy of the machine, or the machine itself after a boot: nobody knows while the TTL runs.
        cluster.register(2, instance("a", "2"), false).unwrap_err();
        cluster.silent();
        let booted = cluster.register(3, instance("a", "2"), false).unwrap();
        assert!(booted > again);
        // One that never pushes does not keep the name for ever.
        cluster.register(4, instance("c", "1"), false).unwrap_err();
        cluster.register(4 + FIRST_PUSH_WITHIN, instance("c", "1"), false).unwrap();
    }

    const FIRST_PUSH_WITHIN: i64 = 15_000_000;

    #[test]
    fn a_name_that_was_given_back_or_removed_is_free() {
        let mut cluster = Cluster(State::default());
        let first = cluster.register(0, instance("a", "1"), false).unwrap();
        cluster.push(first, 1).unwrap();
        let release = |epoch| Command::Release { at_us: 1, node: key(), epoch };
        assert_eq!(cluster.apply(release(first)), Outcome::Released(true));
        let second = cluster.register(1, instance("b", "1"), false).unwrap();
        cluster.push(second, 1).unwrap();
        assert_eq!(cluster.apply(release(first)), Outcome::Released(false), "it is another one's by now");
        cluster.apply(Command::RemoveNode { at_us: 2, node: key() });
        let told = cluster.push(second, 2).unwrap_err();
        assert!(told.contains("was removed"), "{told}");
        let third = cluster.register(3, instance("c", "1"), false).unwrap();
        assert!(third > second);
        cluster.push(second, 2).unwrap_err();
        cluster.push(third, 1).unwrap();
    }

    /// An epoch of a clock that was ten years ahead, as publishers chose it before.
    #[test]
    fn no_clock_keeps_a_name() {
        const AHEAD: u64 = 2_100_000_000_000_000;
        let mut cluster = Cluster(State::default());
        cluster.push(AHEAD, 1).unwrap();
        let first = cluster.register(0, instance("a", "1"), false).unwrap();
        assert_eq!(first, AHEAD + 1);
        cluster.push(first, 1).unwrap();
        let told = cluster.push(AHEAD + 2, 1).unwrap_err();
        assert!(told.contains("was not given"), "{told}");
    }

    #[test]
    fn publishers_survive_a_restore() {
        let mut cluster = Cluster(State::default());
        let first = cluster.register(0, instance("a", "1"), false).unwrap();
        cluster.push(first, 1).unwrap();
        cluster.register(1, instance("b", "1"), false).unwrap_err();
        let records = cluster.0.records().map(|(key, record)| (key.clone(), record.bytes(&key)));
        let read = records.map(|(key, bytes)| crate::catalog::Record::read(&key.bytes(), &bytes).unwrap());
        let restored = State::restore(cluster.0.revision, read.collect::<Vec<_>>()).unwrap();
        assert_eq!(restored.hash, cluster.0.hash);
        assert_eq!(restored.publishers, cluster.0.publishers);
    }
}
