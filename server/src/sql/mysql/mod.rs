//! MySQL on DataFusion, in three steps:
//!
//! 1. [`rewrite`]: in the tree of a statement, operators and functions become calls of ours, of which nothing is known yet
//!    but their names.
//! 2. DataFusion plans that tree. Each call has MySQL's type for the types of its arguments ([`planned`], [`operator`],
//!    [`types`]).
//! 3. [`lower`]: where the plan has its columns, calls become DataFusion's own expressions where those mean the same, and
//!    else functions over values ([`call`], [`arithmetic`], [`comparison`], [`conversion`], [`functions`]).
//!
//! [`value`] knows what a value is as another type, [`columns`] what a column holds. What MySQL answers with NULL and a
//! warning is NULL, and [`warnings`] tell it.

mod arithmetic;
mod binary;
mod call;
pub mod calls;
mod collected;
pub mod columns;
mod comparison;
mod conversion;
mod evaluation;
pub mod expr;
pub mod functions;
pub mod lower;
pub mod operator;
mod planned;
pub mod registry;
pub mod rewrite;
mod shapes;
mod sleep;
pub mod types;
pub mod value;
pub mod warnings;
