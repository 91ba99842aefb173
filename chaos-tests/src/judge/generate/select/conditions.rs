//! Conditions: comparisons, and subqueries in every place that there is for them.

use rand::Rng;

use super::super::expression::{self, Scope, filled, leaf, letters};
use super::super::functions::FUNCTIONS;
use super::{Maker, list, node, optional, value, words};
use crate::judge::tables;
use crate::judge::tree::Tree;

/// Functions that conditions are made of.
const PLAIN_CONDITIONS: &[&str] = &[
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "<=>",
    "BETWEEN",
    "NOT BETWEEN",
    "IN",
    "NOT IN",
    "IS NULL",
    "IS NOT NULL",
    "LIKE",
];

impl Maker<'_> {
    pub(super) fn where_clause(&mut self, scope: &Scope, depth: usize) -> Tree {
        let condition = self.condition(scope, depth);
        optional("WHERE", vec![words(" WHERE "), condition])
    }

    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> Tree {
        match self.random.random_range(0..100) {
            0..40 => self.simple_condition(scope),
            40..52 if depth > 0 => {
                let (construct, sign) =
                    self.pick(&[("AND", " AND "), ("OR", " OR "), ("XOR", " XOR "), ("AND", " AND ")]);
                let (one, other) = (self.condition(scope, depth - 1), self.condition(scope, depth - 1));
                value(construct, vec![words("("), one, words(sign), other, words(")")])
            }
            52..58 if depth > 0 => {
                let inner = self.condition(scope, depth - 1);
                let (construct, before, after) = self.pick(&[
                    ("NOT", "(NOT ", ")"),
                    ("IS TRUE", "(", " IS TRUE)"),
                    ("IS NULL", "(", " IS NULL)"),
                    ("IS NOT TRUE", "(", " IS NOT TRUE)"),
                ]);
                value(construct, vec![words(before), inner, words(after)])
            }
            58..70 if depth > 0 => self.exists(scope),
            70..85 if depth > 0 => self.in_subquery(scope),
            85..95 if depth > 0 => self.compared_subquery(scope),
            95..100 if depth > 0 => self.any_or_all(scope),
            _ => self.simple_condition(scope),
        }
    }

    pub(super) fn simple_condition(&mut self, scope: &Scope) -> Tree {
        let name = self.pick(PLAIN_CONDITIONS);
        let function = FUNCTIONS.iter().find(|function| function.name == name).expect("it is in the list");
        let forms: Vec<&'static str> = function.forms.iter().copied().filter(|form| !form.contains("(({")).collect();
        let form = self.pick(&forms);
        let letter = if name == "LIKE" { 't' } else { self.pick(&['k', 'i', 't', 'g', 'k', 'i']) };
        let values = letters(form)
            .into_iter()
            .map(|slot| match slot {
                'n' | 'c' | 'x' | 'T' | 't' => {
                    let literal = self.chance(0.4);
                    if literal { leaf(letter, &Scope::default(), self.random) } else { self.key(letter, scope) }
                }
                slot => expression::leaf(slot, scope, self.random),
            })
            .collect();
        filled(name, form, values)
    }

    /// A small table under an alias of its own, for a subquery.
    pub(super) fn inner_table(&mut self) -> (Tree, Scope, String) {
        let alias = self.alias();
        let (name, columns) = self.pick(&[
            ("cluster_w", tables::SIDE),
            ("cluster_w", tables::SIDE),
            ("cluster_x", tables::SMALL),
            ("cluster_e", tables::SMALL),
            ("cluster_v", tables::MAIN),
        ]);
        (words(format!("{name} {alias}")), Scope::of(columns, Some(&alias)), alias)
    }

    /// What ties a subquery to the rows around it, and more.
    pub(super) fn correlated(&mut self, inner: &Scope, outer: &Scope) -> Tree {
        let mut conditions = Vec::new();
        if !outer.0.is_empty() && self.chance(0.75) {
            let sign = self.pick(&[" = ", " = ", " = ", " < ", " > ", " <= ", " <> ", " <=> "]);
            let letter = self.pick(&['k', 'k', 'i', 't']);
            let (one, other) = (self.key(letter, inner), self.key(letter, outer));
            conditions.push(node("correlated", vec![one, words(sign), other]));
        }
        if self.chance(0.35) {
            let both = if self.chance(0.3) { inner.and(outer) } else { inner.clone() };
            conditions.push(self.simple_condition(&both));
        }
        match conditions.is_empty() {
            true => words(""),
            false => optional("", vec![words(" WHERE "), list(" AND ", conditions)]),
        }
    }

    pub(super) fn scalar_subquery(&mut self, letter: char, outer: &Scope) -> Tree {
        let (table, scope, alias) = self.inner_table();
        let condition = self.correlated(&scope, outer);
        match self.random.random_range(0..10) {
            0..6 => {
                let aggregate = self.aggregate(letter, &scope);
                value(
                    "scalar subquery",
                    vec![words("(SELECT "), aggregate, words(" FROM "), table, condition, words(")")],
                )
            }
            _ => {
                let item = self.column_or_literal(letter, &scope);
                let direction = self.pick(&["", " DESC"]);
                let offset = self.pick(&["", "", " OFFSET 1"]);
                // Keys can be doubled in cluster_x; the item makes the rest equal.
                let order = words(format!(" ORDER BY {alias}.k{direction}, 1"));
                let limit = words(format!(" LIMIT 1{offset})"));
                value(
                    "scalar subquery LIMIT 1",
                    vec![words("(SELECT "), item, words(" FROM "), table, condition, order, limit],
                )
            }
        }
    }

    pub(super) fn exists(&mut self, outer: &Scope) -> Tree {
        let (table, scope, _) = self.inner_table();
        let condition = self.correlated(&scope, outer);
        let (construct, text) = self.pick(&[("EXISTS", "EXISTS (SELECT "), ("NOT EXISTS", "NOT EXISTS (SELECT ")]);
        let item = self.pick(&["1", "NULL", "*"]);
        let limit = self.pick(&["", "", " LIMIT 1"]);
        value(
            construct,
            vec![words("("), words(format!("{text}{item} FROM ")), table, condition, words(format!("{limit}))"))],
        )
    }

    pub(super) fn in_subquery(&mut self, outer: &Scope) -> Tree {
        let (table, scope, _) = self.inner_table();
        let condition = self.correlated(&scope, outer);
        let letter = self.pick(&['k', 'k', 'i', 't']);
        let (one, other) = (self.key(letter, outer), self.key(letter, &scope));
        let (construct, sign) =
            self.pick(&[("IN (subquery)", " IN (SELECT "), ("NOT IN (subquery)", " NOT IN (SELECT ")]);
        if self.chance(0.1) {
            let (two, more) = (self.key('i', outer), self.key('i', &scope));
            let row = vec![
                words("(("),
                one,
                words(", "),
                two,
                words(")"),
                words(sign),
                other,
                words(", "),
                more,
                words(" FROM "),
                table,
                condition,
                words("))"),
            ];
            return value("row IN (subquery)", row);
        }
        value(construct, vec![words("("), one, words(sign), other, words(" FROM "), table, condition, words("))")])
    }

    pub(super) fn compared_subquery(&mut self, outer: &Scope) -> Tree {
        let letter = self.pick(&['k', 'i', 't', 'g']);
        let (one, other) = (self.key(letter, outer), self.scalar_subquery(letter, outer));
        let sign = self.pick(&[" = ", " < ", " > ", " <> ", " >= ", " <=> "]);
        value("", vec![words("("), one, words(sign), other, words(")")])
    }

    pub(super) fn any_or_all(&mut self, outer: &Scope) -> Tree {
        let (table, scope, _) = self.inner_table();
        let condition = self.correlated(&scope, outer);
        let letter = self.pick(&['k', 'i']);
        let (one, other) = (self.key(letter, outer), self.key(letter, &scope));
        let sign = self.pick(&[
            " = ANY (SELECT ",
            " > ALL (SELECT ",
            " < ANY (SELECT ",
            " <> ALL (SELECT ",
            " >= SOME (SELECT ",
        ]);
        value("ANY and ALL", vec![words("("), one, words(sign), other, words(" FROM "), table, condition, words("))")])
    }
}
