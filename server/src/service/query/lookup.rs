//! Lookups: answered where the request came in.
//!
//! Every other query goes to threads of its own and comes back from there, which takes longer than a lookup does and, on a
//! busy replica, more of its CPUs. A lookup reads so little ([`crate::sql::tables::lookup`]) that Raft does not wait for it.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::time::Instant;
use unum_proto::model::{Query, ResultFooter};

use super::super::activity::Running;
use super::answer::{Head, Part, TimeLimit, ended};
use super::{Error, Known, QueryService};

/// What came of a statement where it came in.
pub(super) enum Tried {
    /// It is answered.
    Answered(Head, VecDeque<Part>),
    /// It is to be run on a thread of its own, from here on.
    ToRun(Known),
}

impl QueryService {
    /// Answers a statement if it is a lookup.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        query: &Query,
        running: &Arc<Running>,
        started: Instant,
        time: &TimeLimit,
    ) -> Result<Tried, Error> {
        let Some(planned) = self.engine.planned(&query.sql, &query.session) else {
            return Ok(Tried::ToRun(Known::Nothing));
        };
        running.has_digest(planned.digest());
        running.shows(&query.sql);
        if !planned.is_lookup() {
            return Ok(Tried::ToRun(Known::Plan(Box::new(planned))));
        }
        let state = tokio::select! {
            biased;
            state = self.fresh_state(query, running, started, time.deadline) => state?,
            error = ended(running, time) => return Err(error),
        };
        running.enters("planning");
        let (revision, planning) = (state.revision, Instant::now());
        let view = self.view(Arc::clone(&state), query, running.id);
        let Some(found) = self.engine.look_up(&view, &planned)? else {
            return Ok(Tried::ToRun(Known::State(state, Box::new(planned))));
        };
        running.planned(planning.elapsed());
        let rows = found.batches.iter().map(|batch| batch.num_rows()).sum();
        running.made(rows);
        let header = self.header(revision, found.nodes);
        let footer =
            ResultFooter { rows: rows as u64, elapsed: started.elapsed(), warnings: found.warnings, session: None };
        let parts = found.batches.into_iter().map(Part::Rows).chain([Part::End(footer)]).collect();
        let head = Head { header, schema: found.schema, encoded_schema: found.encoded_schema };
        Ok(Tried::Answered(head, parts))
    }
}
