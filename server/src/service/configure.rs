//! A change of the nodes' configuration: from a statement to one command.
//!
//! The nodes are found at one revision and the command names them, with the version of the configuration that it was
//! found at: if that has moved at the commit, they are found again. What would be refused is refused before anything is
//! written, on a draft of the state; that draft is also what DRY RUN shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::AsArray;
use tokio::sync::watch;
use tokio::time::Instant;
use unum_proto::model::config::is_secret;
use unum_proto::model::{ConfigReports, DesiredValue, NodeKey};

use super::activity::Running;
use super::query::{Error, Reading, Run};
use crate::base::clock;
use crate::catalog::config::{
    Assignment, ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep, ConfigWish, TargetState, config_row, config_rows,
};
use crate::catalog::{Command, NodeStatus, Outcome, State};
use crate::consensus::{Group, ProposeError};
use crate::sql::configure::{Chosen, Configure, What};
use crate::sql::{self, instance, nearest};

/// How often the nodes are found again when the configuration moves meanwhile.
const TRIES_MAX: u32 = 20;

const MOVES: &str = "the configuration of nodes changes too often to find its nodes";

/// Between two tries while nobody leads, or the configuration moves.
const PAUSE: Duration = Duration::from_millis(50);

/// What is left of a statement's time for its answer when it has waited for the nodes.
const ANSWER_TIME: Duration = Duration::from_millis(200);

/// A change that was made, or would be.
pub struct Changed {
    /// The state to read it from.
    pub state: Arc<State>,
    /// The revision of the answer.
    pub revision: u64,
    /// Its id; in a draft the one that it would have.
    pub change: u64,
    /// What its author should know.
    pub warnings: Vec<String>,
}

fn refused(why: String) -> Error {
    Error::Sql(sql::Error::Invalid(why))
}

