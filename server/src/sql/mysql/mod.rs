//! MySQL on DataFusion: trees of its dialect become trees that DataFusion plans, and functions that it has not are made.

pub mod calls;
pub mod expr;
pub mod functions;
pub mod rewrite;
