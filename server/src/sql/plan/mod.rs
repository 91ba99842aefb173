//! Plans that are used again.
//!
//! Planning takes most of the time of a small query. A statement that differs from an earlier one only in the values that
//! columns are compared with has the same plan: the [fingerprint](crate::sql::syntax::fingerprint) is what two such statements share, [`parameterize`] plans with
//! the values left open, and [`cache`] keeps what was planned. A plan names its tables and knows no state; it is bound to a
//! view, and to its values, each time it runs.
//!
//! A plan is kept only if nothing but the statement's text, its values, and the schemas of its tables went into it: not
//! what asks for the session, the user or the clock. When a schema grows, the plan is made anew.

mod apply;
pub mod cache;
mod called_as_columns;
mod claimed_orders;
pub mod cooperative;
pub mod errors;
mod group_names;
mod joins;
mod moved_constraints;
mod named_keys;
mod one_row;
mod outer_sides;
pub mod parameterize;
// The one that the others are about.
#[allow(clippy::module_inception)]
pub mod plan;
pub mod planner;
mod silent;
mod sorted_inputs;
mod whole_filters;
mod whole_keys;
mod whole_order;

pub use cache::{Found, PlanCache};
pub use plan::Plan;
pub use planner::Planner;
