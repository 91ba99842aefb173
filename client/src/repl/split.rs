//! Cutting text into statements and meta commands.
//!
//! It knows MySQL's quotes and comments, as far as a `;` in them is none, and nothing else of SQL.

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A statement, without what ended it.
    Statement {
        /// The SQL.
        sql: String,
        /// It ended with `\G`: its rows are shown one value a line.
        vertical: bool,
    },
    /// A line that begins with `\` or `.`: not SQL.
    Meta(String),
}

/// What a text is made of, and whether its last part has an end.
#[derive(Debug, PartialEq, Eq)]
pub struct Split {
    /// In order. What is only comments is left out.
    pub parts: Vec<Part>,
    /// The line, from 1, that each begins on.
    pub lines: Vec<usize>,
    /// Whether the last statement was ended, and no quote or comment is open.
    pub complete: bool,
}

/// Where the scanner is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Sql,
    Quote(char),
    LineComment,
    BlockComment,
}

/// Cuts a text.
pub fn split(text: &str) -> Split {
    let mut parts = Vec::new();
    let mut starts = Vec::new();
    let mut within = Within::Sql;
    // The statement so far begins here, and has anything but blanks and comments.
    let (mut start, mut begun) = (0, false);
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, c)| *c);
        match within {
            Within::LineComment if c == '\n' => within = Within::Sql,
            Within::BlockComment if c == '*' && next == Some('/') => {
                rest.next();
                within = Within::Sql;
            }
            Within::Quote(_) if c == '\\' => drop(rest.next()),
            Within::Quote(quote) if c == quote => within = Within::Sql,
            Within::LineComment | Within::BlockComment | Within::Quote(_) => {}
            Within::Sql => match (c, next) {
                ('\'' | '"' | '`', _) => (within, begun) = (Within::Quote(c), true),
                ('#', _) => within = Within::LineComment,
                ('-', Some('-')) if is_blank_or_end(text[at + 2..].chars().next()) => within = Within::LineComment,
                ('/', Some('*')) => {
                    rest.next();
                    within = Within::BlockComment;
                }
                (';', _) => {
                    push(&mut parts, &mut starts, text, start..at, begun, false);
                    (start, begun) = (at + 1, false);
                }
                ('\\', Some(end @ ('g' | 'G'))) if begun && is_blank_or_end(text[at + 2..].chars().next()) => {
                    rest.next();
                    push(&mut parts, &mut starts, text, start..at, begun, end == 'G');
                    (start, begun) = (at + 2, false);
                }
                ('\\' | '.', _) if c == '\\' || !begun => {
                    push(&mut parts, &mut starts, text, start..at, begun, false);
                    let line = text[at..].lines().next().unwrap_or_default();
                    parts.push(Part::Meta(line.trim_end().trim_end_matches(';').to_owned()));
                    starts.push(at);
                    start = at + line.len();
                    begun = false;
                    while rest.next_if(|(at, _)| *at < start).is_some() {}
                }
                (c, _) => begun |= !c.is_whitespace(),
            },
        }
    }
    let open = matches!(within, Within::Quote(_) | Within::BlockComment);
    push(&mut parts, &mut starts, text, start..text.len(), begun, false);
    Split { parts, lines: lines_of(text, &starts), complete: !begun && !open }
}

fn is_blank_or_end(c: Option<char>) -> bool {
    c.is_none_or(|c| c.is_whitespace() || c == ';')
}

fn push(
    parts: &mut Vec<Part>,
    starts: &mut Vec<usize>,
    text: &str,
    range: std::ops::Range<usize>,
    begun: bool,
    vertical: bool,
) {
    if begun {
        let sql = &text[range.clone()];
        parts.push(Part::Statement { sql: sql.trim().to_owned(), vertical });
        starts.push(range.start + (sql.len() - sql.trim_start().len()));
    }
}

/// The lines of places in a text, which are in order.
fn lines_of(text: &str, starts: &[usize]) -> Vec<usize> {
    let (mut line, mut from) = (1, 0);
    let mut of = |start: &usize| {
        line += text[from..*start].matches('\n').count();
        from = *start;
        line
    };
    starts.iter().map(&mut of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> Part {
        Part::Statement { sql: text.to_owned(), vertical: false }
    }

    fn meta(text: &str) -> Part {
        Part::Meta(text.to_owned())
    }

    #[test]
    fn text_is_cut_where_statements_end() {
        for (text, expected, complete) in [
            ("SELECT 1; SELECT 2", vec![sql("SELECT 1"), sql("SELECT 2")], false),
            ("SELECT ';' ;\n-- a;b\nSELECT \"é;\";;", vec![sql("SELECT ';'"), sql("-- a;b\nSELECT \"é;\"")], true),
            ("SELECT 'it''s; \\'; x' AS `a;b`;", vec![sql("SELECT 'it''s; \\'; x' AS `a;b`")], true),
            ("/* only ; a comment */ ; # and ; this", vec![], true),
            ("SELECT 1--1;", vec![sql("SELECT 1--1")], true),
            ("", vec![], true),
            ("SELECT 'open;", vec![sql("SELECT 'open;")], false),
            ("/* open ;", vec![], false),
            ("SELECT 1 \\G", vec![Part::Statement { sql: "SELECT 1".into(), vertical: true }], true),
            ("SELECT 1\\g SELECT 2;", vec![sql("SELECT 1"), sql("SELECT 2")], true),
            ("\\d nodes\nSELECT 1;", vec![meta("\\d nodes"), sql("SELECT 1")], true),
            ("SELECT 1; \\watch 2", vec![sql("SELECT 1"), meta("\\watch 2")], true),
            ("SELECT 1 \\watch 2", vec![sql("SELECT 1"), meta("\\watch 2")], true),
            (".tables\n.mode csv;\n", vec![meta(".tables"), meta(".mode csv")], true),
            ("SELECT .5;", vec![sql("SELECT .5")], true),
            ("\\o it's\nSELECT 1;", vec![meta("\\o it's"), sql("SELECT 1")], true),
        ] {
            let Split { parts, complete: is_complete, .. } = split(text);
            assert_eq!((parts, is_complete), (expected, complete), "{text:?}");
        }
    }

    #[test]
    fn each_part_has_the_line_that_it_begins_on() {
        assert_eq!(split("SELECT 1;\n\nSELECT\n2; SELECT 3;\n\\d nodes\nSELECT 4").lines, [1, 3, 4, 5, 6]);
    }
}
