//! Session variables: what SET takes, what `@@name` and SHOW VARIABLES show.
//!
//! Their values travel with the request (`SqlSession`); a replica remembers none.

use std::cell::Cell;

use unum_proto::model::{Consistency, QueryId, SqlSession};

use super::mysql::functions::zone::Zone;
use super::{Error, Limits, suggest};

/// A variable that the server knows.
struct Variable {
    name: &'static str,
    /// What it is before it is SET.
    value: fn(&Context<'_>) -> String,
    /// What it may be SET to; none if it is read only.
    check: Option<Check>,
}

/// Whether a variable may have a value, or else what it takes.
type Check = fn(&str) -> Result<(), String>;

/// What a statement may ask for besides what is written in it; and whether it did.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    session: &'a SqlSession,
    limits: &'a Limits,
    own: &'a str,
    user: &'a str,
    query_id: QueryId,
    asked: Cell<bool>,
}

impl<'a> Context<'a> {
    /// A session on a replica. `own` is the replica as a node, `user` who asks, as the client says, and `query_id` the
    /// statement in `processlist`.
    pub fn new(session: &'a SqlSession, limits: &'a Limits, own: &'a str, user: &'a str, query_id: QueryId) -> Self {
        Self { session, limits, own, user, query_id, asked: Cell::new(false) }
    }

    /// Whether anything was asked for: the same text may then mean something else the next time.
    pub fn was_asked(&self) -> bool {
        self.asked.get()
    }

    fn asks<T>(&self, what: T) -> T {
        self.asked.set(true);
        what
    }

    /// The session.
    pub fn session(&self) -> &'a SqlSession {
        self.asks(self.session)
    }

    /// The zone of the session. To know it is not to have asked for something: plans are kept by it.
    pub fn time_zone(&self) -> &'a str {
        time_zone(self.session)
    }

    /// The limits of the replica.
    pub fn limits(&self) -> &'a Limits {
        self.asks(self.limits)
    }

    /// The replica as a node.
    pub fn own(&self) -> &'a str {
        self.asks(self.own)
    }

    /// Who asks, as the client says.
    pub fn user(&self) -> &'a str {
        self.asks(self.user)
    }

    /// The statement in `processlist`.
    pub fn query_id(&self) -> QueryId {
        self.asks(self.query_id)
    }
}

/// How fresh the answers of the session have to be.
pub const CONSISTENCY: &str = "consistency";
/// The deadline of a statement in milliseconds; 0 for the client's own.
pub const MAX_EXECUTION_TIME: &str = "max_execution_time";
/// The limits of a statement: lower than the replica's or equal to them.
pub const QUERY_MEMORY_BYTES_MAX: &str = "query_memory_bytes_max";
/// See [`QUERY_MEMORY_BYTES_MAX`].
pub const RESULT_ROWS_MAX: &str = "result_rows_max";
/// The zone that times are shown, read and cut in.
pub const TIME_ZONE: &str = "time_zone";
/// See [`QUERY_MEMORY_BYTES_MAX`].
pub const RESULT_BYTES_MAX: &str = "result_bytes_max";

/// Clients set these and do not care: they are kept and shown, and change nothing.
fn anything(_: &str) -> Result<(), String> {
    Ok(())
}

fn number(value: &str) -> Result<(), String> {
    value.parse::<u64>().map(drop).map_err(|_| "it takes a whole number of 0 or more".into())
}

fn consistency(value: &str) -> Result<(), String> {
    value.parse::<Consistency>().map(drop).map_err(|invalid| invalid.remedy)
}

fn zone(value: &str) -> Result<(), String> {
    match Zone::parse(value) {
        Some(_) => Ok(()),
        None => Err("it takes SYSTEM (which is UTC), +02:00 or a name as Europe/Berlin".into()),
    }
}

