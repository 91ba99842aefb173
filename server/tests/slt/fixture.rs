//! The state of the fixture at one replica, without a cluster.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType};
use tokio_util::sync::CancellationToken;
use unum_client::Table;
use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, Row, SqlSession, Value};
use unum_server::base::tunable::Tunable;
use unum_server::catalog::{Command, NodeStatus, Silence, StampedPush, State};
use unum_server::service::published::conformed;
use unum_server::sql::{
    Action, Command as SqlCommand, Digest, Engine, Error, Limits, Live, QueryMemory, ReplicaRow, Request, Rows,
    SYSTEM_TABLES, View,
};

use super::harness;

/// As generous as the server's own.
pub const LIMITS: Limits = Limits { memory_bytes: 256 << 20, rows: 1_000_000, bytes: 256 << 20 };

#[derive(Debug)]
struct OneReplica;

impl Live for OneReplica {
    fn replicas(&self) -> Vec<ReplicaRow> {
        let replica = |id: u64, role| ReplicaRow {
            id: id.into(),
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
        let push = |(node, tables)| StampedPush::new(conformed(Push::new(node, EPOCH, 1, tables).unwrap()));
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
        self.answer_with(sql, &[]).await
    }

    /// The same with values for its parameters.
    pub async fn answer_with(&mut self, sql: &str, parameters: &[Value]) -> Result<Option<Answer>, Error> {
        let Some(answer) = self.answer_once(sql, parameters).await? else { return Ok(None) };
        if !answer.was_kept
            && let Some(again) = self.answer_once(sql, parameters).await?
            && again.was_kept
        {
            let is_random = ["rand", "uuid"].iter().any(|name| sql.to_lowercase().contains(name));
            assert!(
                is_random || again.lines() == answer.lines(),
                "{sql}: {:?}, not {:?}",
                again.lines(),
                answer.lines()
            );
            assert_eq!(again.nodes, answer.nodes, "{sql}");
            assert_eq!(again.digest, answer.digest, "{sql}");
            assert_eq!(again.batches[0].schema(), answer.batches[0].schema(), "{sql}");
        }
        Ok(Some(answer))
    }

    /// The answer, prepared and executed once. What can be looked up is: it must be the same.
    pub async fn answer_once(&mut self, sql: &str, parameters: &[Value]) -> Result<Option<Answer>, Error> {
        let own = "unum/unum_1";
        let request = Request { sql, parameters, session: &self.session, own, user: "tester", query_id: 7.into() };
        let was_kept = self.engine.kept(sql, parameters, &self.session).is_some();
        let prepared = self.engine.prepare(&request)?;
        let digest = prepared.digest;
        let read = match prepared.action {
            Action::Read(read) => read,
            Action::Command(SqlCommand::SetSession(session)) => {
                self.session = session;
                return Ok(None);
            }
            Action::Command(SqlCommand::Kill { query }) => {
                let what = format!("there is no running query {query}; SELECT id FROM cluster_processlist lists them");
                return Err(Error::Invalid(what));
            }
            Action::Command(SqlCommand::Change { change, .. }) => {
                return Err(Error::Invalid(format!("{change:?} wants a group; chaos-tests have one")));
            }
            Action::Command(SqlCommand::Configure(configure)) => {
                return Err(Error::Invalid(format!("{} wants a group; chaos-tests have one", configure.shown)));
            }
        };
        let limits = self.engine.limits(&self.session);
        let view = Arc::new(View {
            system_tables: SYSTEM_TABLES,
            state: Arc::clone(&self.state),
            own: NodeKey::parse("unum", "unum_1").unwrap(),
            live: Arc::new(OneReplica),
            session: self.session.clone(),
            user: "tester".into(),
            query_id: 7.into(),
            limits,
        });
        let looked_up = self.engine.look_up(&read, &view)?;
        let memory = &QueryMemory::new(limits.memory_bytes, CancellationToken::new());
        let execution = self.engine.execute(&read, view, memory).await?;
        let Rows::Stream(mut rows) = execution.rows else { panic!("{sql}: the rows of a plan are a stream") };
        let (head, mut batches) = (execution.head, Vec::new());
        while let Some(batch) = rows.next().await? {
            batches.push(batch);
        }
        self.session.warnings.clone_from(&head.coverage.warnings);
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(Arc::clone(&head.schema)));
        }
        let nodes = (head.coverage.nodes_up, head.coverage.nodes_total);
        let answer = Answer { batches, nodes, was_kept, digest };
        if let Some(found) = looked_up {
            self.lookups += 1;
            assert_eq!((&found.head.schema, &found.head.coverage), (&head.schema, &head.coverage), "{sql}");
            let Rows::Ready(batches) = found.rows else { panic!("{sql}: the rows of a lookup are there") };
            assert_eq!(Answer { batches, ..answer.clone() }.lines(), answer.lines(), "{sql}, looked up");
        }
        Ok(Some(answer))
    }
}

/// What a statement is answered with.
#[derive(Clone)]
pub struct Answer {
    /// Its rows, in one batch at least.
    pub batches: Vec<RecordBatch>,
    /// Nodes that are up, of how many.
    pub nodes: (u32, u32),
    /// Whether its plan was there before.
    pub was_kept: bool,
    /// What the statement has in common with others.
    pub digest: Arc<Digest>,
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
