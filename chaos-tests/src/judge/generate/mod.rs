//! Statements by chance: one seed and one number make one case, whatever else runs.
//!
//! - `functions` and `slots` are data: what MySQL has, and what can stand where.
//! - `expression` nests functions; each case is about one of them, in turn, so that none is left out.
//! - `select` makes whole SELECTs: joins, subqueries, groups, windows, set operations.
//! - `matrix` puts every type into every argument of every function.

pub mod expression;
pub mod functions;
pub mod matrix;
pub mod select;
pub mod slots;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::case::{Case, Frame};
use super::tables;
use functions::{Class, FUNCTIONS, Function};

/// How often a statement comes a second time, with other literals: its plan is kept. To plan a SELECT takes longest.
const KEPT_EXPRESSIONS: f64 = 0.3;
const KEPT_SELECTS: f64 = 0.7;

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Values.
    Expression,
    /// Whole statements.
    Select,
}

/// The cases of one number, to be run in turn: one, or one and the same with other literals.
pub fn cases(kind: Kind, seed: u64, number: u64) -> Vec<Case> {
    let mut random = StdRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
    let case = match kind {
        Kind::Expression => expression(number, &mut random),
        Kind::Select => select::case(&mut random),
    };
    let mut cases = vec![case];
    let kept = match kind {
        Kind::Expression => KEPT_EXPRESSIONS,
        Kind::Select => KEPT_SELECTS,
    };
    if random.random_bool(kept) {
        let again = cases[0].with_literals(&mut |_, letter| slots::of(letter).literal(&mut random));
        cases.push(again);
    }
    cases
}

fn expression(number: u64, random: &mut StdRng) -> Case {
    let judged = |function: &&Function| !matches!(function.class, Class::Out(_) | Class::Statement);
    let all: Vec<&'static Function> = FUNCTIONS.iter().filter(judged).collect();
    let function = all[number as usize % all.len()];
    let scope = expression::Scope::of(tables::MAIN, None);
    let depth = *[0, 0, 1, 1, 2].choose(random).expect("some depths");
    let frame = match function.class {
        Class::Aggregate => *[Frame::Groups, Frame::Groups, Frame::All].choose(random).expect("frames"),
        Class::Window => Frame::Rows,
        _ if function.gives == 'b' && random.random_bool(0.3) => Frame::Condition,
        _ if random.random_bool(0.2) => Frame::Nothing,
        _ => Frame::Rows,
    };
    let scope = if frame == Frame::Nothing { expression::Scope::default() } else { scope };
    Case::Expression { tree: expression::call(function, &scope, depth, random), frame, key: None }
}
