//! Whole SELECTs by chance: sources and joins, conditions with subqueries, groups, windows, set operations, order and limit.
//!
//! Values are kept simple here, so that what fails is about the statement and not about a function.

mod conditions;
mod from;
mod values;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::expression::{Scope, leaf};
use crate::judge::case::{Case, ORDER_BY};
use crate::judge::tree::{Sort, Tree};

/// What a result column can be: keys, small integers, tame doubles, texts and times.
const ITEM_LETTERS: &[char] = &['k', 'k', 'i', 'i', 'g', 't', 't', 'S', 'B'];

/// The columns of what has no table: by position.
const OUTPUT_NAMES: [&str; 6] = ["c1", "c2", "c3", "c4", "c5", "c6"];

/// A construct, a statement without its order, and MariaDB's words for it where they differ; `#` is some digit.
const FIXED: &[(&str, &str, &str)] = &[
    (
        "JSON_TABLE",
        r#"SELECT n, a FROM JSON_TABLE('[{"a": #}, {"a": "x"}, {}]', '$[*]' COLUMNS (n FOR ORDINALITY, a VARCHAR(9) PATH '$.a')) AS q"#,
        "",
    ),
    (
        "GROUPING",
        "SELECT q.* FROM (SELECT k, GROUPING(k), COUNT(*) FROM cluster_x WHERE k > # GROUP BY k WITH ROLLUP) q",
        "SELECT q.* FROM (SELECT k, k IS NULL, COUNT(*) FROM cluster_x WHERE k > # GROUP BY k WITH ROLLUP) q",
    ),
    ("VALUES", "SELECT * FROM (VALUES ROW(1, #), ROW(2, NULL)) q", "SELECT * FROM (VALUES (1, #), (2, NULL)) q"),
    (
        "NATURAL JOIN",
        "SELECT k, t FROM (SELECT k, t FROM cluster_x) p NATURAL JOIN (SELECT k, s FROM cluster_w WHERE k > #) o",
        "",
    ),
    (
        "NATURAL RIGHT JOIN",
        "SELECT k, s FROM (SELECT k, t FROM cluster_x) p NATURAL RIGHT JOIN (SELECT k, s FROM cluster_w WHERE k > #) o",
        "",
    ),
    ("window name", "SELECT k, SUM(s) OVER w FROM cluster_v WHERE k > # WINDOW w AS (PARTITION BY b ORDER BY k)", ""),
    ("parentheses", "(SELECT k, s FROM cluster_w WHERE k > #) UNION (SELECT k, i FROM cluster_x)", ""),
    ("LIMIT in parentheses", "(SELECT k, s FROM cluster_w ORDER BY k DESC LIMIT #) UNION ALL (SELECT 0, 1)", ""),
    ("STRAIGHT_JOIN", "SELECT v.k, w.k FROM cluster_v v STRAIGHT_JOIN cluster_w w ON v.k = w.v AND w.s > #", ""),
    ("HAVING without GROUP BY", "SELECT k, s AS q FROM cluster_w HAVING q > #", ""),
    ("ORDER BY in GROUP BY", "SELECT s + # AS q, COUNT(*) FROM cluster_v GROUP BY q", ""),
    (
        "correlated derived aggregate",
        "SELECT k, (SELECT COUNT(*) FROM cluster_w w WHERE w.v = v.k AND w.s > #) FROM cluster_v v",
        "",
    ),
    ("DUAL", "SELECT #, 'x' FROM DUAL", ""),
    ("user variables", "SELECT @a IS NULL, #", ""),
];

/// A statement.
pub fn case(random: &mut StdRng) -> Case {
    let mut maker = Maker { random, aliases: 0 };
    let (tree, ordered) = maker.statement();
    Case::Query { tree, ordered }
}

struct Maker<'a> {
    random: &'a mut StdRng,
    aliases: usize,
}

fn node(construct: &'static str, parts: Vec<Tree>) -> Tree {
    Tree::Node(construct, Sort::Plain, parts)
}

fn optional(construct: &'static str, parts: Vec<Tree>) -> Tree {
    Tree::Node(construct, Sort::Optional, parts)
}

fn value(construct: &'static str, parts: Vec<Tree>) -> Tree {
    Tree::Node(construct, Sort::Value, parts)
}

fn list(separator: &'static str, items: Vec<Tree>) -> Tree {
    Tree::Node("", Sort::List(separator, 1), items)
}

fn words(text: impl Into<std::borrow::Cow<'static, str>>) -> Tree {
    Tree::words(text)
}

