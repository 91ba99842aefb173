//! What stands in a SELECT's list: columns, simple values, aggregates, windows.

use super::super::expression::{Scope, filled, leaf, letters};
use super::{Maker, optional, value, words};
use crate::judge::tree::Tree;
use rand::Rng;

/// Functions that items are made of besides columns.
const PLAIN_VALUES: &[&str] = &["COALESCE", "IF", "CASE", "IFNULL", "NULLIF"];

impl Maker<'_> {
    pub(super) fn aggregates(&mut self, columns: &[char], scope: &Scope) -> Vec<Tree> {
        columns.iter().map(|letter| self.aggregate(*letter, scope)).collect()
    }

    pub(super) fn aggregate(&mut self, letter: char, scope: &Scope) -> Tree {
        let form: (&str, &str) = match letter {
            't' | 'S' | 'B' => self.pick(&[("MAX", "MAX({x})"), ("MIN", "MIN({x})"), ("COUNT", "COUNT({x})")]),
            'g' => self.pick(&[("SUM", "SUM({g})"), ("AVG", "AVG({g})"), ("MAX", "MAX({g})")]),
            _ => self.pick(&[
                ("COUNT", "COUNT(*)"),
                ("COUNT", "COUNT({k})"),
                ("COUNT(DISTINCT)", "COUNT(DISTINCT {t})"),
                ("SUM", "SUM({k})"),
                ("MAX", "MAX({k})"),
                ("MIN", "MIN({i})"),
                ("COUNT(DISTINCT)", "COUNT(DISTINCT {i})"),
            ]),
        };
        let values = letters(form.1)
            .into_iter()
            .map(|slot| self.column_or_literal(if slot == 'x' { letter } else { slot }, scope))
            .collect();
        filled(form.0, form.1, values)
    }

    /// A window whose result no order of equal rows can change.
    pub(super) fn window(&mut self, scope: &Scope) -> Tree {
        let (by, order, of) = (self.window_key('i', scope), self.window_key('k', scope), self.key('k', scope));
        let partition = optional("PARTITION BY", vec![words("PARTITION BY "), by]);
        let order_by = optional("window ORDER BY", vec![words(" ORDER BY "), order.clone()]);
        let whole = |construct, call: Vec<Tree>| {
            let mut parts = call;
            parts.extend([words(" OVER ("), partition.clone(), order_by.clone(), words(")")]);
            value(construct, parts)
        };
        match self.random.random_range(0..7) {
            0 => whole("RANK", vec![words("RANK()")]),
            1 => whole("DENSE_RANK", vec![words("DENSE_RANK()")]),
            2 => whole("COUNT OVER", vec![words("COUNT(*)")]),
            3 => whole("SUM OVER", vec![words("SUM("), of, words(")")]),
            4 => whole("MAX OVER", vec![words("MAX("), of, words(")")]),
            // In a derived table MariaDB keeps ten digits of it.
            5 => whole("CUME_DIST", vec![Tree::Dialects("CUME_DIST()".into(), "0e0 + CUME_DIST()".into())]),
            _ => whole("MIN OVER", vec![words("MIN("), of, words(")")]),
        }
    }

    /// What the rows of a window are parted or ordered by.
    fn window_key(&mut self, letter: char, scope: &Scope) -> Tree {
        match self.random.random_range(0..100) {
            0..15 => self.simple_condition(scope),
            15..30 => self.item(letter, scope, 0),
            30..35 => value("- (unary)", vec![words("(- "), self.key(letter, scope), words(")")]),
            _ => self.key(letter, scope),
        }
    }

    /// A column to group by, or a constant where no column fits.
    pub(super) fn key(&mut self, letter: char, scope: &Scope) -> Tree {
        scope.column(letter, self.random).or_else(|| scope.column('k', self.random)).unwrap_or_else(|| words("1 + 1"))
    }

    pub(super) fn column_or_literal(&mut self, letter: char, scope: &Scope) -> Tree {
        scope.column(letter, self.random).unwrap_or_else(|| leaf(letter, scope, self.random))
    }

    pub(super) fn item(&mut self, letter: char, scope: &Scope, depth: usize) -> Tree {
        match self.random.random_range(0..100) {
            0..62 => self.column_or_literal(letter, scope),
            62..74 if depth > 0 => self.scalar_subquery(letter, scope),
            74..82 if depth > 0 && letter == 'B' => self.condition(scope, depth - 1),
            _ => {
                let name = self.pick(PLAIN_VALUES);
                let form = match name {
                    "COALESCE" => "COALESCE({x}, {x})",
                    "IF" => "IF({b}, {x}, {x})",
                    "IFNULL" => "IFNULL({x}, {x})",
                    "NULLIF" => "NULLIF({x}, {x})",
                    _ => "CASE WHEN {b} THEN {x} ELSE {x} END",
                };
                let values = letters(form)
                    .into_iter()
                    .map(|slot| match slot {
                        'b' => self.simple_condition(scope),
                        _ => self.column_or_literal(letter, scope),
                    })
                    .collect();
                filled(name, form, values)
            }
        }
    }
}
