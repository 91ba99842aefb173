//! The matrix: every type in the place of every argument of every function.

use rand::SeedableRng;
use rand::rngs::StdRng;

use super::expression::{Scope, filled, leaf, letters};
use super::functions::{Class, FUNCTIONS, Function};
use super::slots;
use crate::judge::case::{Case, Frame};
use crate::judge::tables;

/// A cell: a function, one of its arguments, and a type in its place.
#[derive(Debug)]
pub struct Cell {
    /// The function.
    pub function: &'static Function,
    /// Which of its forms.
    pub form: usize,
    /// Which of the form's arguments; none for a form without arguments.
    pub argument: Option<usize>,
    /// The letter of the type.
    pub letter: char,
    /// What is judged.
    pub case: Case,
}

/// All cells, by function.
pub fn cells(seed: u64) -> Vec<Cell> {
    let mut random = StdRng::seed_from_u64(seed);
    let scope = Scope::of(tables::MAIN, None);
    let mut cells = Vec::new();
    for function in FUNCTIONS.iter().filter(|function| !matches!(function.class, Class::Out(_) | Class::Statement)) {
        let frame = if function.class == Class::Aggregate { Frame::Groups } else { Frame::Rows };
        for (form, text) in function.forms.iter().enumerate() {
            let wanted = letters(text);
            let mut add = |argument: Option<usize>, letter: char| {
                let values = wanted.iter().enumerate().map(|(position, own)| match Some(position) == argument {
                    true => scope.column(letter, &mut random).unwrap_or_else(|| leaf(letter, &scope, &mut random)),
                    false => leaf(*own, &scope, &mut random),
                });
                let tree = filled(function.name, text, values.collect());
                cells.push(Cell {
                    function,
                    form,
                    argument,
                    letter,
                    case: Case::Expression { tree, frame, key: None },
                });
            };
            match wanted.is_empty() {
                true => add(None, '0'),
                false => {
                    for argument in 0..wanted.len() {
                        slots::TYPES.iter().for_each(|letter| add(Some(argument), *letter));
                    }
                }
            }
        }
    }
    cells
}
