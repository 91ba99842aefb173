//! What is inside of a replica, one thing at a time: apply, columns after a push, planning, the barrier, the disk.
//!
//! `cargo bench -p unum-server` compares with the run before. What a client sees is measured by `unum bench`.

// A bench may unwrap as tests do.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use unum_client::Table;
use unum_proto::model::{DataType, NodeDescription, NodeKey, Push, Row, SqlSession, TableSnapshot, Value};
use unum_server::base::tunable::Tunable;
use unum_server::catalog::columnar::chunks;
use unum_server::catalog::{Command, StampedPush, State};
use unum_server::consensus::{ReadBarrier, RoundError, RoundSource};
use unum_server::sql::{Action, Engine, Limits, Live, QueryMemory, ReplicaRow, Request, Rows, SYSTEM_TABLES, View};
use unum_server::storage::{Batch, Durability, MemoryEngine, SledEngine, Store, Tree};

const NODES: u64 = 10_000;
const LIMITS: Limits = Limits { memory_bytes: 256 << 20, rows: 1_000_000, bytes: 256 << 20 };

#[derive(Debug)]
struct Alone;

impl Live for Alone {
    fn replicas(&self) -> Vec<ReplicaRow> {
        Vec::new()
    }

    fn queries(&self) -> Vec<Row> {
        Vec::new()
    }

    fn status(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

fn node_info(number: u64, turn: u64) -> TableSnapshot {
    let columns = [
        ("cpu", DataType::Float64, "percent busy"),
        ("memory", DataType::Float64, "percent used"),
        ("node_type", DataType::Text, "kind of node"),
        ("id", DataType::Text, "unique within the type"),
        ("version", DataType::Text, "what runs there"),
        ("uptime_s", DataType::UInt64, "seconds"),
    ];
    let id = format!("n{number:06}");
    let row: [Value; 6] =
        [(turn as f64).into(), 40.0.into(), "tikv".into(), id.as_str().into(), "8.5.0".into(), number.into()];
    Table::new("node_info", &columns).unwrap().row(row).snapshot()
}

fn push(number: u64, turn: u64) -> StampedPush {
    let node = NodeDescription::new(NodeKey::parse("tikv", &format!("n{number:06}")).unwrap());
    StampedPush::new(Push::new(node, 1, turn, vec![node_info(number, turn)]).unwrap())
}

fn full() -> State {
    let mut state = State::default();
    for first in (0..NODES).step_by(250) {
        let pushes = (first..first + 250).map(|number| push(number, 1)).collect();
        state.apply(state.revision + 1, Command::Pushes { received_at_us: 1, pushes });
    }
    state
}

fn apply(c: &mut Criterion) {
    let state = full();
    let command = Command::Pushes { received_at_us: 2, pushes: (0..64).map(|n| push(n * 150, 2)).collect() };
    let bytes = command.encode().unwrap();
    c.bench_function("encode 64 pushes", |b| b.iter(|| black_box(&command).encode().unwrap()));
    c.bench_function("decode 64 pushes", |b| b.iter(|| Command::decode(black_box(&bytes)).unwrap()));
    c.bench_function("apply 64 pushes to 10,000 nodes", |b| {
        b.iter_batched(
            || (state.clone(), command.clone()),
            |(mut state, command)| state.apply(state.revision + 1, command),
            BatchSize::SmallInput,
        );
    });
}

fn columns(c: &mut Criterion) {
    let state = full();
    let cpu = |state: &State| chunks::whole_column(state, state.tables.values().next().unwrap(), 0).unwrap();
    cpu(&state);
    let command = Command::Pushes { received_at_us: 2, pushes: (0..20).map(|n| push(n * 500, 2)).collect() };
    c.bench_function("one column of 10,000 nodes after 20 pushes", |b| {
        b.iter_batched(
            || {
                let mut state = state.clone();
                state.apply(state.revision + 1, command.clone());
                state
            },
            |state| cpu(&state),
            BatchSize::SmallInput,
        );
    });
}

fn sql(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let state = Arc::new(full());
    let session = SqlSession::default();
    let view = Arc::new(View {
        system_tables: SYSTEM_TABLES,
        state,
        own: NodeKey::parse("unum", "unum_1").unwrap(),
        live: Arc::new(Alone),
        session: session.clone(),
        user: "bench".into(),
        query_id: 1.into(),
        limits: LIMITS,
    });
    let ask = async |engine: &Engine, sql: &str| {
        let memory = QueryMemory::new(LIMITS.memory_bytes, CancellationToken::new());
        let (session, own) = (&session, "unum/unum_1");
        let request = Request { sql, parameters: &[], session, own, user: "bench", query_id: 1.into() };
        let Action::Read(read) = engine.prepare(&request).unwrap().action else { panic!("{sql} is no read") };
        let Rows::Stream(mut output) = engine.execute(&read, Arc::clone(&view), &memory).await.unwrap().rows else {
            panic!("{sql} is a lookup")
        };
        while let Some(batch) = output.next().await.unwrap() {
            black_box(batch);
        }
    };
    let works = [
        ("point select", "SELECT * FROM cluster_node_infos WHERE id = 'n000123'"),
        ("group by", "SELECT node_type, count(*), avg(cpu) FROM cluster_node_infos GROUP BY node_type"),
    ];
    for (work, sql) in works {
        c.bench_function(&format!("{work}, 10,000 nodes, plan cold"), |b| {
            b.iter_batched(
                || Engine::new(Tunable::new(LIMITS)),
                |engine| runtime.block_on(ask(&engine, sql)),
                BatchSize::SmallInput,
            );
        });
        let engine = Engine::new(Tunable::new(LIMITS));
        runtime.block_on(ask(&engine, sql));
        c.bench_function(&format!("{work}, 10,000 nodes, plan cached"), |b| {
            b.iter(|| runtime.block_on(ask(&engine, sql)));
        });
    }
}

/// A leader that answers at once: what is left is the barrier itself.
struct Prompt;

impl RoundSource for Prompt {
    async fn round(&mut self, _: u64) -> Result<u64, RoundError> {
        tokio::task::yield_now().await;
        Ok(1)
    }
}

fn barrier(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let (barrier, run) = ReadBarrier::new(1.into(), Prompt);
    runtime.spawn(run);
    let far = || Instant::now() + Duration::from_secs(10);
    c.bench_function("barrier, one query", |b| {
        b.iter(|| runtime.block_on(barrier.read_index(far())).unwrap());
    });
}

fn storage(c: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let stores = [
        ("sled", Store::start(Arc::new(SledEngine::open(dir.path()).unwrap())).unwrap()),
        ("memory", Store::start(Arc::new(MemoryEngine::default())).unwrap()),
    ];
    for (name, store) in stores {
        let mut number = 0_u64;
        c.bench_function(&format!("64 KiB in one synced batch, {name}"), |b| {
            b.iter(|| {
                let mut batch = Batch::default();
                for part in 0..64_u64 {
                    number += 1;
                    // Round and round: the log of a replica is purged, too.
                    batch.put((number % 4096 + part).to_be_bytes().to_vec(), vec![number as u8; 1024]);
                }
                runtime.block_on(store.write_synced(Tree::Log, batch, Durability::Synced)).unwrap();
            });
        });
    }
}

criterion_group!(benches, apply, columns, sql, barrier, storage);
criterion_main!(benches);
