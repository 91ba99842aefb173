//! The tables that both databases have: every type, NULLs, extremes, texts that are numbers, dates or JSON.
//!
//! `cluster_v` has a column of every kind; the others join with it: doubled keys, NULL keys, no rows.

use unum_client::{DataType, Value};

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    /// As it is pushed: `v` is read as `cluster_v`.
    pub name: &'static str,
    /// Its columns and their types; `letters` are the slots that a column fits into.
    pub columns: &'static [Column],
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub data_type: DataType,
    /// The slots that it is sensible in.
    pub letters: &'static str,
}

const fn column(name: &'static str, data_type: DataType, letters: &'static str) -> Column {
    Column { name, data_type, letters }
}

/// How many rows `cluster_v` has.
const MAIN_ROWS: i64 = 40;

/// The columns of `cluster_v`.
pub const MAIN: &[Column] = &[
    column("k", DataType::Int64, "ik"),
    column("b", DataType::Bool, "bBx"),
    column("s", DataType::Int64, "nikx"),
    column("i", DataType::Int64, "nx"),
    column("u", DataType::UInt64, "nx"),
    column("f", DataType::Float64, "gndx"),
    column("d", DataType::Float64, "ndx"),
    column("t", DataType::Text, "tcx"),
    column("n", DataType::Text, "tcx"),
    column("dt", DataType::Text, "TcxD"),
    column("j", DataType::Text, "jcx"),
    column("ts", DataType::Timestamp, "TxDS"),
    column("bl", DataType::Bytes, "yx"),
];

/// Those of `cluster_w`.
pub const SIDE: &[Column] = &[
    column("k", DataType::Int64, "ik"),
    column("v", DataType::Int64, "ik"),
    column("s", DataType::Int64, "nikx"),
    column("t", DataType::Text, "tcx"),
    column("f", DataType::Float64, "gndx"),
];

/// Those of `cluster_x` and `cluster_e`.
pub const SMALL: &[Column] = &[
    column("k", DataType::Int64, "ik"),
    column("t", DataType::Text, "tcx"),
    column("i", DataType::Int64, "nikx"),
    column("ts", DataType::Timestamp, "TxDS"),
];

/// All tables.
pub fn all() -> Vec<Table> {
    vec![
        Table { name: "v", columns: MAIN, rows: main_rows() },
        Table { name: "w", columns: SIDE, rows: side_rows() },
        Table { name: "x", columns: SMALL, rows: small_rows() },
        Table { name: "e", columns: SMALL, rows: Vec::new() },
    ]
}

/// Each column goes round its own list; the lists are of different lengths, so that values meet in all ways.
fn main_rows() -> Vec<Vec<Value>> {
    let (b, s, i, u) = (bools(), small_integers(), integers(), unsigned());
    let (f, d, t, n) = (tame_doubles(), doubles(), texts(), numbers_as_text());
    let (dt, j, ts, bl) = (times_as_text(), json(), times(), bytes());
    let at = |list: &[Value], k: i64| list[k as usize % list.len()].clone();
    let row = |k: i64| {
        let mut row = vec![Value::Int64(k)];
        row.extend([&b, &s, &i, &u, &f, &d, &t, &n, &dt, &j, &ts, &bl].map(|list| at(list, k)));
        row
    };
    (1..=MAIN_ROWS).map(row).collect()
}

/// The row of `cluster_v` with that key.
pub fn main_row(key: i64) -> Option<Vec<Value>> {
    main_rows().into_iter().find(|row| row.first() == Some(&Value::Int64(key)))
}

fn side_rows() -> Vec<Vec<Value>> {
    let keys: [Option<i64>; 14] = [
        Some(1),
        Some(1),
        Some(2),
        Some(3),
        Some(3),
        Some(3),
        None,
        None,
        Some(7),
        Some(12),
        Some(99),
        Some(-1),
        Some(40),
        Some(5),
    ];
    let (s, t, f) = (small_integers(), texts(), tame_doubles());
    let row = |(position, key): (usize, &Option<i64>)| {
        let at = |list: &[Value]| list[(position * 2) % list.len()].clone();
        vec![Value::Int64(position as i64 + 1), (*key).into(), at(&s), at(&t), at(&f)]
    };
    keys.iter().enumerate().map(row).collect()
}

fn small_rows() -> Vec<Vec<Value>> {
    let rows = [(1, "a"), (2, "abc"), (2, "ABC"), (3, ""), (7, "zzz"), (50, "日本語")];
    let ts = times();
    let row = |(position, (k, t)): (usize, &(i64, &str))| {
        let i = if position == 3 { Value::Null } else { Value::Int64(position as i64 % 3) };
        vec![Value::Int64(*k), Value::from(*t), i, ts[position].clone()]
    };
    rows.iter().enumerate().map(row).collect()
}

fn with_null<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Vec<Value> {
    let mut values: Vec<Value> = values.into_iter().map(Into::into).collect();
    values.insert(values.len() / 2, Value::Null);
    values
}

fn bools() -> Vec<Value> {
    with_null([true, false])
}

