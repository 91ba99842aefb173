//! Queries and results.

use std::time::Duration;

use crate::model::invalid::at_most;
use crate::model::limits::{CHANGE_KEY_CHARS_MAX, DESCRIPTION_CHARS_MAX, PARAMETERS_MAX};
use crate::model::{Consistency, Invalid, Query, ResultFooter, ResultHeader, SqlSession};
use crate::wire;

impl TryFrom<wire::QueryRequest> for Query {
    type Error = Invalid;

    fn try_from(wire: wire::QueryRequest) -> Result<Self, Invalid> {
        let consistency = match wire::Consistency::try_from(wire.consistency) {
            Ok(wire::Consistency::Unspecified | wire::Consistency::Linearizable) => Consistency::Linearizable,
            Ok(wire::Consistency::Bounded) => Consistency::Bounded(Duration::from_millis(wire.staleness_ms_max.into())),
            Ok(wire::Consistency::Stale) => Consistency::Stale,
            Err(_) => {
                return Err(Invalid::new(
                    format!("the consistency {} is unknown", wire.consistency),
                    "name one of unum.v1.Consistency, or upgrade the replicas first",
                ));
            }
        };
        let query = Self::new(wire.sql, wire.timeout_ms)?;
        let session = wire.session.map(SqlSession::try_from).transpose()?.unwrap_or_default();
        at_most("the user", wire.user.chars().count(), DESCRIPTION_CHARS_MAX, "characters")?;
        at_most("the change key", wire.change_key.chars().count(), CHANGE_KEY_CHARS_MAX, "characters")?;
        at_most("the statement", wire.parameters.len(), PARAMETERS_MAX, "parameters")?;
        let wire::QueryRequest { user, change_key, min_revision, parameters, .. } = wire;
        let parameters = parameters.into_iter().map(Into::into).collect();
        Ok(Self { consistency, min_revision, session, user, change_key, parameters, ..query })
    }
}

impl TryFrom<wire::SqlSession> for SqlSession {
    type Error = Invalid;

    fn try_from(wire: wire::SqlSession) -> Result<Self, Invalid> {
        Self::new(wire.schema, wire.variables.into_iter().collect(), wire.warnings)
    }
}

impl From<SqlSession> for wire::SqlSession {
    fn from(session: SqlSession) -> Self {
        let SqlSession { schema, variables, warnings } = session;
        Self { schema, variables: variables.into_iter().collect(), warnings }
    }
}

impl From<&Query> for wire::QueryRequest {
    fn from(query: &Query) -> Self {
        let ms = |duration: Duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        let (consistency, staleness_ms_max) = match query.consistency {
            Consistency::Linearizable => (wire::Consistency::Linearizable, 0),
            Consistency::Bounded(staleness) => (wire::Consistency::Bounded, ms(staleness)),
            Consistency::Stale => (wire::Consistency::Stale, 0),
        };
        Self {
            sql: query.sql.clone(),
            timeout_ms: ms(query.timeout).max(1),
            consistency: consistency.into(),
            staleness_ms_max,
            min_revision: query.min_revision,
            session: Some(query.session.clone().into()),
            user: query.user.clone(),
            change_key: query.change_key.clone(),
            parameters: query.parameters.iter().map(Into::into).collect(),
        }
    }
}

impl From<wire::QueryHeader> for ResultHeader {
    fn from(wire: wire::QueryHeader) -> Self {
        Self {
            revision: wire.revision,
            replica: wire.replica.into(),
            nodes_up: wire.nodes_up,
            nodes_total: wire.nodes_total,
        }
    }
}

impl From<ResultHeader> for wire::QueryHeader {
    fn from(header: ResultHeader) -> Self {
        Self {
            revision: header.revision,
            replica: header.replica.into(),
            nodes_up: header.nodes_up,
            nodes_total: header.nodes_total,
        }
    }
}

impl TryFrom<wire::QueryFooter> for ResultFooter {
    type Error = Invalid;

    fn try_from(wire: wire::QueryFooter) -> Result<Self, Invalid> {
        Ok(Self {
            rows: wire.rows,
            elapsed: Duration::from_micros(wire.elapsed_us),
            warnings: wire.warnings,
            session: wire.session.map(SqlSession::try_from).transpose()?,
        })
    }
}

impl From<ResultFooter> for wire::QueryFooter {
    fn from(footer: ResultFooter) -> Self {
        Self {
            rows: footer.rows,
            elapsed_us: footer.elapsed.as_micros().try_into().unwrap_or(u64::MAX),
            warnings: footer.warnings,
            session: footer.session.map(Into::into),
        }
    }
}