impl Maker<'_> {
    fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        *of.choose(self.random).expect("something to pick from")
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("a{}", self.aliases)
    }

    fn statement(&mut self) -> (Tree, bool) {
        let count = self.random.random_range(1..=4);
        let columns: Vec<char> = (0..count).map(|_| self.pick(ITEM_LETTERS)).collect();
        match self.random.random_range(0..100) {
            0..14 => self.set_operation(&columns),
            14..22 => self.with_common_table(&columns),
            22..25 => self.recursive(),
            25..28 => self.fixed(),
            _ => {
                let body = self.body(&columns, 2, &Scope::default());
                self.finished(body, count, ORDER_BY)
            }
        }
    }

    /// A SELECT with an ORDER BY over all of its columns and a LIMIT, or without both.
    fn finished(&mut self, body: Body, count: usize, order_by: &'static str) -> (Tree, bool) {
        if !self.chance(0.6) || body.is_rollup {
            return (body.tree, false);
        }
        let mut positions: Vec<usize> = (0..count).collect();
        rand::seq::SliceRandom::shuffle(&mut positions[..], self.random);
        let keys = positions
            .into_iter()
            .map(|position| {
                let key = match self.chance(0.5) {
                    true => OUTPUT_NAMES[position].to_owned(),
                    false => (position + 1).to_string(),
                };
                let direction = self.pick(&["", " ASC", " DESC"]);
                words(format!("{key}{direction}"))
            })
            .collect();
        let mut keys: Vec<Tree> = keys;
        if !body.sorted_by.is_empty() && self.chance(0.25) {
            let key = self.sort_key(&body);
            keys.insert(0, key);
        }
        // Without the order there is no limit: which rows it leaves would be by chance.
        let mut order = vec![words(" ORDER BY "), Tree::Node("", Sort::List(", ", count), keys)];
        if self.chance(0.5) {
            let (limit, offset) = (self.random.random_range(0..12), self.random.random_range(0..6));
            let text = match self.random.random_range(0..3) {
                0 => format!(" LIMIT {limit}"),
                1 => format!(" LIMIT {limit} OFFSET {offset}"),
                _ => format!(" LIMIT {offset}, {limit}"),
            };
            order.push(optional("LIMIT", vec![words(text)]));
        }
        (node("", vec![body.tree, optional(order_by, order)]), true)
    }

    /// What a SELECT has as a value, or an expression of it: rows that are distinct have only the first.
    fn sort_key(&mut self, body: &Body) -> Tree {
        let position = self.random.random_range(0..body.sorted_by.len());
        let item = body.sorted_by[position].clone();
        let (construct, before, after) = match body.is_distinct {
            true => ("ORDER BY value", "", ""),
            false => self.pick(&[
                ("ORDER BY value", "", ""),
                ("ORDER BY expression", "(", ") IS NULL"),
                ("ORDER BY expression", "COALESCE(", ", 1) > 1"),
                ("ORDER BY expression", "LENGTH(", ") > 2"),
                ("ORDER BY expression", "NOT (", " = 1)"),
            ]),
        };
        let direction = self.pick(&["", " DESC"]);
        node(construct, vec![words(before), item, words(after), words(direction)])
    }

    fn set_operation(&mut self, columns: &[char]) -> (Tree, bool) {
        let mut tree = self.body(columns, 1, &Scope::default()).tree;
        for _ in 0..self.random.random_range(1..=2) {
            let (construct, text) = self.pick(&[
                ("UNION", " UNION "),
                ("UNION ALL", " UNION ALL "),
                ("UNION", " UNION DISTINCT "),
                ("INTERSECT", " INTERSECT "),
                ("EXCEPT", " EXCEPT "),
                ("INTERSECT ALL", " INTERSECT ALL "),
                ("EXCEPT ALL", " EXCEPT ALL "),
            ]);
            let other = self.body(columns, 1, &Scope::default()).tree;
            tree = Tree::Node(construct, Sort::Query, vec![tree, words(text), other]);
        }
        self.finished(Body::of(tree, Vec::new()), columns.len(), ORDER_BY)
    }

    fn with_common_table(&mut self, columns: &[char]) -> (Tree, bool) {
        let inner = self.body(columns, 1, &Scope::default()).tree;
        let scope = Self::output_scope("q", columns);
        let (from, scope) = match self.chance(0.3) {
            true => {
                let joined = node("CTE twice", vec![words("q LEFT JOIN q r ON q.c1 = r.c1")]);
                (joined, scope.and(&Self::output_scope("r", columns)))
            }
            false => (words("q"), scope),
        };
        let body = self.select_from(columns, from, scope, 1);
        let named = words(format!("WITH q({}) AS (", OUTPUT_NAMES[..columns.len()].join(", ")));
        let with = node("WITH", vec![named, inner, words(") ")]);
        let (finished, ordered) = self.finished(body, columns.len(), ORDER_BY);
        (node("", vec![with, finished]), ordered)
    }

    /// What is about one construct, and as it is.
    fn fixed(&mut self) -> (Tree, bool) {
        let (construct, unum, mariadb) = self.pick(FIXED);
        let number = self.random.random_range(0..9).to_string();
        let with = |text: &str| text.replace('#', &number);
        let words = Tree::Dialects(with(unum).into(), with(if mariadb.is_empty() { unum } else { mariadb }).into());
        (node(construct, vec![words, node(ORDER_BY, vec![Tree::words(" ORDER BY 1, 2")])]), true)
    }

    fn recursive(&mut self) -> (Tree, bool) {
        let end = self.random.random_range(2..9);
        let text = self.pick(&[
            "SELECT i, i * 2 FROM r",
            "SELECT COUNT(*), SUM(i) FROM r",
            "SELECT r.i, v.k FROM r LEFT JOIN cluster_v v ON v.k = r.i",
            "SELECT k, (SELECT MAX(i) FROM r WHERE i < cluster_x.k) FROM cluster_x",
        ]);
        let with = format!("WITH RECURSIVE r AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM r WHERE i < {end}) {text}");
        (node("WITH RECURSIVE", vec![words(with), node(ORDER_BY, vec![words(" ORDER BY 1, 2")])]), true)
    }

    /// A SELECT of values for these letters.
    fn body(&mut self, columns: &[char], depth: usize, outer: &Scope) -> Body {
        let (from, scope) = self.from(depth, outer);
        self.select_from(columns, from, scope, depth)
    }

    fn select_from(&mut self, columns: &[char], from: Tree, scope: Scope, depth: usize) -> Body {
        let condition = if self.chance(0.55) { self.where_clause(&scope, depth) } else { words("") };
        let from = node("", vec![words(" FROM "), from]);
        match self.random.random_range(0..100) {
            0..25 => self.grouped(columns, from, condition, &scope, depth),
            25..35 => {
                let items = self.aggregates(columns, &scope);
                let sorted_by = items.clone();
                Body::of(query(vec![words("SELECT "), named(items), from, condition]), sorted_by)
            }
            kind => {
                let distinct = match kind {
                    35..50 => node("DISTINCT", vec![words("SELECT DISTINCT ")]),
                    _ => words("SELECT "),
                };
                let windowed = kind >= 85;
                let mut items: Vec<Tree> = columns.iter().map(|letter| self.item(*letter, &scope, depth)).collect();
                if windowed {
                    let last = items.len() - 1;
                    items[last] = self.window(&scope);
                }
                let (sorted_by, is_distinct) = (items.clone(), (35..50).contains(&kind));
                let tree = query(vec![distinct, named(items), from, condition]);
                Body { is_distinct, ..Body::of(tree, sorted_by) }
            }
        }
    }

    fn grouped(&mut self, columns: &[char], from: Tree, condition: Tree, scope: &Scope, depth: usize) -> Body {
        let keys = self.random.random_range(1..=columns.len().min(2));
        let mut items: Vec<Tree> = columns[..keys].iter().map(|letter| self.key(*letter, scope)).collect();
        let is_rollup = self.chance(0.12);
        let by: Vec<Tree> = match self.random.random_range(0..4) {
            0 => (0..keys).map(|position| words((position + 1).to_string())).collect(),
            // MariaDB does not put NULL into a column of a ROLLUP that is grouped by its name.
            1 if !is_rollup => (0..keys).map(|position| words(OUTPUT_NAMES[position])).collect(),
            _ => items.clone(),
        };
        items.extend(self.aggregates(&columns[keys..], scope));
        let rollup = if is_rollup { optional("WITH ROLLUP", vec![words(" WITH ROLLUP")]) } else { words("") };
        let having = if self.chance(0.35) { self.having(scope, depth) } else { words("") };
        let group = node("GROUP BY", vec![words(" GROUP BY "), Tree::Node("", Sort::List(", ", keys), by)]);
        let sorted_by = items.clone();
        let tree = query(vec![words("SELECT "), named(items), from, condition, group, rollup, having]);
        Body { is_rollup, ..Body::of(tree, sorted_by) }
    }

    fn having(&mut self, scope: &Scope, depth: usize) -> Tree {
        let aggregate = self.aggregate('i', scope);
        let other = match depth > 0 && self.chance(0.3) {
            true => self.scalar_subquery('i', &Scope::default()),
            false => leaf('i', &Scope::default(), self.random),
        };
        let sign = self.pick(&[" > ", " <= ", " <> ", " = "]);
        optional("HAVING", vec![words(" HAVING "), value("", vec![aggregate, words(sign), other])])
    }
}

struct Body {
    tree: Tree,
    /// The values of its SELECT, if it is one.
    sorted_by: Vec<Tree>,
    is_rollup: bool,
    is_distinct: bool,
}

impl Body {
    fn of(tree: Tree, sorted_by: Vec<Tree>) -> Self {
        Self { tree, sorted_by, is_rollup: false, is_distinct: false }
    }
}

fn query(parts: Vec<Tree>) -> Tree {
    Tree::Node("", Sort::Query, parts)
}

/// Items with names by their position.
fn named(items: Vec<Tree>) -> Tree {
    let named = |(position, item)| node("", vec![item, words(format!(" AS {}", OUTPUT_NAMES[position]))]);
    Tree::Node("", Sort::List(", ", 1), items.into_iter().enumerate().map(named).collect())
}
