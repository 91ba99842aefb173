//! SQL over one immutable state.
//!
//! How a SELECT travels here:
//! 1. [`Engine::prepare`] reads the text into tokens ([`syntax`]) and decides what the statement is ([`statement`]): a read, a
//!    change of the session, the end of a query, a change of configuration or of the catalog, or refused. SHOW and DESC become SELECTs over
//!    `information_schema`; `mysql` puts MySQL's operators and functions into DataFusion's. A statement that differs from an
//!    earlier one in its values only finds the plan of that one in the plan cache (`plan`), by its fingerprint.
//! 2. [`Engine::execute`] plans it over a [`View`]: a state, and what the answering replica knows besides (its own name, the
//!    members of the group, what it runs). The plan runs under limits of memory, rows and bytes; its batches are a stream
//!    (`run`). One that only looks up rows by the texts of columns is answered without operators ([`Engine::look_up`]).
//!
//! What a statement is, is decided once, in `prepare`; [`Prepared`] says it to everybody else.
//!
//! It does not know how fresh the state is, nor who asks: `service` has taken the read barrier before. So its tests
//! need no cluster.

mod engine;
mod error;
mod limits;
mod mysql;
mod plan;
mod prepared;
mod run;
pub mod statement;
mod suggest;
mod syntax;
pub mod tables;
mod variables;
mod wording;

pub use engine::{Engine, Request};
pub use error::Error;
pub use limits::Limits;
pub use mysql::warnings;
pub use prepared::{Action, Prepared, Read};
pub use run::execution::{Execution, ResultHead, RowStream, Rows};
pub use run::memory::QueryMemory;
pub use statement::{Command, StatementText, configure, heads};
pub use suggest::nearest;
pub use syntax::Digest;
pub use syntax::names::{self, current_schema};
pub use tables::information_schema::pushed::instance;
pub use tables::registry::SYSTEM_TABLES;
pub use tables::view::{Coverage, Live, ReplicaRow, View};
pub use variables::{CONSISTENCY, MAX_EXECUTION_TIME};
