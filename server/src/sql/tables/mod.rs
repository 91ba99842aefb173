//! The tables that SQL sees.
//!
//! - System tables, one file each: its columns with their comments, and a function that reads its rows.
//! - For every pushed table `T`: `T`, what the answering replica pushed itself, and `cluster_T`, all nodes'.
//! - [`information_schema`]: the tables about tables, in MySQL's shape, and TiDB's `cluster_*` tables.
//!
//! A [`view::View`] is what they read: one state, and what the answering replica knows besides. Names are compared in lower
//! case; a table says in which case its columns are shown.

pub mod information_schema;
pub mod lookup;
pub mod parameter;
pub mod provider;
pub mod registry;
pub mod scan;
pub mod unum;
pub mod view;
mod warnings;
