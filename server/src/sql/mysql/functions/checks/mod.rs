//! Calls of functions with what MariaDB 10.11 answers to them: `*.tsv`, a call, a type and a value a line.
//!
//! A line with a fourth column is one where MySQL 8.4 differs from MariaDB, or a limit of ours that is meant; that column
//! says which. Bytes are shown as hexadecimal digits. The fraction of a second is compared without zeros at its end: this
//! server's types have 0, 3 or 6 digits.

mod evaluate;

use evaluate::evaluate;

const TABLES: &[(&str, &str)] = &[
    ("hash", include_str!("hash.tsv")),
    ("json", include_str!("json.tsv")),
    ("net", include_str!("net.tsv")),
    ("number", include_str!("number.tsv")),
    ("readable", include_str!("readable.tsv")),
    ("text", include_str!("text.tsv")),
    ("text_codes", include_str!("text_codes.tsv")),
    ("text_search", include_str!("text_search.tsv")),
    ("time", include_str!("time.tsv")),
    ("time_arithmetic", include_str!("time_arithmetic.tsv")),
    ("zone", include_str!("zone.tsv")),
];

#[test]
fn functions_are_as_the_judge_has_them() {
    let mut wrong = Vec::new();
    for (name, table) in TABLES {
        for line in table.lines().filter(|line| !line.is_empty()) {
            let mut columns = line.split('\t');
            let (call, expected) = (columns.next().unwrap(), (columns.next().unwrap(), columns.next().unwrap()));
            let (type_name, value) = evaluate(call);
            // A condition is a BIGINT to who reads it.
            let type_name = if type_name == "BOOLEAN" { "BIGINT".to_owned() } else { type_name };
            if (type_name.as_str(), value.as_str()) != expected {
                wrong.push(format!("{name}: {call}\n   is {type_name} {value}\n  not {} {}", expected.0, expected.1));
            }
        }
    }
    assert!(wrong.is_empty(), "{} calls:\n{}", wrong.len(), wrong.join("\n"));
}

/// Shows calls read from the file that an environment variable names, for making the tables.
#[test]
fn calls_of_a_file_are_shown() {
    let Some(file) = std::env::var_os("CALLS") else { return };
    let calls = std::fs::read_to_string(&file).unwrap();
    let shown: Vec<String> = calls
        .lines()
        .map(|call| {
            let (type_name, value) = evaluate(call);
            format!("{call}\t{type_name}\t{value}\n")
        })
        .collect();
    std::fs::write(std::env::var_os("SHOWN").unwrap(), shown.concat()).unwrap();
}
