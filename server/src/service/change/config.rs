//! A change of the nodes' configuration: from a statement to one command.
//!
//! The nodes are found at one revision and the command names them, with the version of the configuration that it was
//! found at: if that has moved at the commit, they are found again. What would be refused is refused before anything is
//! written, on a draft of the state; that draft is also what DRY RUN shows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use tokio::time::Instant;
use unum_proto::model::secrets::{is_secret, is_secret_value};
use unum_proto::model::{ChangeId, NodeKey};

use super::{Attempt, Author, PAUSE, TRIES_MAX};
use crate::base::clock;
use crate::catalog::config::{
    Assignment, ConfigDone, ConfigProposal, ConfigRefusal, ConfigStep, ConfigWish, TargetState, config_row, config_rows,
};
use crate::catalog::{NodeStatus, Proposal, State};
use crate::service::query::Error;
use crate::sql::configure::{Chosen, Configure, What, settings_read};
use crate::sql::{Read, instance, nearest};

const MOVES: &str = "the configuration of nodes changes too often to find its nodes";

/// A change that was made, or would be.
pub struct Made {
    /// The state to read it from.
    pub state: Arc<State>,
    /// The revision of the answer.
    pub revision: u64,
    /// Its id; in a draft the one that it would have.
    pub change: ChangeId,
    /// What its author should know.
    pub warnings: Vec<String>,
}

fn refused(why: String) -> Error {
    Error::ChangeRefused(why)
}

type ConfigCommand = Proposal<Result<ConfigDone, ConfigRefusal>>;

/// Who can read a state: an UPDATE names its settings by a condition.
pub trait ReadState: Sync {
    /// All rows of a read.
    fn read_all(&self, state: Arc<State>, read: Read) -> impl Future<Output = Result<Vec<RecordBatch>, Error>> + Send;
}

/// Makes the change of a statement, exactly once for its change key.
pub async fn make(author: &Author<'_>, configure: &Configure, reader: &impl ReadState) -> Result<Made, Error> {
    attempts(author, configure, reader).await.map_err(|error| author.tries.told(error))
}

async fn attempts(author: &Author<'_>, configure: &Configure, reader: &impl ReadState) -> Result<Made, Error> {
    let group = author.group;
    let change_key = author.change_key(configure.options.change_key.as_deref());
    let mut last = String::from("nothing was tried");
    for _ in 0..TRIES_MAX {
        let state = group.read_barrier(author.deadline).await?;
        if let Some(change) = state.config.by_change_key.get(&change_key) {
            // An earlier attempt whose answer was lost.
            let warnings = vec![format!("change {change} was made by an earlier attempt with this change key")];
            return Ok(Made { revision: state.revision, change: *change, state, warnings });
        }
        let (proposal, warnings) = proposal(author, configure, &change_key, &state, reader).await?;
        let (draft, drafted) = state.draft(&proposal);
        let drafted = match drafted {
            Ok(done) => done,
            Err(ConfigRefusal::Refused(why)) => return Err(refused(why)),
            // What was found is not there any more.
            Err(ConfigRefusal::Moved) => {
                MOVES.clone_into(&mut last);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        if configure.options.dry_run {
            let revision = state.revision;
            return Ok(Made { state: Arc::new(draft), revision, change: drafted.change, warnings });
        }
        match author.propose(&proposal).await? {
            Attempt::Made(ConfigDone { change, .. }) => {
                let state = group.read_barrier(author.deadline).await?;
                return Ok(Made { revision: state.revision, state, change, warnings });
            }
            Attempt::Refused(ConfigRefusal::Refused(why)) => return Err(refused(why)),
            Attempt::Refused(ConfigRefusal::Moved) => MOVES.clone_into(&mut last),
            Attempt::Unknown(why) => last = why,
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(Error::ChangeUnknown(last))
}

/// Waits until no node of a change is pending any more, or the time is over; what was made is told from the state then.
pub async fn wait_for_nodes(author: &Author<'_>, made: &mut Made, until: Instant) {
    while is_pending(&made.state, made.change) {
        match author.group.wait_for_revision(made.state.revision + 1, until).await {
            Ok(newer) => made.state = newer,
            Err(_) => break,
        }
    }
    made.revision = made.state.revision;
}

fn is_pending(state: &State, change: ChangeId) -> bool {
    let targets = state.config.targets.get(&change).into_iter().flatten();
    targets.into_iter().any(|(_, target)| target.state == TargetState::Pending)
}

/// What makes the change at this state.
async fn proposal(
    author: &Author<'_>,
    configure: &Configure,
    change_key: &str,
    state: &Arc<State>,
    reader: &impl ReadState,
) -> Result<(ConfigCommand, Vec<String>), Error> {
    let at_us = clock::now_us();
    let step = |change, step| Ok((Proposal::step_config(at_us, change, step), Vec::new()));
    let (wish, warnings) = match &configure.what {
        What::Resume(change) => return step(*change, ConfigStep::Resume),
        What::Cancel(change) => return step(*change, ConfigStep::Cancel),
        What::Rollback(of) => (ConfigWish::Rollback { of: *of }, Vec::new()),
        What::Set { chosen, assignments } => {
            let (assignments, warnings) = chosen_assignments(state, chosen, assignments)?;
            (set(configure, assignments, state), warnings)
        }
        What::Update { condition, value } => {
            let read = Read::from(settings_read(condition.as_deref())?);
            let assignments = settings_by_key(reader.read_all(Arc::clone(state), read).await?, value)?;
            (set(configure, assignments, state), Vec::new())
        }
    };
    let secret = |assignment: &Assignment| {
        let marked = |node: &NodeKey| config_row(state, node, &assignment.key).is_some_and(|row| row.secret);
        is_secret(&assignment.key) || is_secret_value(&assignment.value) || assignment.nodes.iter().any(marked)
    };
    let has_secret = matches!(&wish, ConfigWish::Set { assignments, .. } if assignments.iter().any(secret));
    let statement = if has_secret { configure.masked.clone() } else { configure.shown.clone() };
    let proposal = ConfigProposal {
        change_key: change_key.to_owned(),
        who: author.query.user.clone(),
        host: author.host.to_owned(),
        statement,
        wish,
    };
    Ok((Proposal::propose_config(at_us, proposal), warnings))
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

/// The settings of these rows (node type, node id and key), by key.
fn settings_by_key(rows: Vec<RecordBatch>, value: &str) -> Result<Vec<Assignment>, Error> {
    let mut by_key: BTreeMap<String, BTreeSet<NodeKey>> = BTreeMap::new();
    for batch in rows {
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
