//! The differences from MySQL that are meant, or that MariaDB has: by construct, each with its reason.
//!
//! They excuse a failing statement only if the shrinker could not get rid of the construct. At most [`MAX`] of them.

mod constructs;
mod when;

use super::case::Case;
use super::compare::Verdict;

use constructs::{
    BITS, COMPARES, COUNTED, DATES, JSON, MOVES, SECONDS, SUBQUERIES, TEXT_CLOCKS, TIMES, WINDOWS, is_of,
};
use when::When;

/// How many there may be.
pub const MAX: usize = 40;

/// In which way a construct differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Unum refuses it.
    Refused,
    /// The values differ, or their shape.
    Differs,
}

/// One difference.
#[derive(Debug)]
pub struct Difference {
    /// The constructs: of each of these groups, one has to be in the smallest failing statement. A name that ends in `*`
    /// stands for all that begin so.
    pub constructs: &'static [&'static [&'static str]],
    /// In which way.
    pub way: Way,
    /// Which failures it excuses.
    pub when: When,
    /// Why that is right.
    pub reason: &'static str,
}

const fn differs(constructs: &'static [&'static [&'static str]], when: When, reason: &'static str) -> Difference {
    Difference { constructs, way: Way::Differs, when, reason }
}

const fn refused(constructs: &'static [&'static [&'static str]], reason: &'static str) -> Difference {
    Difference { constructs, way: Way::Refused, when: When::Always, reason }
}

/// All of them.
#[rustfmt::skip]
pub const DIFFERENCES: &[Difference] = &[
    // JSON.
    differs(&[JSON], When::SameJson, "MariaDB spaces, sorts and shortens documents as they were written, MySQL as its own format has them"),
    differs(&[JSON], When::NoJsonIsIn, "text that is no JSON is NULL: one odd value of one node never ends a query. MySQL has an error, MariaDB NULL or half a document"),
    differs(&[COMPARES, JSON], When::Always, "a document compares as the value that it is, in MariaDB as its text"),
    differs(&[&["JSON_*", "CAST", "CONVERT", "REGEXP_*", "RPAD", "LPAD", "INSERT", "CHAR_LENGTH"]], When::BytesAreIn, "bytes are base64 in MySQL's documents, letters in MariaDB's; and what is no text becomes another sign"),
    differs(&[&["JSON_ARRAYAGG", "JSON_EXTRACT"]], When::SameElements, "an array of rows has them in any order; one of several paths in that of the paths, in MariaDB of the document"),
    refused(&[&["JSON_*", "->", "->>"]], "a bad path, and neither 'one' nor 'all', are errors in MySQL; NULL in MariaDB"),
    differs(&[&["JSON_ARRAY_APPEND", "JSON_ARRAY_INSERT", "JSON_CONTAINS_PATH", "JSON_QUOTE", "JSON_SET", "JSON_INSERT", "REGEXP_SUBSTR", "BETWEEN", "NOT BETWEEN"]], When::MariaDbHasNull, "the manual: an empty text that is found is one; a NULL at one end decides nothing where the other does; a path that is not there changes nothing, and no path is read behind what decides; a number is quoted as text"),
    differs(&[&["JSON_CONTAINS", "MEMBER OF"]], When::UnumHasNullOrTinyIsIn, "the manual: NULL where there is nothing at the path; and 0 is not 1e-308"),
    differs(&[&["JSON_OBJECT", "JSON_OBJECTAGG"]], When::NullIsIn, "a NULL for a key is an error in MySQL, so NULL here; the empty key in MariaDB"),
    differs(&[&["JSON_SEARCH", "JSON_TYPE", "JSON_VALID"]], When::Always, "the manual: strings are searched, and no numbers; a number is no JSON document, and there are words for the types of numbers"),
    differs(&[&["JSON path last", "JSON path **", "->", "JSON_PRETTY", "MEMBER OF"]], When::Always, "the judge's words of MEMBER OF make texts of conditions; MariaDB keeps the end of the last row's array, finds a value once more for each way to it, has -> as text, and indents by four"),
    // Times.
    differs(&[DATES], When::ZeroDate, "a date with zeros is NULL here, as NO_ZERO_DATE has it"),
    differs(&[DATES], When::TimeOfDay, "a time of day is one of no day, and not of the day on which it is asked"),
    differs(&[SECONDS], When::SameTimeOrInside, "a text shows the digits of a second that it has, and a time 0, 3 or 6; MariaDB has six for a column"),
    differs(&[MOVES], When::Inside, "a text plus an interval is a text, and is read and compared as one; MariaDB has a time"),
    differs(&[&["CAST", "CONVERT", "FROM_UNIXTIME", "ADDTIME", "SUBTIME", "STR_TO_DATE", "TIMEDIFF", "TIME", "SEC_TO_TIME", "MAKETIME", "TIMESTAMP", "EXTRACT", "MICROSECOND"]], When::WithinASecond, "the manual: digits of a second that do not fit are rounded; MariaDB cuts them"),
    differs(&[COMPARES], When::NoDateIsIn, "MySQL has an error for a text that is no date beside a time"),
    differs(&[TIMES], When::LongestTime, "the manual: the longest TIME is 838:59:59.000000"),
    differs(&[TEXT_CLOCKS], When::NoClockIsIn, "MariaDB reads a text or a number that looks like a date as a date, where MySQL reads a time"),
    differs(&[&["FROM_UNIXTIME", "UNIX_TIMESTAMP", "CONVERT_TZ"]], When::PastTimestamps, "MySQL's end in the year 3001, MariaDB's in 2038; before 1970 it is 0"),
    differs(&[&["PERIOD_ADD", "PERIOD_DIFF", "STR_TO_DATE", "MINUTE", "SECOND", "HOUR", "MICROSECOND", "EXTRACT", "TIME", "TIME_TO_SEC", "TIME_FORMAT", "ADDTIME", "SUBTIME", "REPLACE"]], When::UnumHasNull, "what is no period, no date or no time is NULL, and so is what has an argument that is; MariaDB goes on"),
    differs(&[COUNTED], When::HugeIsIn, "a count past the ends of BIGINT is the end, or leads past all dates, and nothing is found behind a text; MariaDB wraps around"),
    // Numbers.
    differs(&[&["MOD", "%", "ATAN", "ATAN2", "FORMAT"]], When::MinusZeroIsIn, "a decimal has no -0, and MariaDB's tables keep no sign of 0"),
    differs(&[BITS], When::NoBigintIsIn, "a text is the whole number that it begins with, as in CAST, and what is too large is the largest; MariaDB reads a decimal, so that the half of a double goes up, or the low bits"),
    differs(&[&["row IN"]], When::Always, "each pair is compared by its own types; MariaDB by those of all rows"),
    differs(&[COMPARES], When::TimeBesideOther, "MariaDB compares by times if one is, MySQL only texts that are times"),
    differs(&[&["FLOOR", "CEIL", "ROUND", "TRUNCATE", "FORMAT"]], When::TimeOrManyDigits, "a time is a number there, and 30 digits behind the point are the most; 38 in MariaDB"),
    differs(&[&["LEAST", "GREATEST"]], When::WithinOrDate, "they compare by their arguments alone; MariaDB by where they stand, and cuts a time to the day"),
    differs(&[&["SUM", "AVG", "STD*", "VAR*", "SUM OVER", "aggregate OVER", "GROUP_CONCAT", "LAST_VALUE", "FIRST_VALUE", "NTH_VALUE", "LEAD", "LAG"]], When::ExtremesAreIn, "the rows of nodes have no order, and a sum of doubles of very different size depends on it; MariaDB cuts the exponent of one in a list and in a window; one out of range is an error, 0 in MariaDB"),
    differs(&[&["PI", "ROUND", "TRUNCATE", "FLOOR", "CEIL", "ORD"]], When::ExtremesInside, "in another function it is the value that it is alone; MariaDB has fixed digits of it, or 31 bits"),
    differs(&[&["CAST", "CONVERT"]], When::MariaDbHasZero, "a double below 0 AS UNSIGNED is its two's complement; 0 in MariaDB"),
    // Texts.
    differs(&[&["CHARSET", "COERCIBILITY", "COLLATE", "SOUNDEX", "SOUNDS LIKE"]], When::Always, "MariaDB names, counts and compares character sets in its own way, and hears letters past ASCII, which MySQL leaves out"),
    differs(&[&["MONTHNAME", "DAYNAME", "GET_FORMAT", "REPLACE"]], When::Inside, "names of days and months compare by their bytes, and what is replaced by NULL is NULL; in MariaDB whatever their case, a format is lost, and so is that NULL"),
    refused(&[&["LPAD", "RPAD", "REPEAT", "SPACE", "WEIGHT_STRING", "JSON_TABLE"]], "as docs/SQL.md says: what one function makes of a row has a limit, text is compared by its bytes"),
    differs(&[], When::BytesAsLetters, "MariaDB reads a text as latin1 where a number stands beside it"),
    // Statements.
    differs(&[&["UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"]], When::SameShown, "beside a text, a double has all its digits, and a time those of its type"),
    differs(&[WINDOWS, SUBQUERIES], When::MariaDbHasNoRows, "MariaDB finds no rows where a window and a condition with a subquery are in one SELECT"),
    differs(&[&["IN (subquery)"], &["correlated"], &["<=>"]], When::Always, "NULL is in no set; MariaDB takes the <=> of the subquery for that of IN"),
    refused(&[&["GROUP BY"], &["WITH ROLLUP"]], "sums of sums by a constant, or by one thing twice, are refused"),
    differs(&[&["DISTINCT"], &["LIMIT"]], When::Always, "MariaDB leaves out the only row there is of a constant, whatever the OFFSET"),
];

/// The difference that excuses the failure of this case, if there is one.
pub fn listed(case: &Case, verdict: &Verdict) -> Option<&'static Difference> {
    let way = match verdict {
        Verdict::UnumRefuses(_) => Way::Refused,
        Verdict::Wrong(_) | Verdict::Shape(_) => Way::Differs,
        _ => return None,
    };
    let constructs = case.tree().constructs();
    let is_in = |group: &&[&str]| group.iter().any(|name| constructs.iter().any(|construct| is_of(construct, name)));
    let applies = |difference: &&Difference| {
        difference.way == way
            && difference.constructs.iter().all(is_in)
            && match verdict {
                Verdict::Wrong(gap) | Verdict::Shape(gap) => {
                    difference.when.is_true_of(difference.constructs, case, gap)
                }
                _ => difference.when == When::Always,
            }
    };
    DIFFERENCES.iter().find(applies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::generate::{self, Kind};

    /// Constructs are those of generated cases: what is not made excuses nothing.
    #[test]
    fn there_are_few_and_each_is_of_a_construct() {
        const CASES: u64 = 4000;
        assert!(DIFFERENCES.len() <= MAX);
        let kinds = [Kind::Expression, Kind::Select].into_iter();
        let cases = kinds.flat_map(|kind| (0..CASES).flat_map(move |number| generate::cases(kind, 1, number)));
        let made: std::collections::BTreeSet<&str> = cases.flat_map(|case| case.tree().constructs()).collect();
        for construct in DIFFERENCES.iter().flat_map(|difference| difference.constructs).flat_map(|group| *group) {
            assert!(made.iter().any(|made| is_of(made, construct)), "{construct}");
        }
    }
}
