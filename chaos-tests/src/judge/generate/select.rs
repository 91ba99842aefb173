//! Whole SELECTs by chance: sources and joins, conditions with subqueries, groups, windows, set operations, order and limit.
//!
//! Values are kept simple here, so that what fails is about the statement and not about a function.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::expression::{self, Named, Scope, filled, leaf, letters};
use super::functions::FUNCTIONS;
use crate::judge::case::{Case, ORDER_BY};
use crate::judge::tables::{self, Column};
use crate::judge::tree::{Sort, Tree};
use unum_client::DataType;

/// How many sources a FROM has at most.
const SOURCES_MAX: usize = 3;

/// What a result column can be: keys, small integers, tame doubles, texts and times.
const ITEM_LETTERS: &[char] = &['k', 'k', 'i', 'i', 'g', 't', 't', 'S', 'B'];

/// Functions that items and conditions are made of besides columns.
const PLAIN_VALUES: &[&str] = &["COALESCE", "IF", "CASE", "IFNULL", "NULLIF"];
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
        self.finished(Body { tree, is_rollup: false }, columns.len(), ORDER_BY)
    }

    fn with_common_table(&mut self, columns: &[char]) -> (Tree, bool) {
        let inner = self.body(columns, 1, &Scope::default()).tree;
        let scope = output_scope("q", columns);
        let (from, scope) = match self.chance(0.3) {
            true => {
                let joined = node("CTE twice", vec![words("q LEFT JOIN q r ON q.c1 = r.c1")]);
                (joined, scope.and(&output_scope("r", columns)))
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
                Body::of(query(vec![words("SELECT "), named(items), from, condition]))
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
                Body::of(query(vec![distinct, named(items), from, condition]))
            }
        }
    }

    fn grouped(&mut self, columns: &[char], from: Tree, condition: Tree, scope: &Scope, depth: usize) -> Body {
        let keys = self.random.random_range(1..=columns.len().min(2));
        let mut items: Vec<Tree> = columns[..keys].iter().map(|letter| self.key(*letter, scope)).collect();
        let by: Vec<Tree> = match self.random.random_range(0..4) {
            0 => (0..keys).map(|position| words((position + 1).to_string())).collect(),
            1 => (0..keys).map(|position| words(OUTPUT_NAMES[position])).collect(),
            _ => items.clone(),
        };
        items.extend(self.aggregates(&columns[keys..], scope));
        let is_rollup = self.chance(0.12);
        let rollup = if is_rollup { optional("WITH ROLLUP", vec![words(" WITH ROLLUP")]) } else { words("") };
        let having = if self.chance(0.35) { self.having(scope, depth) } else { words("") };
        let group = node("GROUP BY", vec![words(" GROUP BY "), Tree::Node("", Sort::List(", ", keys), by)]);
        Body { tree: query(vec![words("SELECT "), named(items), from, condition, group, rollup, having]), is_rollup }
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

    fn aggregates(&mut self, columns: &[char], scope: &Scope) -> Vec<Tree> {
        columns.iter().map(|letter| self.aggregate(*letter, scope)).collect()
    }

    fn aggregate(&mut self, letter: char, scope: &Scope) -> Tree {
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
    fn window(&mut self, scope: &Scope) -> Tree {
        let (by, order, of) = (self.key('i', scope), self.key('k', scope), self.key('k', scope));
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
            5 => whole("CUME_DIST", vec![words("CUME_DIST()")]),
            _ => whole("MIN OVER", vec![words("MIN("), of, words(")")]),
        }
    }

    /// A column to group by, or a constant where no column fits.
    fn key(&mut self, letter: char, scope: &Scope) -> Tree {
        scope.column(letter, self.random).or_else(|| scope.column('k', self.random)).unwrap_or_else(|| words("1 + 1"))
    }

    fn column_or_literal(&mut self, letter: char, scope: &Scope) -> Tree {
        scope.column(letter, self.random).unwrap_or_else(|| leaf(letter, scope, self.random))
    }

    fn item(&mut self, letter: char, scope: &Scope, depth: usize) -> Tree {
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

    fn where_clause(&mut self, scope: &Scope, depth: usize) -> Tree {
        let condition = self.condition(scope, depth);
        optional("WHERE", vec![words(" WHERE "), condition])
    }

    fn condition(&mut self, scope: &Scope, depth: usize) -> Tree {
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

    fn simple_condition(&mut self, scope: &Scope) -> Tree {
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
    fn inner_table(&mut self) -> (Tree, Scope, String) {
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
    fn correlated(&mut self, inner: &Scope, outer: &Scope) -> Tree {
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

    fn scalar_subquery(&mut self, letter: char, outer: &Scope) -> Tree {
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

    fn exists(&mut self, outer: &Scope) -> Tree {
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

    fn in_subquery(&mut self, outer: &Scope) -> Tree {
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

    fn compared_subquery(&mut self, outer: &Scope) -> Tree {
        let letter = self.pick(&['k', 'i', 't', 'g']);
        let (one, other) = (self.key(letter, outer), self.scalar_subquery(letter, outer));
        let sign = self.pick(&[" = ", " < ", " > ", " <> ", " >= ", " <=> "]);
        value("", vec![words("("), one, words(sign), other, words(")")])
    }

    fn any_or_all(&mut self, outer: &Scope) -> Tree {
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

    fn from(&mut self, depth: usize, outer: &Scope) -> (Tree, Scope) {
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

    fn on(&mut self, left: &Scope, right: &Scope) -> Tree {
        let letter = self.pick(&['k', 'k', 'k', 'i', 't']);
        let (one, other) = (self.key(letter, left), self.key(letter, right));
        let sign = self.pick(&[" = ", " = ", " = ", " = ", " < ", " <=> "]);
        let mut conditions = vec![node("", vec![one, words(sign), other])];
        if self.chance(0.3) {
            conditions.push(self.simple_condition(&left.and(right)));
        }
        node("", vec![words(" ON "), list(" AND ", conditions)])
    }

    fn natural(&mut self) -> (Tree, Scope) {
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

    fn source(&mut self, depth: usize, outer: &Scope, is_small: bool) -> (Tree, Scope) {
        let alias = self.alias();
        if depth > 0 && self.chance(0.15) {
            let count = self.random.random_range(1..=3);
            let columns: Vec<char> = (0..count).map(|_| self.pick(ITEM_LETTERS)).collect();
            let body = self.body(&columns, 0, &Scope::default());
            let (inner, _) = self.finished(body, count, "inner ORDER BY");
            let tree = node("derived table", vec![words("("), inner, words(format!(") {alias}"))]);
            return (tree, output_scope(&alias, &columns));
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

struct Body {
    tree: Tree,
    is_rollup: bool,
}

impl Body {
    fn of(tree: Tree) -> Self {
        Self { tree, is_rollup: false }
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

/// The columns of a derived table, by the letters that they were made for.
fn output_scope(alias: &str, columns: &[char]) -> Scope {
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
