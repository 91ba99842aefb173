//! What can stand in the place of an argument, by the letter that the forms of [`functions`](super::functions) name it by.

use std::borrow::Cow;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// A kind of argument.
#[derive(Debug)]
pub struct Slot {
    /// Its letter; a column of [`tables`](crate::judge::tables) names those that it fits into.
    pub letter: char,
    /// What it is called in a report.
    pub name: &'static str,
    /// The kinds of results of functions that fit; none if only a literal does.
    pub takes: &'static str,
    /// Literals.
    pub literals: &'static [&'static str],
}

/// All of them.
pub const SLOTS: &[Slot] = &[
    slot(
        'n',
        "number",
        "nidb",
        &[
            "0",
            "1",
            "-1",
            "2",
            "3.5",
            "10",
            "100",
            "-7",
            "0.1",
            "1.5e0",
            "1e10",
            "12345.678",
            "-2.5",
            "255",
            "9223372036854775807",
            "18446744073709551615",
            "0.000001",
        ],
    ),
    slot('i', "small integer", "i", &["0", "1", "2", "3", "-1", "5", "10", "-3"]),
    slot('k', "key", "", &["0", "1", "2", "3", "7", "40", "-1"]),
    slot('B', "true or false", "", &["TRUE", "FALSE"]),
    slot('S', "timestamp", "", &["TIMESTAMP'2024-02-29 12:34:56'", "TIMESTAMP'2000-01-01 00:00:00'"]),
    slot('d', "double", "nd", &["0e0", "0.5e0", "-1.5e0", "2e0", "100e0", "1e-3", "1e20"]),
    slot('g', "tame double", "", &["0e0", "0.5e0", "-1.5e0", "2e0"]),
    slot('m', "decimal", "m", &["0.0", "1.50", "-2.5", "12345.678", "0.001", "99999999999999999999.5"]),
    slot(
        't',
        "text",
        "tc",
        &["'abc'", "'A'", "''", "'hello world'", "'é'", "'😀x'", "'a,b,c'", "'abcabc'", "' padded '", "'b'", "','"],
    ),
    slot('c', "number as text", "tcj", &["'12'", "'12abc'", "' 7'", "'1e3'", "'-3.5'", "'0x1F'", "'1'", "''"]),
    slot('b', "condition", "b", &["TRUE", "FALSE", "1", "0", "NULL"]),
    slot(
        'T',
        "time",
        "TD",
        &[
            "'2024-02-29 12:34:56'",
            "'2023-12-31 23:59:59.250000'",
            "TIMESTAMP'2024-07-01 00:00:00'",
            "DATE'2024-01-31'",
            "'2024-02-29'",
            "'1969-12-31 23:59:59'",
        ],
    ),
    slot('D', "date", "DT", &["'2024-02-29'", "DATE'2024-01-31'", "'1999-12-31'", "'2024-02-30'", "20240229"]),
    slot(
        'H',
        "time of day",
        "H",
        &[
            "'10:11:12'",
            "'-01:00:00'",
            "'838:59:59'",
            "'25:61:00'",
            "'00:00:00.5'",
            "TIME'10:11:12'",
            "'1 02:03:04'",
            "101112",
        ],
    ),
    slot(
        'j',
        "JSON",
        "j",
        &[
            r#"'{"a": 1, "b": [1, 2, 3]}'"#,
            r#"'[1, "two", 3.5, null]'"#,
            r#"'"text"'"#,
            "'12'",
            "'null'",
            "'{'",
            "'[]'",
            "'true'",
            r#"'{"a": {"b": "x"}}'"#,
        ],
    ),
    slot('y', "bytes", "y", &["x'616263'", "x''", "x'00ff10'", "x'c3a9'"]),
    slot('0', "NULL", "", &["NULL"]),
    slot(
        'p',
        "JSON path",
        "",
        &[
            "'$'",
            "'$.a'",
            "'$.b[1]'",
            "'$[0]'",
            "'$.a.b'",
            "'$.*'",
            "'$[*]'",
            "'$.zz'",
            "'$[1]'",
            "'$.b[0 to 1]'",
            "'$.'",
        ],
    ),
    slot('s', "scalar JSON path", "", &["'$'", "'$.a'", "'$.b[1]'", "'$[0]'", "'$.a.b'", "'$.zz'", "'$[1]'"]),
    slot(
        'f',
        "date format",
        "",
        &[
            "'%Y-%m-%d'",
            "'%H:%i:%s'",
            "'%Y-%m-%d %H:%i:%s.%f'",
            "'%a %b %c %D %d %e'",
            "'%h %I %l %p %r %T'",
            "'%j %k %M %W %w'",
            "'%U %u %V %v %X %x'",
            "'%y %% %q x'",
            "''",
            "'%M %d, %Y'",
        ],
    ),
    slot('u', "unit", "", &["MICROSECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]),
    slot(
        'U',
        "composite unit",
        "",
        &["DAY_HOUR", "YEAR_MONTH", "MINUTE_SECOND", "HOUR_MINUTE", "DAY_SECOND", "SECOND_MICROSECOND"],
    ),
    slot(
        'r',
        "regular expression",
        "",
        &["'a'", "'^a'", "'b$'", "'[a-c]+'", "'(a)(b)?'", "'a.c'", "'[[:digit:]]+'", "'A'", "'(?i)ABC'", "'('", "'é'"],
    ),
    slot(
        'l',
        "pattern",
        "",
        &["'a%'", "'%b%'", "'a_c'", "'%'", "''", "'a\\\\_b'", "'A%'", "'%é%'", "'_'", "'%\\\\%%'", "NULL"],
    ),
    slot('h', "hexadecimal", "t", &["'616263'", "'FF'", "'xyz'", "'0'", "'abc'"]),
    slot(
        'a',
        "address",
        "",
        &["'127.0.0.1'", "'10.0.5.9'", "'::1'", "'fe80::1'", "'256.1.1.1'", "'1.2'", "'::ffff:1.2.3.4'", "''"],
    ),
    slot('9', "digits", "", &["0", "2", "10", "-1", "30", "NULL"]),
    slot('q', "week mode", "", &["0", "1", "2", "3", "4", "5", "6", "7"]),
    slot('e', "base", "", &["2", "8", "10", "16", "36", "-10", "1", "37"]),
    slot('z', "time zone", "", &["'+00:00'", "'+05:30'", "'-08:00'", "'SYSTEM'", "'nowhere'"]),
    slot('w', "words of a list", "", &["'a,b,c'", "''", "'abc'", "'b,,a'", "NULL"]),
    slot('o', "one or all", "", &["'one'", "'all'", "'ALL'", "'some'"]),
    slot('v', "locale", "", &["'en_US'", "'de_DE'", "'xx'"]),
];

/// The letters that stand for types: what the matrix puts everywhere.
pub const TYPES: &[char] = &['n', 'i', 'd', 'm', 't', 'c', 'b', 'T', 'D', 'H', 'j', 'y', '0'];

/// What `x` stands for: any of them.
pub const ANY: &[char] = &['n', 'n', 'd', 't', 't', 'c', 'b', 'T', 'j', '0'];

const fn slot(letter: char, name: &'static str, takes: &'static str, literals: &'static [&'static str]) -> Slot {
    Slot { letter, name, takes, literals }
}

/// The slot of a letter.
pub fn of(letter: char) -> &'static Slot {
    SLOTS.iter().find(|slot| slot.letter == letter).unwrap_or(&SLOTS[0])
}

impl Slot {
    /// A literal.
    pub fn literal(&self, random: &mut StdRng) -> Cow<'static, str> {
        // A whole number in a literal is any: kept plans have parameters in their places.
        if matches!(self.letter, 'i' | 'k') && random.random_bool(0.2) {
            return random.random_range(0..30).to_string().into();
        }
        Cow::Borrowed(self.literals.choose(random).expect("a slot has literals"))
    }
}
