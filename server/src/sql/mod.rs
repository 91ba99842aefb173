//! SQL over one immutable state.
//!
//! How a SELECT travels here:
//! 1. [`statement`] parses the text in MySQL's [`dialect`] and says what it is: a read, a change of the session, the end of
//!    a query, or refused. [`show`] makes SHOW and DESC SELECTs over `information_schema`; [`rewrite`] and [`calls`]
//!    put MySQL's operators and functions into DataFusion's; [`headings`] keeps the names as they were typed.
//!    [`configure`] has the grammar of what changes the configuration of nodes.
//! 2. [`engine`] plans it over a [`View`]: a state, and what the answering replica knows besides (its own name, the
//!    members of the group, what it runs). An unknown table is answered with the nearest name, a comparison that cannot
//!    be with the column ([`types`]), other mistakes in the words of who typed them ([`mistakes`]).
//!    The plan serves the next statement that differs in its values only ([`plans`]). One that only looks up rows by
//!    the texts of columns is answered without operators ([`tables::lookup`]).
//! 3. The plan runs under limits of memory, rows and bytes; its batches are a stream ([`output`]).
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

pub use engine::{Engine, Request};
pub use error::Error;
pub use limits::Limits;
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
