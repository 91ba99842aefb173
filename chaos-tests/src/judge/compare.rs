//! Whether two answers are one: doubles within a relative error, everything else exactly.
//!
//! What is the same value in another shape (a double for a decimal, a timestamp for a date) is told apart from what is
//! wrong: both count as differences, but a reader wants to see the wrong ones first.

use super::cell::{Answer, Cell, Type};

/// How far two doubles may be apart, relative to the larger one.
const RELATIVE_ERROR: f64 = 1e-12;

/// What comes of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Both give the same rows.
    Same,
    /// Both refuse it.
    BothRefuse,
    /// MariaDB answers something else, and the witness as Unum does.
    Upheld,
    /// Only Unum refuses it, and says why.
    UnumRefuses(String),
    /// Only MariaDB refuses it, and says why.
    UnumOnly(String),
    /// The same values in another shape.
    Shape(Gap),
    /// Other rows.
    Wrong(Gap),
    /// Unum did not answer as a server should.
    Broken(String),
    /// Unum took too long, and MariaDB did not.
    Late,
    /// MariaDB took too long.
    Undecided,
}

impl Verdict {
    /// Whether there is nothing to look at.
    pub fn is_fine(&self) -> bool {
        matches!(self, Self::Same | Self::BothRefuse | Self::Upheld | Self::Undecided)
    }
}

/// Where two answers part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What MariaDB has there.
    pub mariadb: String,
    /// What Unum has there.
    pub unum: String,
    /// The first value of MariaDB's row: the key, where that is one.
    pub key: Option<String>,
    /// The two cells that differ most, MariaDB's first; none where one of them has no such row.
    pub cells: Option<(Cell, Cell)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Match {
    Same,
    Shape,
    Wrong,
}

/// Judges two answers to one statement; `ordered` if the order of rows is told by it wholly.
pub fn judge(mariadb: Answer, unum: Answer, ordered: bool) -> Verdict {
    match (mariadb, unum) {
        (_, Answer::Broken(why)) => Verdict::Broken(why),
        (Answer::Late | Answer::Broken(_), _) => Verdict::Undecided,
        (_, Answer::Late) => Verdict::Late,
        (Answer::Refused(_), Answer::Refused(_)) => Verdict::BothRefuse,
        (Answer::Refused(why), Answer::Rows(_)) => Verdict::UnumOnly(why),
        (Answer::Rows(_), Answer::Refused(why)) => Verdict::UnumRefuses(why),
        (Answer::Rows(mut mariadb), Answer::Rows(mut unum)) => {
            if !ordered {
                for rows in [&mut mariadb, &mut unum] {
                    rows.sort_by_cached_key(|row| sort_key(row));
                }
            }
            compare(&mariadb, &unum)
        }
    }
}

fn compare(mariadb: &[Vec<Cell>], unum: &[Vec<Cell>]) -> Verdict {
    let mut worst = (Match::Same, 0);
    for (position, (ours, theirs)) in mariadb.iter().zip(unum).enumerate() {
        let found = match ours.len() == theirs.len() {
            true => ours.iter().zip(theirs).map(|(a, b)| equal(a, b)).max().unwrap_or(Match::Same),
            false => Match::Wrong,
        };
        if found > worst.0 {
            worst = (found, position);
        }
    }
    if mariadb.len() != unum.len() && worst.0 < Match::Wrong {
        worst = (Match::Wrong, mariadb.len().min(unum.len()));
    }
    let (found, at) = worst;
    let shown = |rows: &[Vec<Cell>]| match rows.get(at) {
        Some(row) => row.iter().map(Cell::shown).collect::<Vec<_>>().join(" | "),
        None => format!("{} rows", rows.len()),
    };
    let key = mariadb.get(at).and_then(|row| Some(String::from_utf8_lossy(row.first()?.bytes.as_ref()?).into_owned()));
    let cells = mariadb.get(at).zip(unum.get(at)).and_then(|(ours, theirs)| {
        let pairs = ours.iter().zip(theirs);
        pairs.min_by_key(|(a, b)| std::cmp::Reverse(equal(a, b))).map(|(a, b)| (a.clone(), b.clone()))
    });
    let gap = Gap { mariadb: shown(mariadb), unum: shown(unum), key, cells };
    match found {
        Match::Same => Verdict::Same,
        Match::Shape => Verdict::Shape(gap),
        Match::Wrong => Verdict::Wrong(gap),
    }
}

fn equal(mariadb: &Cell, unum: &Cell) -> Match {
    let (Some(a), Some(b)) = (&mariadb.bytes, &unum.bytes) else {
        return if mariadb.bytes == unum.bytes { Match::Same } else { Match::Wrong };
    };
    if a == b {
        return Match::Same;
    }
    let is_numeric = mariadb.of != Type::Text || unum.of != Type::Text;
    if let (true, Some(x), Some(y)) = (is_numeric, mariadb.number(), unum.number()) {
        return numbers(mariadb, unum, x, y);
    }
    if is_time(a) && is_time(b) && (mariadb.of == Type::Time || unum.of == Type::Time) {
        let (x, y) = (trimmed(a), trimmed(b));
        return match (x == y, mariadb.of == unum.of) {
            (true, true) => Match::Same,
            (true, false) => Match::Shape,
            _ if midnight(x) == midnight(y) => Match::Shape,
            _ => Match::Wrong,
        };
    }
    Match::Wrong
}

