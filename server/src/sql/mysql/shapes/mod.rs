//! Shapes of queries that DataFusion does not have, as ones that it has: `x > ALL (SELECT …)`, `(a, b) IN (SELECT …)`,
//! `EXCEPT ALL`, `GROUP BY 1 WITH ROLLUP`, HAVING on names of result columns.

mod distinct;
mod having;
mod names;
mod ordered;
mod quantified;
mod rollup;
mod select;
mod sets;

pub use distinct::distinct;
pub use having::having;
pub use names::name_as_typed;
pub use ordered::ordered;
pub use quantified::{Quantifier, quantified};
pub use rollup::rollup;
pub use sets::numbered_set_operation;
