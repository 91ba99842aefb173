//! SQL over one immutable state.
//!
//! How a SELECT travels here:
//! 1. [`statement`] parses the text in MySQL's dialect, refuses what is not a read, and rewrites SHOW and DESC into
//!    SELECTs over `information_schema`.
//! 2. [`session`] plans it with DataFusion over a [`View`]: a state, and what the answering replica knows besides
//!    (its own name, the members of the group). An unknown table is answered with the nearest name.
//! 3. The plan runs under limits of memory, rows and bytes; its batches are a stream.
//!
//! It does not know how fresh the state is, nor who asks: `service` has taken the read barrier before. So its tests
//! need no cluster.

mod error;
mod session;
mod statement;
mod suggest;
mod tables;

pub use error::Error;
pub use session::{Engine, Limits, Output};
pub use tables::View;
pub use tables::replicas::ReplicaRow;
