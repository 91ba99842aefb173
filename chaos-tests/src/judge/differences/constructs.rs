//! Constructs that belong together.

/// Two lists as one of `N`.
const fn joined<const N: usize>(one: &[&'static str], other: &[&'static str]) -> [&'static str; N] {
    assert!(one.len() + other.len() == N);
    let mut all = [""; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < one.len() { one[at] } else { other[at - one.len()] };
        at += 1;
    }
    all
}

/// What adds a count of a unit to a time.
const INTERVALS: &[&str] =
    &["INTERVAL +", "INTERVAL composite", "ADDDATE", "DATE_ADD", "SUBDATE", "DATE_SUB", "TIMESTAMPADD"];

/// What moves a time.
pub const MOVES: &[&str] = &joined::<9>(INTERVALS, &["ADDTIME", "SUBTIME"]);

/// What has digits of a second.
pub const SECONDS: &[&str] = &joined::<12>(MOVES, &["FROM_UNIXTIME", "MAKETIME", "SEC_TO_TIME"]);

/// What reads a text as a time of day.
pub const TEXT_CLOCKS: &[&str] = &[
    "HOUR",
    "MINUTE",
    "SECOND",
    "MICROSECOND",
    "EXTRACT",
    "TIME",
    "TIME_TO_SEC",
    "TIME_FORMAT",
    "TIMEDIFF",
    "ADDTIME",
    "SUBTIME",
    "TIMESTAMP",
];

/// What compares.
pub const COMPARES: &[&str] = &[
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
    "LEAST",
    "GREATEST",
    "NULLIF",
    "CASE",
];

/// What gives a time of day.
pub const TIMES: &[&str] =
    &["TIME", "MAKETIME", "TIMEDIFF", "ADDTIME", "SUBTIME", "SEC_TO_TIME", "CAST", "STR_TO_DATE"];

/// What reads or gives a date.
pub const DATES: &[&str] = &[
    "DATE",
    "DATE_FORMAT",
    "DAY",
    "DAYNAME",
    "DAYOFWEEK",
    "DAYOFYEAR",
    "EXTRACT",
    "FROM_DAYS",
    "LAST_DAY",
    "MONTH",
    "MONTHNAME",
    "QUARTER",
    "STR_TO_DATE",
    "TIMESTAMP",
    "TO_DAYS",
    "TO_SECONDS",
    "WEEK",
    "WEEKDAY",
    "WEEKOFYEAR",
    "YEAR",
    "YEARWEEK",
    "CAST",
    "LEAST",
    "GREATEST",
    "DATEDIFF",
    "TIMESTAMPDIFF",
    "CONVERT_TZ",
    "UNIX_TIMESTAMP",
];

/// What works on bits or whole numbers.
pub const BITS: &[&str] = &[
    "&",
    "|",
    "^",
    "~",
    "<<",
    ">>",
    "BIT_AND",
    "BIT_OR",
    "BIT_XOR",
    "BIT_COUNT",
    "CHAR",
    "PERIOD_ADD",
    "PERIOD_DIFF",
    "EXPORT_SET",
    "MAKE_SET",
    "hexadecimal literal",
];

/// What takes a count of something.
pub const COUNTED: &[&str] =
    &joined::<14>(INTERVALS, &["LEFT", "RIGHT", "LOCATE", "SUBSTRING", "SUBSTRING_INDEX", "TRUNCATE", "ROUND"]);

/// Windows.
pub const WINDOWS: &[&str] = &[
    "COUNT OVER",
    "SUM OVER",
    "MAX OVER",
    "MIN OVER",
    "ROW_NUMBER",
    "RANK",
    "DENSE_RANK",
    "CUME_DIST",
    "PERCENT_RANK",
    "NTILE",
    "LAG",
    "LEAD",
    "FIRST_VALUE",
    "LAST_VALUE",
    "NTH_VALUE",
];

/// Subqueries in conditions.
pub const SUBQUERIES: &[&str] = &[
    "IN (subquery)",
    "NOT IN (subquery)",
    "ANY and ALL",
    "EXISTS",
    "NOT EXISTS",
    "row IN (subquery)",
    "scalar subquery",
    "scalar subquery LIMIT 1",
];

/// Any JSON.
pub const JSON: &[&str] = &["JSON_*", "->", "->>", "MEMBER OF"];

/// Whether a construct is of that name, or begins as one that ends in `*`.
pub fn is_of(construct: &str, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(beginning) if !beginning.is_empty() && name != "JSON path **" => construct.starts_with(beginning),
        _ => construct == name,
    }
}
