//! Expressions by chance: typed enough that most mean something.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, IteratorRandom};

use super::functions::{Class, FUNCTIONS, Function};
use super::slots;
use crate::judge::tables::Column;
use crate::judge::tree::{Sort, Tree};

/// How often an argument is of a type that the function is not for.
const WILD: f64 = 0.12;

/// How often a value is a column where there is one.
const COLUMN: f64 = 0.55;

/// How often a value is made by a function, while there is depth left.
const NESTED: f64 = 0.4;

/// A column that can be named.
#[derive(Debug, Clone)]
pub struct Named {
    /// As the statement names it.
    pub text: String,
    /// What it is.
    pub column: Column,
}

/// What can be named.
#[derive(Debug, Clone, Default)]
pub struct Scope(pub Vec<Named>);

impl Scope {
    /// The columns of a table under an alias, or under none.
    pub fn of(columns: &'static [Column], alias: Option<&str>) -> Self {
        let named = |column: &Column| Named {
            text: alias.map_or_else(|| column.name.to_owned(), |alias| format!("{alias}.{}", column.name)),
            column: *column,
        };
        Self(columns.iter().map(named).collect())
    }

    /// Both scopes.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self(self.0.iter().chain(&other.0).cloned().collect())
    }

    /// A column that fits into a slot, if there is one.
    pub fn column(&self, letter: char, random: &mut StdRng) -> Option<Tree> {
        let fitting = self.0.iter().filter(|named| named.column.letters.contains(letter));
        fitting.choose(random).map(|named| Tree::Column(named.text.clone(), named.column.name))
    }
}

/// The letter of a slot, or one of those that `x` stands for.
fn any(letter: char, random: &mut StdRng) -> char {
    if letter == 'x' { *slots::ANY.choose(random).expect("some letters") } else { letter }
}

/// A value for a slot, with functions nested so deep in it.
pub fn value(letter: char, scope: &Scope, depth: usize, random: &mut StdRng) -> Tree {
    let letter = any(letter, random);
    let slot = slots::of(letter);
    let letter = match !slot.takes.is_empty() && random.random_bool(WILD) {
        true => *slots::TYPES.choose(random).expect("some letters"),
        false => letter,
    };
    let slot = slots::of(letter);
    if depth > 0 && !slot.takes.is_empty() && random.random_bool(NESTED) {
        let fits = |function: &&Function| {
            function.class == Class::Scalar && (slot.takes.contains(function.gives) || function.gives == 'x')
        };
        if let Some(function) = FUNCTIONS.iter().filter(fits).choose(random) {
            return call(function, scope, depth - 1, random);
        }
    }
    leaf(letter, scope, random)
}

/// A column or a literal for a slot.
pub fn leaf(letter: char, scope: &Scope, random: &mut StdRng) -> Tree {
    let letter = any(letter, random);
    let column = if random.random_bool(COLUMN) { scope.column(letter, random) } else { None };
    column.unwrap_or_else(|| Tree::Literal(slots::of(letter).literal(random), letter))
}

/// A function with arguments for its slots.
pub fn call(function: &'static Function, scope: &Scope, depth: usize, random: &mut StdRng) -> Tree {
    let form = function.forms.choose(random).expect("a function has forms");
    let values = letters(form).into_iter().map(|letter| value(letter, scope, depth, random)).collect();
    filled(function.name, form, values)
}

/// The letters of a form's arguments, in order.
pub fn letters(form: &str) -> Vec<char> {
    let ours = form.split(" => ").next().unwrap_or_default();
    ours.split('{').skip(1).filter_map(|rest| rest.chars().next()).collect()
}

/// A form with these values in its slots.
pub fn filled(construct: &'static str, form: &'static str, values: Vec<Tree>) -> Tree {
    let (ours, theirs) = form.split_once(" => ").unwrap_or((form, form));
    let (our_words, their_words) = (words(ours), words(theirs));
    let in_order = letters(ours) == letters(theirs);
    let mut parts = Vec::new();
    if in_order {
        let mut values = values.into_iter();
        for (ours, theirs) in our_words.into_iter().zip(their_words) {
            parts.push(match ours == theirs {
                true => Tree::words(ours),
                false => Tree::Dialects(ours.into(), theirs.into()),
            });
            parts.extend(values.next());
        }
    } else {
        // The arguments are the same in another order: both texts as they are.
        let text = |words: Vec<&str>, values: Vec<&Tree>, dialect| {
            let mut out = String::new();
            for (position, word) in words.iter().enumerate() {
                out.push_str(word);
                out.push_str(&values.get(position).map(|value| value.render(dialect)).unwrap_or_default());
            }
            out
        };
        use crate::judge::tree::Dialect;
        let reversed = values.iter().rev().collect();
        parts.push(Tree::Dialects(
            text(our_words, values.iter().collect(), Dialect::Unum).into(),
            text(their_words, reversed, Dialect::MariaDb).into(),
        ));
    }
    Tree::Node(construct, Sort::Value, parts)
}

/// The words of a form between its slots.
fn words(form: &'static str) -> Vec<&'static str> {
    let mut words = Vec::new();
    let mut rest = form;
    while let Some((before, after)) = rest.split_once('{') {
        words.push(before);
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    words.push(rest);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::tree::Dialect;

    #[test]
    fn a_form_is_filled_for_both() {
        let values = || vec![Tree::words("j"), Tree::words("'$.a'")];
        let tree = filled("->", "({j} -> {p}) => JSON_EXTRACT({j}, {p})", values());
        assert_eq!(tree.render(Dialect::Unum), "(j -> '$.a')");
        assert_eq!(tree.render(Dialect::MariaDb), "JSON_EXTRACT(j, '$.a')");
        let tree = filled("MEMBER OF", "({n} MEMBER OF ({j})) => F({j}, {n})", values());
        assert_eq!(tree.render(Dialect::Unum), "(j MEMBER OF ('$.a'))");
        assert_eq!(tree.render(Dialect::MariaDb), "F('$.a', j)");
    }

    #[test]
    fn every_form_has_slots_that_there_are() {
        for form in FUNCTIONS.iter().flat_map(|function| function.forms) {
            for letter in letters(form) {
                let known = letter == 'x' || slots::SLOTS.iter().any(|slot| slot.letter == letter);
                assert!(known, "{form}: {letter}");
            }
            assert!(form.split(" => ").count() <= 2, "{form}");
        }
    }
}
