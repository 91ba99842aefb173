//! The state of the fixture at one replica, without a cluster.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};
use unum_client::Table;
use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, Row, SqlSession, Value};
use unum_server::base::tunable::Tunable;
use unum_server::catalog::{Command, NodeStatus, Silence, StampedPush, State};
use unum_server::sql::{Caller, Engine, Error, Limits, Live, QueryMemory, ReplicaRow, Statement, View};

use super::harness;

/// As generous as the server's own.
pub const LIMITS: Limits = Limits { memory_bytes: 256 << 20, rows: 1_000_000, bytes: 256 << 20 };

#[derive(Debug)]
struct OneReplica;

impl Live for OneReplica {
    fn replicas(&self) -> Vec<ReplicaRow> {
        let replica = |id, role| ReplicaRow {
            id,
            addr: format!("127.0.0.1:{id}"),
            role,
            term: 3,
            last_log: Some(4),
            applied: Some(4),
            lag: Some(0),
            state_hash: Some(0xfeed),
        };
        vec![replica(1, "leader"), replica(2, "follower"), replica(3, "follower")]
    }

    fn queries(&self) -> Vec<Row> {
        vec![vec![Value::Null; 17]]
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        vec![("Queries", "1".into())]
    }
}

/// A session on the state of the fixture.
pub struct Fixture {
    state: Arc<State>,
    engine: Engine,
    session: SqlSession,
    /// Statements that were looked up.
    pub lookups: usize,
}

impl Fixture {
    pub fn new(limits: Limits) -> Self {
        let mut nodes = harness::nodes();
        // The answering replica is a node, too.
        let mut own = nodes.iter().find(|(node, _)| node.key.id.as_str() == "tikv_1").unwrap().clone();
        own.0.key = NodeKey::parse("unum", "unum_1").unwrap();
        own.1.retain(|table| table.schema.name.as_str() == "node_info");
        let position = |name: &str| own.1[0].schema.position(name).unwrap();
        let (node_type, id) = (position("node_type"), position("id"));
        (own.1[0].rows[0][node_type], own.1[0].rows[0][id]) = ("unum".into(), "unum_1".into());
        nodes.push(own);
        let push = |(node, tables)| StampedPush::new(Push::new(node, EPOCH, 1, tables).unwrap());
        let pushes = nodes.into_iter().map(push).collect();
        let mut state = State::default();
        state.apply(4, Command::Pushes { received_at_us: EPOCH as i64 + 100_000_000, pushes });
        let engine = Engine::new(Tunable::new(limits));
        Self { state: Arc::new(state), engine, session: SqlSession::default(), lookups: 0 }
    }

    /// A node falls silent.
    pub fn silence(&mut self, node_type: &str, id: &str) {
        let node = NodeKey::parse(node_type, id).unwrap();
        let silences = vec![Silence { node, epoch: EPOCH, sequence: 1, status: NodeStatus::Down }];
        let mut state = State::clone(&self.state);
        state.apply(5, Command::Silences { at_us: EPOCH as i64 + 200_000_000, silences });
        self.state = Arc::new(state);
    }

    /// A node that is new has a column more in a table.
    pub fn grow(&mut self, table: &str, column: &str) {
        let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_new").unwrap());
        let rows = Table::new(table, &[(column, DataType::Int64, "")]).unwrap().row([1i64.into()]).snapshot();
        let push = StampedPush::new(Push::new(node, EPOCH, 1, vec![rows]).unwrap());
        let mut state = State::clone(&self.state);
        state.apply(6, Command::Pushes { received_at_us: EPOCH as i64 + 300_000_000, pushes: vec![push] });
        self.state = Arc::new(state);
    }