/// Makes the change of a statement, exactly once for its change key.
pub(super) async fn make(run: &Run, configure: &Configure, running: &Arc<Running>) -> Result<Changed, Error> {
    let group = &run.service.group;
    let wait_until = wait_until(run, configure)?;
    let change_key = change_key(run, configure, running);
    let mut last = String::from("nothing was tried");
    for _ in 0..TRIES_MAX {
        let state = group.read_barrier(run.deadline).await?;
        if let Some(change) = state.config.by_change_key.get(&change_key) {
            // An earlier attempt whose answer was lost.
            let warnings = vec![format!("change {change} was made by an earlier attempt with this change key")];
            return made(group, run, *change, wait_until, warnings).await;
        }
        let (command, warnings) = command(run, configure, &change_key, &state, running).await?;
        let mut draft = State::clone(&state);
        let drafted = match draft.apply(state.revision + 1, command.clone()).outcome {
            Outcome::Config(Ok(done)) => done,
            Outcome::Config(Err(ConfigRefusal::Refused(why))) => return Err(refused(why)),
            // What was found is not there any more.
            Outcome::Config(Err(ConfigRefusal::Moved)) => {
                MOVES.clone_into(&mut last);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            other => return Err(refused(format!("the change cannot be: {other:?}"))),
        };
        if configure.options.dry_run {
            let revision = state.revision;
            return Ok(Changed { state: Arc::new(draft), revision, change: drafted.change, warnings });
        }
        let proposed = tokio::time::timeout_at(run.deadline, group.propose_anywhere(&command)).await;
        match proposed {
            Ok(Ok(Outcome::Config(Ok(ConfigDone { change, .. })))) => {
                return made(group, run, change, wait_until, warnings).await;
            }
            Ok(Ok(Outcome::Config(Err(ConfigRefusal::Refused(why))))) => return Err(refused(why)),
            Ok(Ok(Outcome::Config(Err(ConfigRefusal::Moved)))) => {
                MOVES.clone_into(&mut last);
            }
            Ok(Ok(other)) => return Err(refused(format!("{other:?} is no outcome of a change"))),
            Ok(Err(ProposeError::Refused(why))) => return Err(refused(why)),
            // Whatever came of it: the next try finds it by its change key.
            Ok(Err(error)) => last = error.to_string(),
            Err(_) => return Err(Error::ChangeUnknown("the time is over".into())),
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::ChangeUnknown(last))
}

fn wait_until(run: &Run, configure: &Configure) -> Result<Option<Instant>, Error> {
    let Some(wait) = configure.options.wait else { return Ok(None) };
    match wait <= run.query.timeout {
        true => Ok(Some((Instant::now() + wait).min(run.deadline - ANSWER_TIME))),
        false => Err(refused(format!(
            "WAIT {} is longer than the statement may take, which is {} ms; give it more time (--timeout)",
            humantime::format_duration(wait),
            run.query.timeout.as_millis(),
        ))),
    }
}

/// The statement's own, or the client's, or else one that no other statement has.
fn change_key(run: &Run, configure: &Configure, running: &Running) -> String {
    match (&configure.options.change_key, run.query.change_key.as_str()) {
        (Some(key), _) => key.clone(),
        (None, "") => format!("query {} at {}", running.id, clock::now_us()),
        (None, key) => key.to_owned(),
    }
}

async fn made(
    group: &Group,
    run: &Run,
    change: u64,
    wait_until: Option<Instant>,
    warnings: Vec<String>,
) -> Result<Changed, Error> {
    let mut state = group.read_barrier(run.deadline).await?;
    run.begun().await?;
    while let Some(until) = wait_until
        && is_pending(&state, change)
    {
        match group.wait_for_revision(state.revision + 1, until).await {
            Ok(newer) => state = newer,
            Err(_) => break,
        }
    }
    Ok(Changed { revision: state.revision, state, change, warnings })
}

fn is_pending(state: &State, change: u64) -> bool {
    let targets = state.config.targets.get(&change).into_iter().flatten();
    targets.into_iter().any(|(_, target)| target.state == TargetState::Pending)
}

/// The command that makes the change at this state.
async fn command(
    run: &Run,
    configure: &Configure,
    change_key: &str,
    state: &Arc<State>,
    running: &Arc<Running>,
) -> Result<(Command, Vec<String>), Error> {
    let at_us = clock::now_us();
    let step = |change, step| Ok((Command::StepConfig { at_us, change, step }, Vec::new()));
    let (wish, warnings) = match &configure.what {
        What::Resume(change) => return step(*change, ConfigStep::Resume),
        What::Cancel(change) => return step(*change, ConfigStep::Cancel),
        What::Rollback(of) => (ConfigWish::Rollback { of: *of }, Vec::new()),
        What::Set { chosen, assignments } => {
            let (assignments, warnings) = chosen_assignments(state, chosen, assignments)?;
            (set(configure, assignments, state), warnings)
        }
        What::Update { condition, value } => {
            let read = sql::configure::settings_read(condition.as_deref())?;
            let assignments = found_assignments(run, read, value, state, running).await?;
            (set(configure, assignments, state), Vec::new())
        }
    };
    let secret = |assignment: &Assignment| {
        let marked = |node: &NodeKey| config_row(state, node, &assignment.key).is_some_and(|row| row.secret);
        is_secret(&assignment.key) || assignment.nodes.iter().any(marked)
    };
    let has_secret = matches!(&wish, ConfigWish::Set { assignments, .. } if assignments.iter().any(secret));
    let statement = if has_secret { configure.masked.clone() } else { configure.shown.clone() };
    let proposal = ConfigProposal {
        change_key: change_key.to_owned(),
        who: run.query.user.clone(),
        host: run.host.clone(),
        statement,
        wish,
    };
    Ok((Command::ProposeConfig { at_us, proposal }, warnings))
}

fn set(configure: &Configure, assignments: Vec<Assignment>, state: &State) -> ConfigWish {
    let options = &configure.options;
    let nodes: BTreeSet<&NodeKey> = assignments.iter().flat_map(|assignment| &assignment.nodes).collect();
    ConfigWish::Set {
        canaries: options.canary.map(|canary| canary.of(nodes.len())),
        if_revision: options.if_revision,
        enforce: options.enforce,
        seen: state.config.version,
        assignments,
    }
}

/// The nodes that SET CONFIG chooses, by key: those of them that have it.
fn chosen_assignments(
    state: &State,
    chosen: &Chosen,
    wanted: &[(String, String)],
) -> Result<(Vec<Assignment>, Vec<String>), Error> {
    let nodes = chosen_nodes(state, chosen)?;
    let mut warnings = Vec::new();
    let mut assignments = Vec::with_capacity(wanted.len());
    for (key, value) in wanted {
        let has = |node: &&NodeKey| config_row(state, node, key).is_some();
        let with_key: Vec<NodeKey> = nodes.iter().copied().filter(has).cloned().collect();
        if with_key.is_empty() {
            return Err(refused(no_key(state, &nodes, chosen, key)));
        }
        if with_key.len() < nodes.len() && *chosen != Chosen::All {
            let without = nodes.len() - with_key.len();
            warnings.push(format!("{without} of the {} nodes have no key {key}; they are left out", nodes.len()));
        }
        assignments.push(Assignment { key: key.clone(), value: value.clone(), nodes: with_key });
    }
    Ok((assignments, warnings))
}

fn chosen_nodes<'a>(state: &'a State, chosen: &Chosen) -> Result<Vec<&'a NodeKey>, Error> {
    let known = || state.nodes.iter().filter(|(_, node)| node.status != NodeStatus::Removed);
    let is_chosen = |key: &NodeKey, node: &crate::catalog::Node| match chosen {
        Chosen::All => true,
        Chosen::Type(name) => key.node_type.as_str() == name,
        Chosen::Node(name) => key.id.as_str() == name || key.to_string() == *name || instance(node) == name,
    };
    let nodes: Vec<&NodeKey> = known().filter(|(key, node)| is_chosen(key, node)).map(|(key, _)| key).collect();
    if !nodes.is_empty() {
        return Ok(nodes);
    }
    let (what, name, names): (_, _, BTreeSet<&str>) = match chosen {
        Chosen::All => return Err(refused("there is no node yet; SELECT * FROM nodes".into())),
        Chosen::Type(name) => ("node of type", name, known().map(|(key, _)| key.node_type.as_str()).collect()),
        Chosen::Node(name) => ("node", name, known().map(|(key, _)| key.id.as_str()).collect()),
    };
    let remedy = match nearest(name, names) {
        Some(near) => format!("did you mean {near}?"),
        None => "SELECT node_type, id FROM nodes shows all".to_owned(),
    };
    Err(refused(format!("there is no {what} {name}; {remedy}")))
}

