//! Changes against a small cluster: what is refused changes nothing, what is done is done once, and a state that was
//! restored from its records goes on as the one it came from.

use unum_proto::model::{
    CONFIG_COLUMNS, CONFIG_TABLE, ChangeId, ConfigOutcome, ConfigReport, NodeDescription, NodeKey, Push, Row,
    TableSchema, TableSnapshot, Value,
};

use super::*;
use crate::catalog::{Command, Outcome, StampedPush, State};

fn node(id: u8) -> NodeKey {
    NodeKey::parse("tikv", &format!("tikv_{id}")).unwrap()
}

fn row(key: &str, value: &str, data_type: &str) -> Row {
    let text = |text: &str| Value::from(text);
    vec![text(key), text(value), text(data_type), Value::Null, true.into(), (value == "******").into(), text("")]
}

#[derive(Default)]
struct Cluster {
    state: State,
    sequence: u64,
}

impl Cluster {
    /// Three nodes with a level and a pool size.
    fn new() -> Self {
        let mut cluster = Self::default();
        (1..=3).for_each(|id| cluster.push(id, "warn", "4"));
        cluster
    }

    fn apply(&mut self, command: Command) -> Outcome {
        let before = self.state.clone();
        let outcome = self.state.apply(before.revision + 1, command.clone()).outcome;
        // Deterministic, and nothing of it is outside the records.
        let restored = restored(&before);
        assert_eq!(restored.hash, before.hash);
        let mut replayed = restored;
        assert_eq!(replayed.apply(before.revision + 1, command).outcome, outcome);
        assert_eq!(replayed.hash, self.state.hash);
        outcome
    }

    fn push(&mut self, id: u8, level: &str, pool: &str) {
        self.sequence += 1;
        let rows = vec![row("log.level", level, "enum(debug,info,warn)"), row("pool.size", pool, "integer")];
        let schema = TableSchema::of(CONFIG_TABLE, CONFIG_COLUMNS).unwrap();
        let table = TableSnapshot { schema: schema.into(), rows, collected_at_us: 0 };
        let push = Push::new(NodeDescription::new(node(id)), 1, self.sequence, vec![table]).unwrap();
        self.apply(Command::Pushes { received_at_us: 7, pushes: vec![StampedPush::new(push)] });
    }

