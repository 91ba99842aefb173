//! Lookups: answered where the request came in.
//!
//! Every other query goes to threads of its own and comes back from there, which takes longer than a lookup does and, on a
//! busy replica, more of its CPUs. A lookup reads so little ([`crate::sql::tables::lookup`]) that Raft does not wait for it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;
use unum_proto::model::{Query, ResultFooter};

use super::Error;
use super::replica::Replica;
use super::result::{Head, Part, cut_short};
use super::time_limit::TimeLimit;
use crate::catalog::State;
use crate::service::query_log::QueryHandle;
use crate::sql::{Action, Prepared, Rows};

/// What came of a statement where it came in.
pub(super) enum Tried {
    /// It is answered.
    Answered(Head, VecDeque<Part>),
    /// It is to be run on a thread of its own, from here on.
    ToRun(Known),
}

/// What is known of a statement before it is run.
pub(super) enum Known {
    /// It is to be prepared.
    Nothing,
    /// It is prepared.
    Prepared(Prepared),
    /// It is prepared, and this is the state that it reads.
    At(Arc<State>, Prepared),
}

impl Replica {
    /// Answers a statement if it is a lookup.
    pub(super) async fn look_up(
        &self,
        query: &Query,
        handle: &Arc<QueryHandle>,
        limit: &TimeLimit,
    ) -> Result<Tried, Error> {
        let Some(prepared) = self.engine.kept(&query.sql, &query.parameters, &query.session) else {
            return Ok(Tried::ToRun(Known::Nothing));
        };
        handle.set_statement(&prepared);
        let Action::Read(read) = &prepared.action else { return Ok(Tried::ToRun(Known::Prepared(prepared))) };
        if !read.is_lookup() {
            return Ok(Tried::ToRun(Known::Prepared(prepared)));
        }
        let state = tokio::select! {
            biased;
            state = self.fresh_state(query, handle, limit) => state?,
            error = cut_short(handle, limit) => return Err(error),
        };
        handle.set_stage("planning");
        let (revision, planning) = (state.revision, Instant::now());
        let view = self.view(Arc::clone(&state), query, handle.id);
        let Some(execution) = self.engine.look_up(read, &view)? else {
            return Ok(Tried::ToRun(Known::At(state, prepared)));
        };
        let Rows::Ready(batches) = execution.rows else {
            return Err(Error::internal("the rows of a lookup are a stream"));
        };
        handle.set_plan_time(planning.elapsed());
        let rows = batches.iter().map(|batch| batch.num_rows()).sum();
        handle.add_rows(rows);
        let header = self.header(revision, &execution.head.coverage);
        let warnings = execution.head.coverage.warnings;
        let footer = ResultFooter { rows: rows as u64, elapsed: limit.started().elapsed(), warnings, session: None };
        let parts = batches.into_iter().map(Part::Rows).chain([Part::End(footer)]).collect();
        Ok(Tried::Answered(Head { header, schema: execution.head.schema }, parts))
    }
}
