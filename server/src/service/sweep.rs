//! Tables that no node has rows in, and columns without a value, go after a time: the leader looks for them.
//!
//! What it sees is a proposal: whether it still is so when that is applied, and for how long, the catalog knows. What Unum
//! publishes itself stays: its schema is in the code.

use std::sync::Arc;
use std::time::Duration;

use unum_proto::model::{ColumnName, TableName};

use super::published;
use crate::base::clock;
use crate::base::disk::DiskSpace;
use crate::base::tunable::Tunable;
use crate::catalog::{Place, Proposal, State, Table};
use crate::consensus::Group;

/// What is looked for. More waits for the next look.
const PLACES_MAX: usize = 256;

/// Between two looks, at most and at least.
const LOOK_MAX: Duration = Duration::from_secs(3_600);
const LOOK_MIN: Duration = Duration::from_millis(200);

/// In the time that something is kept there are so many looks: it goes this part of it late.
const LOOKS: u32 = 10;

/// How long one proposal may take.
const PROPOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs as long as the replica; works while it leads. What is unused is kept for that time; for ever, if that is 0.
pub async fn run(group: Group, disk: DiskSpace, kept: Tunable<Duration>) {
    loop {
        // A setting that is changed meanwhile is heard within the shortest look.
        let keep = kept.get();
        let pause = if keep.is_zero() { LOOK_MAX } else { (keep / LOOKS).clamp(LOOK_MIN, LOOK_MAX) };
        let until = tokio::time::Instant::now() + pause;
        while tokio::time::Instant::now() < until && kept.get() == keep {
            tokio::time::sleep(LOOK_MIN.min(pause)).await;
        }
        if kept.get() != keep || keep.is_zero() || !group.leads_with_majority() || disk.exhausted().is_some() {
            continue;
        }
        let now_us = clock::now_us();
        let before_us = now_us.saturating_sub(i64::try_from(keep.as_micros()).unwrap_or(i64::MAX));
        let state = group.state_reader().newest();
        // It reads all values of columns that may have none.
        let looked = tokio::task::spawn_blocking(move || places(&state, before_us)).await;
        let places = match looked {
            Ok(places) if !places.is_empty() => places,
            _ => continue,
        };
        let proposal = Proposal::sweep(now_us, before_us, places);
        match tokio::time::timeout(PROPOSE_TIMEOUT, group.propose(&proposal)).await {
            Ok(Ok(0)) => {}
            Ok(Ok(gone)) => tracing::info!(gone, ?keep, "tables and columns that were unused for long are gone"),
            Ok(Err(error)) => tracing::debug!(%error, "what is unused was not taken down"),
            Err(_) => tracing::debug!("what is unused was not taken down in time"),
        }
    }
}

/// Where a sweep would change something: what is unused and was not known to be, or for long; what was, and is not any more.
fn places(state: &State, before_us: i64) -> Vec<Place> {
    let mut places = Vec::new();
    let tables = state.tables.iter().filter(|(name, _)| !published::is_published(name));
    for (name, table) in tables {
        let columns = table.schema.columns.iter().map(|column| Some(&column.name));
        let of_table = std::iter::once(None).chain(columns);
        places.extend(
            of_table
                .filter(|column| is_to_be_swept(state, name, table, *column, before_us))
                .map(|column| Place { table: name.clone(), column: column.cloned() }),
        );
        if places.len() >= PLACES_MAX {
            break;
        }
    }
    places.truncate(PLACES_MAX);
    places
}

fn is_to_be_swept(
    state: &State,
    name: &TableName,
    table: &Arc<Table>,
    column: Option<&ColumnName>,
    before_us: i64,
) -> bool {
    match (state.unused_since_us(name, column), table.is_unused(column)) {
        (Some(since), true) => since <= before_us && (column.is_none() || table.schema.columns.len() > 1),
        (Some(_), false) | (None, true) => true,
        (None, false) => false,
    }
}