fn small_integers() -> Vec<Value> {
    with_null([0_i64, 1, 2, 3, -2, 5])
}

fn integers() -> Vec<Value> {
    with_null([0, 1, -1, 42, -7, i64::MAX, i64::MIN, 2_147_483_647, -2_147_483_648, 100, 10, 255, 65_536, 20_240_229])
}

fn unsigned() -> Vec<Value> {
    with_null([0, 1, u64::MAX, 1 << 63, 18, 3, 255, 20_240_229_123_456])
}

fn tame_doubles() -> Vec<Value> {
    with_null([0.5, 1.25, -3.75, 100.0, 0.0, 2.5])
}

fn doubles() -> Vec<Value> {
    with_null([
        0.0,
        -0.0,
        1.5,
        -2.5,
        1e308,
        -1e308,
        2.225_073_858_507_201_4e-308,
        0.1,
        std::f64::consts::PI,
        1e15,
        1e16,
        123_456_789.125,
        0.5,
        -0.5,
        1e-7,
        2.5,
    ])
}

fn texts() -> Vec<Value> {
    with_null([
        "a",
        "A",
        "abc",
        "ABC",
        " abc ",
        "",
        "Ünïcödé",
        "日本語",
        "😀",
        "a%b",
        "a_b",
        "it's",
        "a\\b",
        "straße",
        "The quick brown fox",
        "x,y,z",
        "two\nlines",
        "zzz",
        "e\u{301}",
    ])
}

fn numbers_as_text() -> Vec<Value> {
    with_null([
        "12",
        "12abc",
        " 7",
        "1e3",
        "",
        "-3.5",
        "0x10",
        "abc",
        "007",
        "1e400",
        "9223372036854775808",
        "+5",
        ".5",
        "5.",
        "1 2",
        "3.9999",
        "\t8",
        "-0",
    ])
}

fn times_as_text() -> Vec<Value> {
    with_null([
        "2024-02-29",
        "2024-02-29 12:34:56",
        "2023-12-31 23:59:59.250000",
        "no date",
        "",
        "20240229",
        "2024-02-30",
        "0000-00-00",
        "10:11:12",
        "2024-1-2",
        "1999-01-01T01:02:03",
        "70-01-01",
        "2024-02-29 25:00:00",
    ])
}

fn json() -> Vec<Value> {
    with_null([
        r#"{"a": 1, "b": [1, 2, 3], "c": null}"#,
        r#"[1, "two", 3.5, null, true]"#,
        r#""text""#,
        "12",
        "null",
        "{",
        "",
        r#"{"a": {"b": "x"}, "d": "é"}"#,
        "[]",
        "{}",
        "true",
        "1.5",
        "[[1, 2], [3, 4]]",
    ])
}

/// Microseconds since 1970; of no fraction that MySQL rounds up: MariaDB cuts it.
fn times() -> Vec<Value> {
    let mut times: Vec<Value> = [
        1_709_210_096_000_000, // 2024-02-29 12:34:56
        0,
        1_704_067_199_250_000, // 2023-12-31 23:59:59.25
        -750_000,
        946_684_800_000_000,     // 2000-01-01
        2_147_483_647_000_000,   // 2038-01-19 03:14:07
        1_719_792_000_250_000,   // 2024-07-01 00:00:00.25
        -2_208_988_800_000_000,  // 1900-01-01
        253_402_300_799_000_000, // 9999-12-31 23:59:59
        1_735_603_200_000_000,   // 2024-12-31
    ]
    .map(Value::Timestamp)
    .into();
    times.insert(4, Value::Null);
    times
}

fn bytes() -> Vec<Value> {
    let mut values: Vec<Value> =
        [&b"abc"[..], &[0, 255, 16], &[], "é".as_bytes(), &[0xff]].map(|bytes| Value::Bytes(bytes.to_vec())).into();
    values.push(Value::Null);
    values
}

/// A value as both databases read it.
pub fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string().to_uppercase(),
        Value::Int64(value) => value.to_string(),
        Value::UInt64(value) => value.to_string(),
        Value::Float64(value) => format!("{value:e}"),
        Value::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''")),
        Value::Bytes(bytes) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Timestamp(us) => format!("TIMESTAMP'{}'", time(*us)),
    }
}

/// A name as both databases read it.
pub fn literal_name(name: &str) -> String {
    format!("`{name}`")
}

/// A time as MySQL writes it: the days of 1970 and after, and before.
pub fn time(us: i64) -> String {
    let (seconds, fraction) = (us.div_euclid(1_000_000), us.rem_euclid(1_000_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": civil_from_days.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{fraction:06}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_mysql_writes_them() {
        for (us, expected) in [
            (1_709_210_096_000_000, "2024-02-29 12:34:56.000000"),
            (-1, "1969-12-31 23:59:59.999999"),
            (-2_208_988_800_000_000, "1900-01-01 00:00:00.000000"),
            (253_402_300_799_000_000, "9999-12-31 23:59:59.000000"),
        ] {
            assert_eq!(time(us), expected);
        }
    }
}