fn no_key(state: &State, nodes: &[&NodeKey], chosen: &Chosen, key: &str) -> String {
    let known: BTreeMap<&str, ()> = nodes
        .iter()
        .flat_map(|node| config_rows(state, node).unwrap_or_default().into_keys().map(|key| (key, ())))
        .collect();
    let of = match chosen {
        Chosen::All => "any node".to_owned(),
        Chosen::Type(name) => format!("nodes of type {name}"),
        Chosen::Node(name) => format!("node {name}"),
    };
    let remedy = match (nearest(key, known.keys().copied()), known.is_empty()) {
        (_, true) => "it publishes no configuration".to_owned(),
        (Some(near), false) => format!("did you mean {near}?"),
        (None, false) => "SHOW CONFIG lists what there is".to_owned(),
    };
    format!("there is no config key {key} of {of}; {remedy}")
}

/// The settings that an UPDATE's condition is true of, by key.
async fn found_assignments(
    run: &Run,
    read: sql::Read,
    value: &str,
    state: &Arc<State>,
    running: &Arc<Running>,
) -> Result<Vec<Assignment>, Error> {
    let mut by_key: BTreeMap<String, BTreeSet<NodeKey>> = BTreeMap::new();
    let mut output = run.start(Arc::clone(state), Reading::New(Box::new(read)), running).await?;
    while let Some(batch) = run.next(&mut output, running).await? {
        let text = |column: usize, row: usize| batch.column(column).as_string::<i32>().value(row);
        for row in 0..batch.num_rows() {
            let node = NodeKey::parse(text(0, row), text(1, row)).map_err(|e| refused(e.to_string()))?;
            by_key.entry(text(2, row).to_owned()).or_default().insert(node);
        }
    }
    let assignment = |(key, nodes): (String, BTreeSet<NodeKey>)| Assignment {
        key,
        value: value.to_owned(),
        nodes: nodes.into_iter().collect(),
    };
    Ok(by_key.into_iter().map(assignment).collect())
}

/// What nodes hear and say of their configuration, at one replica.
#[derive(Debug, Clone)]
pub struct ConfigService {
    group: Group,
}

impl ConfigService {
    /// The service of a replica.
    pub fn new(group: Group) -> Self {
        Self { group }
    }

    /// The next thing that a node is to hear after what it heard at `heard`; at first all of it. It may be late, and is
    /// never lost: what is not decided is told again.
    pub async fn next(&self, node: &NodeKey, heard: &mut Heard) -> (u64, Vec<DesiredValue>) {
        let first = heard.news.is_none();
        let news = heard.news.get_or_insert_with(|| self.group.config_news());
        loop {
            // Before the state is read: what comes after is news.
            news.mark_unchanged();
            let state = self.group.state_reader().newest();
            let values = state.to_be_set(node, first);
            if first || values != heard.values {
                heard.values.clone_from(&values);
                return (state.revision, values);
            }
            if news.changed().await.is_err() {
                // The replica stops, and this stream with it.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Takes what a node says to the log.
    pub async fn report(&self, reports: ConfigReports) -> Result<(), ProposeError> {
        let ConfigReports { node, reports } = reports;
        let command = Command::ReportConfig { at_us: clock::now_us(), node, reports };
        self.group.propose_anywhere(&command).await.map(drop)
    }
}

/// What a node has heard.
#[derive(Debug, Default)]
pub struct Heard {
    news: Option<watch::Receiver<u64>>,
    values: Vec<DesiredValue>,
}
