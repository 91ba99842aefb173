//! What a SELECT reads: tables, derived tables, and joins of all kinds.

use rand::Rng;

use super::super::expression::{Named, Scope};
use super::{ITEM_LETTERS, Maker, OUTPUT_NAMES, list, node, optional, words};
use crate::judge::tables::{self, Column};
use crate::judge::tree::Tree;
use unum_client::DataType;

/// How many sources a FROM has at most.
const SOURCES_MAX: usize = 3;

impl Maker<'_> {
    /// The columns of a derived table, by the letters that they were made for.
    pub(super) fn output_scope(alias: &str, columns: &[char]) -> Scope {
        let named = |(position, letter): (usize, &char)| {
            let letters = match letter {
                'k' => "ik",
                'i' => "ikx",
                'g' => "g",
                't' => "tx",
                'S' => "S",
                _ => "B",
            };
            let name = OUTPUT_NAMES[position];
            Named { text: format!("{alias}.{name}"), column: Column { name, data_type: DataType::Text, letters } }
        };
        Scope(columns.iter().enumerate().map(named).collect())
    }

    pub(super) fn from(&mut self, depth: usize, outer: &Scope) -> (Tree, Scope) {
        if self.chance(0.04) {
            return self.natural();
        }
        let (mut tree, mut scope) = self.source(depth, outer, false);
        let more = self.pick(&[0, 0, 0, 1, 1, 1, 2]);
        for _ in 0..more.min(SOURCES_MAX - 1) {
            let (other, joined) = self.source(depth.min(1), outer, true);
            let (construct, text) = self.pick(&[
                ("JOIN", " JOIN "),
                ("JOIN", " INNER JOIN "),
                ("LEFT JOIN", " LEFT JOIN "),
                ("LEFT JOIN", " LEFT OUTER JOIN "),
                ("RIGHT JOIN", " RIGHT JOIN "),
                ("CROSS JOIN", " CROSS JOIN "),
            ]);
            let both = scope.and(&joined);
            let on = match construct {
                "CROSS JOIN" => words(""),
                _ => self.on(&scope, &joined),
            };
            tree = node("", vec![tree, optional(construct, vec![words(text), other, on])]);
            scope = both;
        }
        (tree, scope)
    }

    pub(super) fn on(&mut self, left: &Scope, right: &Scope) -> Tree {
        let letter = self.pick(&['k', 'k', 'k', 'i', 't']);
        let (one, other) = (self.key(letter, left), self.key(letter, right));
        let sign = self.pick(&[" = ", " = ", " = ", " = ", " < ", " <=> "]);
        let mut conditions = vec![node("", vec![one, words(sign), other])];
        if self.chance(0.3) {
            conditions.push(self.simple_condition(&left.and(right)));
        }
        node("", vec![words(" ON "), list(" AND ", conditions)])
    }

    pub(super) fn natural(&mut self) -> (Tree, Scope) {
        let (construct, text) = self.pick(&[
            ("NATURAL JOIN", " NATURAL JOIN "),
            ("NATURAL LEFT JOIN", " NATURAL LEFT JOIN "),
            ("JOIN USING", " JOIN "),
            ("LEFT JOIN USING", " LEFT JOIN "),
        ]);
        let using = if construct.ends_with("USING") { " USING (k)" } else { "" };
        let tree = node(
            construct,
            vec![
                words("(SELECT k, t FROM cluster_x) p"),
                words(text),
                words("(SELECT k, s FROM cluster_w) o"),
                words(using),
            ],
        );
        let named = |text: &str, name, data_type, letters| Named {
            text: text.to_owned(),
            column: Column { name, data_type, letters },
        };
        let scope = Scope(vec![
            named("k", "k", DataType::Int64, "ik"),
            named("p.t", "t", DataType::Text, "tcx"),
            named("o.s", "s", DataType::Int64, "nikx"),
        ]);
        (tree, scope)
    }

    pub(super) fn source(&mut self, depth: usize, outer: &Scope, is_small: bool) -> (Tree, Scope) {
        let alias = self.alias();
        if depth > 0 && self.chance(0.15) {
            let count = self.random.random_range(1..=3);
            let columns: Vec<char> = (0..count).map(|_| self.pick(ITEM_LETTERS)).collect();
            let body = self.body(&columns, 0, &Scope::default());
            let (inner, _) = self.finished(body, count, "inner ORDER BY");
            let tree = node("derived table", vec![words("("), inner, words(format!(") {alias}"))]);
            return (tree, Self::output_scope(&alias, &columns));
        }
        let _ = outer;
        let main = ("cluster_v", tables::MAIN);
        let (name, columns) = match is_small {
            false => self.pick(&[main, main, main, ("cluster_w", tables::SIDE), ("cluster_x", tables::SMALL)]),
            true => self.pick(&[
                main,
                ("cluster_w", tables::SIDE),
                ("cluster_w", tables::SIDE),
                ("cluster_x", tables::SMALL),
                ("cluster_e", tables::SMALL),
            ]),
        };
        (words(format!("{name} {alias}")), Scope::of(columns, Some(&alias)))
    }
}
