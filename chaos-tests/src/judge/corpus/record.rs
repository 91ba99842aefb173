//! The records of a sqllogictest file, as MySQL is to see them.

/// The database that files are read for.
const DATABASE: &str = "mysql";

/// One record.
#[derive(Debug, Clone)]
pub enum Record {
    /// A statement that writes.
    Write(String),
    /// A query, with what it gives.
    Query(Query),
}

/// A query, with what it gives.
#[derive(Debug, Clone)]
pub struct Query {
    /// Where it begins.
    pub line: usize,
    /// What is asked.
    pub sql: String,
    /// A letter a column: `I`, `R` or `T`.
    pub types: String,
    /// `nosort`, `rowsort` or `valuesort`.
    pub sort: String,
    /// What comes.
    pub expected: Expected,
}

/// What a query gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// These values.
    Values(Vec<String>),
    /// So many values, of this hash.
    Hash {
        /// How many.
        count: usize,
        /// Of all of them, a line each.
        md5: String,
    },
}

/// The records of a file that are for MySQL, up to where it halts.
pub fn parse(text: &str) -> Vec<Record> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let mut records = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let begin = at;
        let end = (at..lines.len()).find(|line| lines[*line].is_empty()).unwrap_or(lines.len());
        at = end + 1;
        let Some(halts) = record(begin, &lines[begin..end], &mut records) else { continue };
        if halts {
            break;
        }
    }
    records
}

/// Reads one record; says whether the file ends here, or nothing if it is none of MySQL's.
fn record(line: usize, lines: &[&str], records: &mut Vec<Record>) -> Option<bool> {
    let mut rest = lines.iter().copied().enumerate().skip_while(|(_, line)| line.starts_with('#')).peekable();
    loop {
        let words: Vec<&str> = rest.peek()?.1.split_whitespace().collect();
        match words[..] {
            ["skipif", database, ..] if database == DATABASE => return None,
            ["onlyif", database, ..] if database != DATABASE => return None,
            ["skipif" | "onlyif", ..] => rest.next(),
            ["halt", ..] => return Some(true),
            ["statement", "ok", ..] => {
                rest.next();
                records.push(Record::Write(rest.map(|(_, line)| line).collect::<Vec<_>>().join("\n")));
                return Some(false);
            }
            ["query", types, ..] => {
                let (offset, _) = rest.next()?;
                let sort = words.get(2).copied().unwrap_or("nosort").to_owned();
                let mut sql = Vec::new();
                for (_, line) in rest.by_ref() {
                    if line == "----" {
                        break;
                    }
                    sql.push(line);
                }
                let values: Vec<String> = rest.map(|(_, line)| line.to_owned()).collect();
                let expected = hash(&values).unwrap_or(Expected::Values(values));
                let query =
                    Query { line: line + offset + 1, sql: sql.join("\n"), types: types.to_owned(), sort, expected };
                records.push(Record::Query(query));
                return Some(false);
            }
            _ => return None,
        };
    }
}

/// `30 values hashing to 3c13dee48d9356ae19af2515e05e6b54`
fn hash(values: &[String]) -> Option<Expected> {
    let [line] = values else { return None };
    match line.split_whitespace().collect::<Vec<_>>()[..] {
        [count, "values", "hashing", "to", md5] => {
            Some(Expected::Hash { count: count.parse().ok()?, md5: md5.to_owned() })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_mysql_is_read() {
        let text = "# why\nonlyif mssql\nhalt\n\nstatement ok\nCREATE TABLE t(a INTEGER)\n\nskipif mysql # not so\nquery I nosort\n\
                    SELECT 1\n----\n1\n\nonlyif mysql # DIV\nquery II rowsort label-3\nSELECT 1,\n 2\n----\n1\n2\n\n\
                    query I nosort\nSELECT 3\n----\n30 values hashing to abc\n\nhalt\n\nstatement ok\nnever";
        let records = parse(text);
        assert_eq!(records.len(), 3, "{records:?}");
        let Record::Query(query) = &records[1] else { panic!("{records:?}") };
        assert_eq!((query.sql.as_str(), query.types.as_str(), query.sort.as_str()), ("SELECT 1,\n 2", "II", "rowsort"));
        assert_eq!(query.expected, Expected::Values(vec!["1".to_owned(), "2".to_owned()]));
        let Record::Query(query) = &records[2] else { panic!("{records:?}") };
        assert_eq!(query.expected, Expected::Hash { count: 30, md5: "abc".to_owned() });
    }
}