    /// The answer of one statement; none for one that has no rows. What is answered by a new plan is asked again: the plan
    /// that was kept must answer the same.
    pub async fn answer(&mut self, sql: &str) -> Result<Option<Answer>, Error> {
        let first = self.answer_once(sql).await?;
        let Some((answer, false)) = first else { return Ok(first.map(|(answer, _)| answer)) };
        if let Some((again, true)) = self.answer_once(sql).await? {
            let is_random = ["rand", "uuid"].iter().any(|name| sql.to_lowercase().contains(name));
            assert!(
                is_random || again.lines() == answer.lines(),
                "{sql}: {:?}, not {:?}",
                again.lines(),
                answer.lines()
            );
            assert_eq!(again.nodes, answer.nodes, "{sql}");
            assert_eq!(again.batches[0].schema(), answer.batches[0].schema(), "{sql}");
        }
        Ok(Some(answer))
    }

    /// The answer, and whether its plan was there before. What can be looked up is: it must be the same.
    pub async fn answer_once(&mut self, sql: &str) -> Result<Option<(Answer, bool)>, Error> {
        let caller = Caller { session: &self.session, own: "unum/unum_1", user: "tester", query_id: 7 };
        let limits = self.engine.limits(&self.session);
        let view = Arc::new(View {
            state: Arc::clone(&self.state),
            own: NodeKey::parse("unum", "unum_1").unwrap(),
            live: Arc::new(OneReplica),
            session: self.session.clone(),
            user: "tester".into(),
            query_id: 7,
            limits,
        });
        let memory = &QueryMemory::new(limits.memory_bytes);
        let known = self.engine.planned(sql, &self.session);
        let found = known.map(|planned| self.engine.look_up(&view, &planned)).transpose()?.flatten();
        let (mut output, planned) = match self.engine.parse(sql, &caller)? {
            Statement::Read(read) => (self.engine.start(view, *read, memory).await?, false),
            Statement::Planned(planned) => (self.engine.run(view, *planned, memory).await?, true),
            Statement::Session(session) => {
                self.session = session;
                return Ok(None);
            }
            Statement::Kill { query } => {
                let what = format!("there is no running query {query}; SELECT id FROM cluster_processlist lists them");
                return Err(Error::Invalid(what));
            }
            Statement::Configure(configure) => {
                return Err(Error::Invalid(format!("{} wants a group; chaos-tests have one", configure.shown)));
            }
        };
        let mut batches = Vec::new();
        while let Some(batch) = output.next().await? {
            batches.push(batch);
        }
        self.session.warnings.clone_from(&output.warnings);
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(Arc::clone(&output.schema)));
        }
        let answer = Answer { batches, nodes: output.nodes };
        if let Some(found) = found {
            self.lookups += 1;
            assert!(found.batches.iter().all(|batch| batch.schema() == output.schema), "{sql}");
            assert_eq!((found.nodes, &found.warnings), (answer.nodes, &output.warnings), "{sql}");
            let found = Answer { batches: found.batches, nodes: found.nodes };
            assert_eq!(found.lines(), answer.lines(), "{sql}, looked up");
        }
        Ok(Some((answer, planned)))
    }
}

/// What a statement is answered with.
pub struct Answer {
    /// Its rows, in one batch at least.
    pub batches: Vec<RecordBatch>,
    /// Nodes that are up, of how many.
    pub nodes: (u32, u32),
}

impl Answer {
    /// Its rows as text, in the order in which they came.
    pub fn lines(&self) -> String {
        let mut csv = Vec::new();
        let mut writer = arrow::csv::WriterBuilder::new().with_header(false).build(&mut csv);
        self.batches.iter().for_each(|batch| writer.write(batch).unwrap());
        drop(writer);
        String::from_utf8(csv).unwrap()
    }
}

/// The epoch of all nodes, microseconds.
const EPOCH: u64 = 1_700_000_000_000_000;

#[async_trait]
impl AsyncDB for Fixture {
    type Error = Error;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        Ok(match self.answer(sql).await? {
            Some(answer) => harness::output(&answer.batches[0].schema(), &answer.batches),
            None => DBOutput::StatementComplete(0),
        })
    }

    async fn shutdown(&mut self) {}
}
