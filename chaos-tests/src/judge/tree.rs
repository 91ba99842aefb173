//! A statement as a tree: what the generator makes, what is shown to each database, and what the shrinker cuts.
//!
//! It knows nothing of SQL but which of its parts are values, which can go, and which are lists.

use std::borrow::Cow;

/// Whose words are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// MySQL's, which Unum takes.
    Unum,
    /// MariaDB's, where it does not know MySQL's words.
    MariaDb,
}

/// What may be done with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A value: another value may stand in its place.
    Value,
    /// It may go.
    Optional,
    /// Its parts stand between separators, and at least so many have to stay.
    List(&'static str, usize),
    /// A whole SELECT: another one may stand in its place.
    Query,
    /// Only its parts may change.
    Plain,
}

/// A statement, or a part of one.
#[derive(Debug, Clone)]
pub enum Tree {
    /// Words that both databases read.
    Words(Cow<'static, str>),
    /// Words that each reads in its own way.
    Dialects(Cow<'static, str>, Cow<'static, str>),
    /// A literal, and the slot that it was made for.
    Literal(Cow<'static, str>, char),
    /// A column as the statement names it, and its bare name.
    Column(String, &'static str),
    /// Parts that belong together, and the construct that they make: a function, an operator, a clause.
    Node(&'static str, Sort, Vec<Tree>),
}

impl Tree {
    /// Words.
    pub fn words(words: impl Into<Cow<'static, str>>) -> Self {
        Self::Words(words.into())
    }

    /// What a database is asked.
    pub fn render(&self, dialect: Dialect) -> String {
        let mut out = String::new();
        self.write(dialect, &mut out);
        out
    }

    fn write(&self, dialect: Dialect, out: &mut String) {
        match self {
            Self::Words(words) => out.push_str(words),
            Self::Dialects(unum, mariadb) => out.push_str(if dialect == Dialect::Unum { unum } else { mariadb }),
            // To MySQL both are one; to MariaDB only `0x…` is a number where a number is wanted.
            Self::Literal(text, _) if dialect == Dialect::MariaDb && text.starts_with("x'") && text.len() > 3 => {
                out.push_str(&text.replacen("x'", "0x", 1).replace('\'', ""));
            }
            Self::Literal(text, _) => out.push_str(text),
            Self::Column(text, _) => out.push_str(text),
            Self::Node(_, sort, parts) => {
                for (position, part) in parts.iter().enumerate() {
                    if let (Sort::List(separator, _), true) = (sort, position > 0) {
                        out.push_str(separator);
                    }
                    part.write(dialect, out);
                }
            }
        }
    }

    /// Whether it is a value: one may stand for another.
    pub fn is_value(&self) -> bool {
        matches!(self, Self::Literal(..) | Self::Column(..) | Self::Node(_, Sort::Value, _))
    }

    /// How much there is to read: what the shrinker makes less of.
    pub fn weight(&self) -> usize {
        match self {
            Self::Words(words) => usize::from(!words.is_empty()),
            Self::Dialects(..) => 1,
            Self::Literal(text, _) => 1 + text.len().min(40),
            // A statement over literals is easier to look at than one over a table.
            Self::Column(..) => 60,
            Self::Node(_, _, parts) => 3 + parts.iter().map(Self::weight).sum::<usize>(),
        }
    }

    /// The constructs of it, in order, each once.
    pub fn constructs(&self) -> Vec<&'static str> {
        fn collect(tree: &Tree, found: &mut Vec<&'static str>) {
            if let Tree::Node(construct, _, parts) = tree {
                if !construct.is_empty() && !found.contains(construct) {
                    found.push(construct);
                }
                parts.iter().for_each(|part| collect(part, found));
            }
        }
        let mut found = Vec::new();
        collect(self, &mut found);
        found
    }

    /// How many constructs of it are so, each as often as it is there.
    pub fn count(&self, is_so: &impl Fn(&str) -> bool) -> usize {
        match self {
            Self::Node(construct, _, parts) => {
                let inside: usize = parts.iter().map(|part| part.count(is_so)).sum();
                inside + usize::from(!construct.is_empty() && is_so(construct))
            }
            _ => 0,
        }
    }

    /// Whether a literal of it is so.
    pub fn any_literal(&self, is_so: &impl Fn(&str) -> bool) -> bool {
        match self {
            Self::Literal(text, _) => is_so(text),
            Self::Node(_, _, parts) => parts.iter().any(|part| part.any_literal(is_so)),
            _ => false,
        }
    }

    /// Whether it names that column.
    pub fn names(&self, column: &str) -> bool {
        match self {
            Self::Column(_, name) => *name == column,
            Self::Node(_, _, parts) => parts.iter().any(|part| part.names(column)),
            _ => false,
        }
    }

    /// Whether it names a column.
    pub fn has_columns(&self) -> bool {
        match self {
            Self::Column(..) => true,
            Self::Node(_, _, parts) => parts.iter().any(Self::has_columns),
            _ => false,
        }
    }

    /// The same with another literal in the place of each.
    #[must_use]
    pub fn with_literals(&self, other: &mut impl FnMut(&str, char) -> Cow<'static, str>) -> Self {
        match self {
            Self::Literal(text, slot) => Self::Literal(other(text, *slot), *slot),
            Self::Node(construct, sort, parts) => {
                Self::Node(construct, *sort, parts.iter().map(|part| part.with_literals(other)).collect())
            }
            other => other.clone(),
        }
    }
}