    fn propose(&mut self, change_key: &str, wish: ConfigWish) -> Result<ConfigDone, ConfigRefusal> {
        let text = |text: &str| text.to_owned();
        let proposal = ConfigProposal {
            change_key: text(change_key),
            who: text("dba"),
            host: text("here"),
            statement: text("SET CONFIG"),
            wish,
        };
        match self.apply(Command::ProposeConfig { at_us: 9, proposal }) {
            Outcome::Config(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn wish(&self, key: &str, value: &str, ids: &[u8]) -> ConfigWish {
        let nodes = ids.iter().copied().map(node).collect();
        let assignments = vec![Assignment { key: key.into(), value: value.into(), nodes }];
        ConfigWish::Set {
            assignments,
            seen: self.state.config.version,
            canaries: None,
            if_revision: None,
            enforce: false,
        }
    }

    fn set(&mut self, key: &str, value: &str, ids: &[u8]) -> Result<ChangeId, ConfigRefusal> {
        let wish = self.wish(key, value, ids);
        let change_key = format!("key {}", self.state.revision);
        self.propose(&change_key, wish).map(|done| done.change)
    }

    fn step(&mut self, change: ChangeId, step: ConfigStep) -> Result<ConfigDone, ConfigRefusal> {
        match self.apply(Command::StepConfig { at_us: 9, change, step }) {
            Outcome::Config(outcome) => outcome,
            other => panic!("{other:?}"),
        }
    }

    fn report(&mut self, id: u8, change: ChangeId, key: &str, outcome: ConfigOutcome, attempt: u32) -> u32 {
        let reports = vec![ConfigReport::new(change, key.into(), outcome, attempt)];
        match self.apply(Command::ReportConfig { at_us: 9, node: node(id), reports }) {
            Outcome::ConfigReported { new } => new,
            other => panic!("{other:?}"),
        }
    }

    fn states(&self, change: ChangeId) -> Vec<&'static str> {
        self.state.config.targets[&change].values().map(|target| target.state.as_str()).collect()
    }

    fn wanted(&self, id: u8) -> Vec<(String, String)> {
        self.state.config.to_be_set(&node(id), false).into_iter().map(|value| (value.key, value.value)).collect()
    }
}

/// The state as a store would give it back.
fn restored(state: &State) -> State {
    let records = state.records().map(|(key, record)| (key, record.to_owned()));
    State::restore(state.revision, records).unwrap()
}

fn refusal(outcome: Result<impl std::fmt::Debug, ConfigRefusal>) -> String {
    match outcome {
        Err(ConfigRefusal::Refused(why)) => why,
        other => panic!("{other:?} is no refusal"),
    }
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn a_change_reaches_its_nodes_and_each_step_is_kept() {
    let mut cluster = Cluster::new();
    let change = cluster.set("log.level", "info", &[1, 2]).unwrap();
    assert_eq!((cluster.wanted(1), cluster.wanted(3)), (vec![pair("log.level", "info")], vec![]));
    assert_eq!(cluster.report(1, change, "log.level", ConfigOutcome::Applied, 1), 1);
    assert_eq!(cluster.report(1, change, "log.level", ConfigOutcome::Failed("late".into()), 1), 0, "said again");
    assert_eq!(cluster.report(2, change, "log.level", ConfigOutcome::Failed("no".into()), 1), 1);
    assert_eq!(cluster.states(change), ["applied", "failed"]);
    assert_eq!(cluster.wanted(2), vec![], "what failed is tried again by a node that starts again only");
    assert_eq!(cluster.state.config.to_be_set(&node(2), true).len(), 1);
    assert_eq!(cluster.report(2, change, "log.level", ConfigOutcome::Applied, 2), 1);
    cluster.push(1, "info", "4");
    let (from, span) = cluster.state.config.last_span(&node(1), "log.level").unwrap();
    assert_eq!((from, span.value.as_deref(), span.ended_by), (1, Some("warn"), Some(change)));
}

#[test]
fn what_cannot_be_changes_nothing() {
    let mut cluster = Cluster::new();
    let open = cluster.set("pool.size", "8", &[1]).unwrap();
    let revision = cluster.state.revision;
    cluster.push(2, "warn", "5");
    let hash = cluster.state.hash;
    for (key, value, ids, part) in [
        (
            "log.level",
            "loud",
            vec![1, 2],
            "log.level of node tikv/tikv_1 is of type enum(debug,info,warn), and \"loud\" is not",
        ),
        ("pool.size", "many", vec![3], "write a whole number"),
        ("pool.size", "9", vec![1, 2], "is in progress and sets pool.size of node tikv/tikv_1"),
        ("pool.size", "9", vec![], "no node matches"),
    ] {
        let why = refusal(cluster.set(key, value, &ids));
        assert!(why.contains(part), "{why}");
    }
    let stale = |wish| match wish {
        ConfigWish::Set { assignments, seen, .. } => {
            ConfigWish::Set { assignments, seen, canaries: None, if_revision: Some(revision), enforce: false }
        }
        other => other,
    };
    let wish = stale(cluster.wish("pool.size", "9", &[2]));
    assert!(refusal(cluster.propose("cas", wish)).contains("was changed at revision"));
    let ConfigWish::Set { assignments, .. } = cluster.wish("pool.size", "9", &[2]) else { unreachable!() };
    let moved = ConfigWish::Set { assignments, seen: 1, canaries: None, if_revision: None, enforce: false };
    assert_eq!(cluster.propose("moved", moved), Err(ConfigRefusal::Moved));
    assert!(refusal(cluster.step(999.into(), ConfigStep::Cancel)).contains("there is no change 999"));
    assert_eq!(cluster.state.hash, hash);
    assert_eq!(cluster.states(open), ["pending"]);
}

#[test]
fn a_retry_is_the_same_change_and_one_of_two_wins() {
    let mut cluster = Cluster::new();
    let wish = cluster.wish("log.level", "info", &[1]);
    let first = cluster.propose("k", wish.clone()).unwrap();
    assert_eq!(cluster.propose("k", wish).unwrap(), ConfigDone { duplicate: true, ..first });
    cluster.report(1, first.change, "log.level", ConfigOutcome::Applied, 1);
    let base = cluster.state.revision;
    let set = |cluster: &Cluster, value: &str| match cluster.wish("log.level", value, &[2]) {
        ConfigWish::Set { assignments, seen, .. } => {
            ConfigWish::Set { assignments, seen, canaries: None, if_revision: Some(base), enforce: false }
        }
        other => other,
    };
    let (a, b) = (set(&cluster, "info"), set(&cluster, "debug"));
    let winner = cluster.propose("a", a).unwrap().change;
    cluster.report(2, winner, "log.level", ConfigOutcome::Applied, 1);
    assert!(refusal(cluster.propose("b", b)).contains("was changed at revision"));
}

#[test]
fn canaries_go_first_and_the_others_when_resumed_or_never() {
    for resume in [true, false] {
        let mut cluster = Cluster::new();
        let ConfigWish::Set { assignments, seen, .. } = cluster.wish("log.level", "info", &[1, 2, 3]) else {
            unreachable!()
        };
        let wish = ConfigWish::Set { assignments, seen, canaries: Some(1), if_revision: None, enforce: false };
        let change = cluster.propose("c", wish).unwrap().change;
        assert_eq!(cluster.states(change), ["pending", "waiting", "waiting"]);
        assert_eq!((cluster.wanted(1).len(), cluster.wanted(2).len()), (1, 0));
        cluster.report(1, change, "log.level", ConfigOutcome::Applied, 1);
        if resume {
            cluster.step(change, ConfigStep::Resume).unwrap();
            assert!(cluster.step(change, ConfigStep::Resume).unwrap().duplicate);
            assert_eq!(cluster.states(change), ["applied", "pending", "pending"]);
            assert_eq!(cluster.wanted(3).len(), 1);
        } else {
            cluster.step(change, ConfigStep::Cancel).unwrap();
            cluster.step(change, ConfigStep::Cancel).unwrap();
            assert_eq!(cluster.states(change), ["applied", "cancelled", "cancelled"]);
            assert_eq!(cluster.wanted(3).len(), 0);
            assert!(refusal(cluster.step(change, ConfigStep::Resume)).contains("was cancelled"));
            assert!(cluster.set("log.level", "debug", &[2, 3]).is_ok(), "nothing is in progress any more");
        }
    }
}

#[test]
fn a_rollback_sets_what_was_and_cancels_the_rest() {
    let mut cluster = Cluster::new();
    let change = cluster.set("pool.size", "8", &[1, 2]).unwrap();
    cluster.report(1, change, "pool.size", ConfigOutcome::Applied, 1);
    cluster.push(1, "warn", "8");
    let back = cluster.propose("back", ConfigWish::Rollback { of: change }).unwrap().change;
    assert_eq!(cluster.states(change), ["applied", "cancelled"]);
    assert_eq!((cluster.wanted(1), cluster.wanted(2)), (vec![pair("pool.size", "4")], vec![]));
    cluster.report(1, back, "pool.size", ConfigOutcome::Applied, 1);
    cluster.push(1, "warn", "4");
    let later = cluster.set("pool.size", "9", &[1]).unwrap();
    cluster.report(1, later, "pool.size", ConfigOutcome::Applied, 1);
    assert!(refusal(cluster.propose("again", ConfigWish::Rollback { of: back })).contains("roll that one back first"));
}

#[test]
fn what_is_enforced_is_set_again_and_a_restart_is_noticed() {
    let mut cluster = Cluster::new();
    let ConfigWish::Set { assignments, seen, .. } = cluster.wish("pool.size", "8", &[1, 2]) else { unreachable!() };
    let wish = ConfigWish::Set { assignments, seen, canaries: None, if_revision: None, enforce: true };
    let change = cluster.propose("e", wish).unwrap().change;
    cluster.report(1, change, "pool.size", ConfigOutcome::Applied, 1);
    cluster.report(2, change, "pool.size", ConfigOutcome::NeedsRestart, 1);
    cluster.push(1, "warn", "08");
    cluster.push(2, "warn", "4");
    assert_eq!(cluster.states(change), ["applied", "needs restart"], "08 is 8");
    cluster.push(2, "warn", "8");
    cluster.push(1, "warn", "3");
    assert_eq!(cluster.states(change), ["pending", "applied"]);
    assert_eq!(cluster.wanted(1), vec![pair("pool.size", "8")]);
    assert_eq!(cluster.report(1, change, "pool.size", ConfigOutcome::Applied, 2), 1);
}

#[test]
fn a_rejected_value_is_not_wanted_any_more_and_a_removed_node_wants_nothing() {
    let mut cluster = Cluster::new();
    let change = cluster.set("log.level", "info", &[1, 2]).unwrap();
    cluster.report(1, change, "log.level", ConfigOutcome::Rejected("no".into()), 1);
    assert_eq!(cluster.state.config.desired.get(&node(1)), None);
    cluster.apply(Command::RemoveNode { at_us: 9, node: node(2) });
    assert_eq!(cluster.states(change), ["rejected", "cancelled"]);
    assert!(cluster.state.config.open.is_empty() && cluster.state.config.desired.is_empty());
}

#[test]
fn the_past_is_bounded() {
    let mut cluster = Cluster::new();
    for value in 0..2 * SPANS_PER_KEY_MAX {
        cluster.push(1, "warn", &(100 + value).to_string());
    }
    let spans = &cluster.state.config.spans[&node(1)];
    assert_eq!(spans.len(), SPANS_PER_KEY_MAX);
    let values: Vec<_> = spans.values().map(|span| span.value.clone().unwrap()).collect();
    let last = 100 + 2 * SPANS_PER_KEY_MAX - 2;
    assert_eq!(values.last(), Some(&last.to_string()));
}