static VARIABLES: &[Variable] = &[
    Variable { name: "autocommit", value: |_| "1".into(), check: Some(anything) },
    Variable { name: "character_set_client", value: |_| "utf8mb4".into(), check: Some(anything) },
    Variable { name: "character_set_connection", value: |_| "utf8mb4".into(), check: Some(anything) },
    Variable { name: "character_set_results", value: |_| "utf8mb4".into(), check: Some(anything) },
    Variable { name: "collation_connection", value: |_| "utf8mb4_bin".into(), check: Some(anything) },
    Variable { name: CONSISTENCY, value: |_| "linearizable".into(), check: Some(consistency) },
    Variable { name: "hostname", value: |c| c.own().into(), check: None },
    Variable { name: "lower_case_table_names", value: |_| "2".into(), check: None },
    Variable {
        name: "max_allowed_packet",
        value: |_| unum_proto::model::limits::SQL_BYTES_MAX.to_string(),
        check: None,
    },
    Variable { name: MAX_EXECUTION_TIME, value: |_| "0".into(), check: Some(number) },
    Variable { name: QUERY_MEMORY_BYTES_MAX, value: |c| c.limits().memory_bytes.to_string(), check: Some(number) },
    Variable { name: RESULT_BYTES_MAX, value: |c| c.limits().bytes.to_string(), check: Some(number) },
    Variable { name: RESULT_ROWS_MAX, value: |c| c.limits().rows.to_string(), check: Some(number) },
    Variable { name: "sql_mode", value: |_| String::new(), check: Some(anything) },
    Variable { name: "system_time_zone", value: |_| "UTC".into(), check: None },
    Variable { name: TIME_ZONE, value: |_| UTC.into(), check: Some(zone) },
    Variable { name: "version", value: |_| version(), check: None },
    Variable { name: "version_comment", value: |_| "Unum: many nodes, one SQL table".into(), check: None },
];

/// What `VERSION()` says.
pub fn version() -> String {
    concat!(env!("CARGO_PKG_VERSION"), "-unum").into()
}

fn find(name: &str) -> Result<&'static Variable, Error> {
    VARIABLES.iter().find(|variable| variable.name == name).ok_or_else(|| {
        let near = suggest::nearest(name, VARIABLES.iter().map(|variable| variable.name));
        suggest::unknown("variable", name, near, "SHOW VARIABLES")
    })
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Of a user's variable that was not SET, or SET to it.
    Null,
    /// As it was typed.
    Number(String),
    /// Anything else.
    Text(String),
}

/// What stands before a text in the session, where a user's variable keeps its type.
const TEXT_MARK: char = '\'';

impl Setting {
    /// Without its type: as a system variable is checked and kept.
    pub fn into_plain(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Number(value) | Self::Text(value) => value,
        }
    }

    /// As the session keeps it under a name.
    pub fn into_kept(self, name: &str) -> String {
        match self {
            Self::Text(value) if name.starts_with('@') => format!("{TEXT_MARK}{value}"),
            other => other.into_plain(),
        }
    }

    fn kept(name: &str, value: &str) -> Self {
        match (name.starts_with('@'), value.strip_prefix(TEXT_MARK)) {
            (true, Some(text)) => Self::Text(text.to_owned()),
            (true, None) if value.is_empty() => Self::Null,
            (true, None) => Self::Number(value.to_owned()),
            (false, _) => Self::plain(value.to_owned()),
        }
    }

    fn plain(value: String) -> Self {
        if value.parse::<f64>().is_ok_and(f64::is_finite) { Self::Number(value) } else { Self::Text(value) }
    }
}

/// The value of a variable.
pub fn get(name: &str, context: &Context<'_>) -> Result<Setting, Error> {
    if let Some(set) = context.session().variables.get(name) {
        return Ok(Setting::kept(name, set));
    }
    match name.starts_with('@') {
        true => Ok(Setting::Null),
        false => Ok(Setting::plain((find(name)?.value)(context))),
    }
}

/// All variables but the user's, by name.
pub fn all(context: &Context<'_>) -> Vec<(&'static str, String)> {
    let value = |variable: &Variable| match context.session().variables.get(variable.name) {
        Some(set) => set.clone(),
        None => (variable.value)(context),
    };
    VARIABLES.iter().map(|variable| (variable.name, value(variable))).collect()
}

/// Whether a variable may be SET to a value.
pub fn check(name: &str, value: &str) -> Result<(), Error> {
    if name.starts_with('@') {
        return Ok(());
    }
    match find(name)?.check {
        None => Err(Error::Invalid(format!("the variable {name} is read only"))),
        Some(check) => {
            check(value).map_err(|remedy| Error::Invalid(format!("{name} = {value:?} is not legal; {remedy}")))
        }
    }
}

/// The zone that times are in before another one is SET.
const UTC: &str = "UTC";

/// The time zone of a session: one that there is, or UTC.
pub fn time_zone(session: &SqlSession) -> &str {
    session.variables.get(TIME_ZONE).map_or(UTC, String::as_str)
}

/// A limit of the session, if one was SET.
pub fn limit(session: &SqlSession, name: &str) -> Option<usize> {
    session.variables.get(name)?.parse().ok()
}