fn numbers(mariadb: &Cell, unum: &Cell, x: f64, y: f64) -> Match {
    let close = x == y || (x - y).abs() <= RELATIVE_ERROR * x.abs().max(y.abs());
    match (mariadb.of, unum.of) {
        (Type::Double | Type::Fixed(_), Type::Double | Type::Integer | Type::Decimal) if close => Match::Same,
        (Type::Fixed(_), Type::Double) if (x - y).abs() <= half_of_last_digit(mariadb) => Match::Same,
        (Type::Double, Type::Double) => Match::Wrong,
        // Other digits behind the point, of one number.
        _ if close && is_in_doubles_reach(mariadb, unum) => Match::Shape,
        (Type::Decimal, Type::Double) if (x - y).abs() <= half_of_last_digit(mariadb) => Match::Shape,
        _ => Match::Wrong,
    }
}

/// Whether numbers that are close as doubles are close indeed: not two whole numbers that differ in their last digits.
fn is_in_doubles_reach(mariadb: &Cell, unum: &Cell) -> bool {
    let has_double = matches!(mariadb.of, Type::Double | Type::Fixed(_)) || unum.of == Type::Double;
    has_double || significant(mariadb) == significant(unum)
}

/// The digits of a decimal without zeros at its end.
fn significant(cell: &Cell) -> String {
    let text = cell.text().into_owned();
    match text.contains('.') && !text.contains(['e', 'E']) {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn half_of_last_digit(decimal: &Cell) -> f64 {
    let digits = decimal.bytes.as_deref().unwrap_or_default();
    let scale = digits.iter().position(|digit| *digit == b'.').map_or(0, |point| digits.len() - point - 1);
    0.500_001 * 10_f64.powi(-(scale as i32))
}

fn is_time(bytes: &[u8]) -> bool {
    bytes.len() >= 8 && bytes.iter().all(|byte| byte.is_ascii_digit() || b"-: .".contains(byte))
}

/// A time without the zeros at the end of its fraction.
fn trimmed(bytes: &[u8]) -> &str {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

/// A time without its time of day, if that is midnight.
fn midnight(text: &str) -> &str {
    text.strip_suffix(" 00:00:00").unwrap_or(text)
}

/// Rows in any order are compared in this one: numbers by their first digits, so that two that are close stay together.
fn sort_key(row: &[Cell]) -> Vec<Vec<u8>> {
    let text = |bytes: &[u8]| [b"'", bytes].concat();
    let key = |cell: &Cell| match (&cell.bytes, cell.number()) {
        // Before all texts, the empty one included.
        (None, _) => Vec::new(),
        (Some(bytes), Some(number)) => {
            let rounded = format!("{:.6e}", if number == 0.0 { 0.0 } else { number });
            let rounded: f64 = rounded.parse().unwrap_or(number);
            // Bits in the order of the numbers; texts of one number by their letters.
            let bits = rounded.to_bits();
            let ordered = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            let letters = if cell.of == Type::Text { bytes.as_slice() } else { b"" };
            text(&[&ordered.to_be_bytes(), letters].concat())
        }
        (Some(bytes), None) if is_time(bytes) => text(midnight(trimmed(bytes)).as_bytes()),
        (Some(bytes), None) => text(bytes),
    };
    row.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mariadb: (Type, &str), unum: (Type, &str), expected: Match) {
        assert_eq!(
            equal(&Cell::new(mariadb.0, mariadb.1), &Cell::new(unum.0, unum.1)),
            expected,
            "{mariadb:?} {unum:?}"
        );
    }

    #[test]
    fn values_are_one_or_not() {
        use Type::{Decimal, Double, Integer, Text, Time};
        check((Double, "0.1"), (Double, "0.10000000000000002"), Match::Same);
        check((Double, "0.1"), (Double, "0.100001"), Match::Wrong);
        check((Double, "-0"), (Double, "0.0"), Match::Same);
        check((Decimal, "0.3333"), (Double, "0.3333333333333333"), Match::Shape);
        check((Decimal, "1.50"), (Decimal, "1.5"), Match::Shape);
        check((Integer, "9223372036854775807"), (Integer, "9223372036854775806"), Match::Wrong);
        check((Text, "1.0"), (Text, "1"), Match::Wrong);
        check((Time, "2024-01-01"), (Time, "2024-01-01 00:00:00.000000"), Match::Shape);
        check((Time, "2024-01-01 00:00:01.500000"), (Time, "2024-01-01 00:00:01.5"), Match::Same);
        check((Text, "a"), (Text, "A"), Match::Wrong);
        assert_eq!(equal(&Cell::NULL, &Cell::new(Text, "")), Match::Wrong);
    }
}
