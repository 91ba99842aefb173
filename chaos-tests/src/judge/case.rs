//! One case: a statement that is judged, in a form that can be made smaller.

use std::borrow::Cow;

use super::tables;
use super::tree::{Dialect, Tree};

/// The construct that tells the order of a statement's rows: without it, they come in any.
pub const ORDER_BY: &str = "ORDER BY";

/// What stands around an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame {
    /// It is the condition of the rows.
    Condition,
    /// One value a group.
    Groups,
    /// One value a row.
    Rows,
    /// One value of the whole table.
    All,
    /// The value of one row, by its key.
    Row,
    /// It names no column.
    Nothing,
}

/// A case.
#[derive(Debug, Clone)]
pub enum Case {
    /// An expression over `cluster_v`.
    Expression {
        /// The expression.
        tree: Tree,
        /// What stands around it.
        frame: Frame,
        /// The key of [`Frame::Row`].
        key: Option<i64>,
    },
    /// A whole statement; `ordered` if the order of its rows is told by it wholly.
    Query {
        /// The statement.
        tree: Tree,
        /// Whether the order of rows counts.
        ordered: bool,
    },
}

impl Case {
    /// What a database is asked.
    pub fn statement(&self, dialect: Dialect) -> String {
        match self {
            Self::Query { tree, .. } => tree.render(dialect),
            Self::Expression { tree, frame, key } => {
                let e = tree.render(dialect);
                match frame {
                    Frame::Condition => format!("SELECT k FROM cluster_v WHERE {e} ORDER BY k"),
                    Frame::Groups => format!("SELECT b, {e} FROM cluster_v GROUP BY b ORDER BY b"),
                    Frame::Rows => format!("SELECT k, {e} FROM cluster_v ORDER BY k"),
                    Frame::All => format!("SELECT {e} FROM cluster_v"),
                    Frame::Row => format!("SELECT {e} FROM cluster_v WHERE k = {}", key.unwrap_or_default()),
                    Frame::Nothing => format!("SELECT {e}"),
                }
            }
        }
    }

    /// What Unum is asked where no plan that it keeps may answer: the same, with a name in it that no other statement has.
    pub fn statement_for_a_fresh_plan(&self, number: usize) -> String {
        let sql = self.statement(Dialect::Unum);
        let unused = format!("fresh{number} AS (SELECT 1 AS x)");
        match sql.strip_prefix("WITH RECURSIVE ") {
            Some(rest) => format!("WITH RECURSIVE {unused}, {rest}"),
            None => match sql.strip_prefix("WITH ") {
                Some(rest) => format!("WITH {unused}, {rest}"),
                None => format!("WITH {unused} {sql}"),
            },
        }
    }

    /// Its tree.
    pub fn tree(&self) -> &Tree {
        match self {
            Self::Expression { tree, .. } | Self::Query { tree, .. } => tree,
        }
    }

    /// The same around another tree.
    #[must_use]
    pub fn with_tree(&self, tree: Tree) -> Self {
        match self {
            Self::Expression { frame, key, .. } => Self::Expression { tree, frame: *frame, key: *key },
            Self::Query { ordered, .. } => Self::Query { tree, ordered: *ordered },
        }
    }

    /// The same with another literal in the place of each.
    #[must_use]
    pub fn with_literals(&self, other: &mut impl FnMut(&str, char) -> Cow<'static, str>) -> Self {
        self.with_tree(self.tree().with_literals(other))
    }

    /// Whether the order of rows is told by it.
    pub fn ordered(&self) -> bool {
        match self {
            // Where an aggregate was cut away, there is a row a row.
            Self::Expression { frame, .. } => *frame != Frame::All,
            Self::Query { tree, ordered } => *ordered && tree.constructs().contains(&ORDER_BY),
        }
    }

    /// How much there is to read.
    pub fn weight(&self) -> usize {
        let frame = match self {
            Self::Query { .. } => 0,
            Self::Expression { frame, .. } => match frame {
                Frame::Condition => 400,
                Frame::Groups => 300,
                Frame::Rows => 200,
                Frame::All => 150,
                Frame::Row => 100,
                Frame::Nothing => 0,
            },
        };
        self.tree().weight() + frame
    }

    /// The same in a smaller frame, given the key of the row that differs.
    pub fn framed_smaller(&self, differing: Option<i64>) -> Vec<Self> {
        let Self::Expression { tree, frame, key } = self else { return Vec::new() };
        let framed = |frame, key| Self::Expression { tree: tree.clone(), frame, key };
        let mut smaller = Vec::new();
        if !tree.has_columns() {
            smaller.push(framed(Frame::Nothing, None));
        }
        match frame {
            Frame::Condition => smaller.push(framed(Frame::Rows, None)),
            Frame::Groups => smaller.push(framed(Frame::All, None)),
            Frame::Rows => smaller.extend(differing.map(|key| framed(Frame::Row, Some(key)))),
            Frame::Row => {
                let row = key.and_then(tables::main_row);
                let literal = |name: &str| {
                    let position = tables::MAIN.iter().position(|column| column.name == name)?;
                    Some(tables::literal(row.as_ref()?.get(position)?))
                };
                smaller.push(self.with_tree(substituted(tree, &literal)));
            }
            Frame::All | Frame::Nothing => {}
        }
        smaller
    }
}

/// A tree with what stands in a row in the place of its columns.
fn substituted(tree: &Tree, literal: &impl Fn(&str) -> Option<String>) -> Tree {
    match tree {
        Tree::Column(_, name) => literal(name).map_or_else(|| tree.clone(), |text| Tree::Literal(text.into(), 'x')),
        Tree::Node(construct, sort, parts) => {
            Tree::Node(construct, *sort, parts.iter().map(|part| substituted(part, literal)).collect())
        }
        other => other.clone(),
    }
}
