//! What texts become, and what is said of those that become nothing.

use unum_proto::model::Value::{Bool, Bytes, Float64, Int64, Null, Text, Timestamp, UInt64};

use unum_proto::model::Value;
use unum_proto::model::limits::{COLUMNS_MAX, SNAPSHOT_ROWS_MAX};

use super::*;

/// Parses and compares: the columns as `name TYPE`, and the rows, or a part of the error.
fn check(format: Format, text: &str, schema: Option<&str>, expected: Result<(&str, Vec<Vec<Value>>), &str>) {
    let parsed = schema
        .map(str::parse)
        .transpose()
        .and_then(|columns: Option<Columns>| parse("t", text, format, columns.as_ref()))
        .map(Table::snapshot);
    match (parsed, expected) {
        (Ok(table), Ok((columns, rows))) => {
            let shown = table.schema.columns.iter().map(|c| format!("{} {}", c.name, c.data_type));
            assert_eq!((shown.collect::<Vec<_>>().join(", ").as_str(), table.rows), (columns, rows), "{text:?}");
        }
        (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{text:?}: {error}"),
        (parsed, expected) => panic!("{text:?} is {parsed:?}, not {expected:?}"),
    }
}

fn text(text: &str) -> Value {
    Text(text.to_owned())
}

/// 2026-01-31T22:59:59.5Z
const WHEN: Value = Timestamp(1_769_900_399_500_000);

#[test]
fn csv_columns_have_the_narrowest_type_that_fits() {
    for (field, column, value) in [
        ("true", "a BOOLEAN", Bool(true)),
        ("FALSE", "a BOOLEAN", Bool(false)),
        ("1", "a BIGINT", Int64(1)),
        ("-9223372036854775808", "a BIGINT", Int64(i64::MIN)),
        ("18446744073709551615", "a BIGINT UNSIGNED", UInt64(u64::MAX)),
        ("18446744073709551617", "a TEXT", text("18446744073709551617")),
        (
            "99999999999999999999999999999999999999999999",
            "a TEXT",
            text("99999999999999999999999999999999999999999999"),
        ),
        ("-0.5", "a DOUBLE", Float64(-0.5)),
        ("1e3", "a DOUBLE", Float64(1000.0)),
        ("1e999", "a TEXT", text("1e999")),
        ("NaN", "a TEXT", text("NaN")),
        ("007", "a TEXT", text("007")),
        ("+49", "a TEXT", text("+49")),
        (" 1", "a TEXT", text(" 1")),
        ("2026-01-31", "a TEXT", text("2026-01-31")),
        ("2026-01-31 22:59:59.5", "a TIMESTAMP", WHEN),
        ("2026-01-31T22:59:59.500000Z", "a TIMESTAMP", WHEN),
        ("2026-02-01T00:59:59.5+02:00", "a TIMESTAMP", WHEN),
        ("2026-02-30 00:00:00", "a TEXT", text("2026-02-30 00:00:00")),
        ("\"a \"\"b\"\",\nc\"", "a TEXT", text("a \"b\",\nc")),
    ] {
        check(Format::Csv, &format!("a\n{field}\n"), None, Ok((column, vec![vec![value]])));
    }
}

#[test]
fn csv_is_read_by_its_header() {
    let rows = vec![vec![Int64(1), Null, Float64(1.0), text("a")], vec![Int64(2), Null, Float64(0.5), text("true")]];
    let columns = "id BIGINT, empty TEXT, mixed DOUBLE, word TEXT";
    check(Format::Csv, "\u{feff}ID,empty,mixed,word\r\n1,,1,a\r\n\r\n2,\"\",0.5,true", None, Ok((columns, rows)));
    check(Format::Csv, "a,b\n", None, Ok(("a TEXT, b TEXT", vec![])));
    for (text, error) in [
        ("", "the CSV text is empty"),
        ("a,b\n1,2\n3\n", "line 3: the record has 1 fields, but the header has 2"),
        ("a,b\n1,\"2\n", "the text ends inside the quotes that begin in line 2"),
    ] {
        check(Format::Csv, text, None, Err(error));
    }
}

#[test]
fn ndjson_has_the_union_of_all_keys_in_their_order() {
    let lines = r#"{"z": 1, "a": "x", "nested": {"b": [1, null]}}

        {"A": "12", "new": false, "z": 2.0, "at": "2026-01-31 22:59:59.5", "big": 18446744073709551615}"#;
    let columns = "z DOUBLE, a TEXT, nested TEXT, new BOOLEAN, at TIMESTAMP, big BIGINT UNSIGNED";
    let first = vec![Float64(1.0), text("x"), text(r#"{"b":[1,null]}"#), Null, Null, Null];
    let second = vec![Float64(2.0), text("12"), Null, Bool(false), WHEN, UInt64(u64::MAX)];
    check(Format::Ndjson, lines, None, Ok((columns, vec![first, second])));
    check(Format::Ndjson, r#"{"a": null}"#, None, Ok(("a TEXT", vec![vec![Null]])));
    for (text, error) in [
        ("", "no rows to tell the columns from"),
        ("{\"a\": 1}\n[1]", "line 2: \"[1]\" is not a JSON object"),
        ("{\"a\": 1", "line 1: \"{\\\"a\\\": 1\" is not a JSON object: EOF"),
        ("{\"a\": null, \"A\": 1}", "line 1: the object has the column a twice"),
        ("{}", "has no columns"),
    ] {
        check(Format::Ndjson, text, None, Err(error));
    }
}

#[test]
fn a_schema_rules_over_the_values() {
    let schema = "id VARCHAR(9), N INT(10) UNSIGNED, d DECIMAL(9,2), ok BOOL, at DATETIME(6), raw BLOB, more JSON";
    let columns = "id TEXT, n BIGINT UNSIGNED, d DOUBLE, ok BOOLEAN, at TIMESTAMP, raw BLOB, more TEXT";
    let row = vec![text("7"), UInt64(1), Float64(2.0), Bool(true), WHEN, Bytes(b"x".to_vec()), Null];
    let csv = "raw,at,ok,d,n,id\nx,2026-01-31 22:59:59.5,1,2,1,7";
    check(Format::Csv, csv, Some(schema), Ok((columns, vec![row])));
    check(Format::Ndjson, "", Some("a BIGINT"), Ok(("a BIGINT", vec![])));
    for (text, schema, error) in [
        ("a\n1\nx\n", "a BIGINT", "line 3: column a is BIGINT, not \"x\"; write an integer"),
        ("a\n-1\n", "a BIGINT UNSIGNED", "line 2: column a is BIGINT UNSIGNED, not \"-1\""),
        ("a\ninf\n", "a DOUBLE", "not \"inf\"; write a finite number"),
        ("a\n2\n", "a BOOL", "not \"2\"; write true, false, 1 or 0"),
        ("a\nnow\n", "a TIMESTAMP", "not \"now\"; write it as 2026-"),
        ("a,b\n1,\n", "a BIGINT, b TEXT NOT NULL", "line 2: column b is NULL; the schema says NOT NULL"),
        ("a,c\n1,2\n", "a BIGINT, b TEXT", "the column c is not in the schema, which has a, b"),
        ("a\n1\n", "a GEOMETRY", "column a has the type GEOMETRY; use BOOL, BIGINT"),
        ("a\n1\n", "a BIGINT PRIMARY KEY", "column a has the option PRIMARY KEY"),
        ("a\n1\n", "a BIGINT, UNIQUE (a)", "the schema has UNIQUE"),
        ("a\n1\n", "a BIGINT); DROP TABLE (x", "does not parse"),
        ("a\n1\n", "a BIGINT, a TEXT", "names the column a twice"),
        ("a\n1\n", "a-b TEXT", "does not parse"),
        ("a\n1\n", "", "it is empty"),
    ] {
        check(Format::Csv, text, Some(schema), Err(error));
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let rows = |count| format!("a\n{}", "1\n".repeat(count));
    assert_eq!(parse("t", &rows(SNAPSHOT_ROWS_MAX), Format::Csv, None).unwrap().snapshot().rows.len(), 10_000);
    check(Format::Csv, &rows(SNAPSHOT_ROWS_MAX + 1), None, Err("line 10002: this row is one too many"));
    check(Format::Csv, &"x".repeat(TEXT_BYTES_MAX + 1), None, Err("the text has 8388609 bytes; the limit is 8388608"));
    let wide = (0..=COLUMNS_MAX).map(|i| format!("c{i}")).collect::<Vec<_>>().join(",");
    check(Format::Csv, &wide, None, Err("line 1: \"c512\" is a column too many (field 513"));
    let reserved = parse("cluster_t", "a\n1\n", Format::Csv, None).unwrap_err().to_string();
    assert!(reserved.contains("is the catalog's own"), "{reserved}");
}

#[test]
fn a_format_is_told_by_the_name_or_the_first_line() {
    for (name, format) in [
        ("a.csv", Some(Format::Csv)),
        ("a.CSV", Some(Format::Csv)),
        ("a.tsv", Some(Format::Tsv)),
        ("b/a.ndjson", Some(Format::Ndjson)),
        ("a.jsonl", Some(Format::Ndjson)),
        ("csv", None),
    ] {
        assert_eq!(Format::of_file(Path::new(name)), format, "{name}");
    }
    for (text, format) in [
        (" \n{}", Some(Format::Ndjson)),
        ("\u{feff}{\"a\": 1}\n", Some(Format::Ndjson)),
        ("a,b\n1,2\n", Some(Format::Csv)),
        ("\"a\",b\n", Some(Format::Csv)),
        ("a\tb\n1\t2,5\n", Some(Format::Tsv)),
        ("[{\"a\": 1}]", Some(Format::Json)),
        ("{\n  \"a\": 1\n}\n", Some(Format::Json)),
        ("{\"kind\": \"List\", \"items\": [{\"a\": 1}]}", Some(Format::Json)),
        ("a;b\n1,5;2\n", Some(Format::Csv)),
        ("a b\n1 2\n", Some(Format::Columns)),
        ("depth\n1\n2\n", Some(Format::Csv)),
        ("\r\n\r\nID\r\n1", Some(Format::Csv)),
        // Both, and none.
        ("a\tb,c\n", None),
        ("no header", None),
        ("", None),
    ] {
        assert_eq!(Format::of_text(text), format, "{text:?}");
    }
}

#[test]
fn tabs_part_fields_as_commas_do() {
    let rows = vec![vec![Int64(1), Text("a, b".into())], vec![Null, Text("c".into())]];
    check(Format::Tsv, "n\tt\n1\ta, b\n\tc\n", None, Ok(("n BIGINT, t TEXT", rows)));
    check(Format::Tsv, "n\tt\n1\n", None, Err("the record has 1 fields, but the header has 2"));
}

#[test]
fn names_that_are_none_are_made_legal_and_told() {
    let reading = Reading { format: Some(Format::Csv), ..Reading::default() };
    let rows = reading.table("t", None, b"a,b c,A,,%CPU\n1,2,3,4,5\n").unwrap();
    let table = rows.table.snapshot();
    let names: Vec<_> = table.schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["a", "b_c", "a_2", "column_4", "pct_cpu"]);
    let told = ["column b c is b_c", "column A is a_2", "column  is column_4", "column %CPU is pct_cpu"];
    assert_eq!(rows.notes, told);
}

#[test]
fn some_texts_are_null_if_somebody_says_so() {
    let reading = Reading { nulls: vec!["NULL".into(), "\\N".into()], ..Reading::default() };
    let table = reading.table("t", None, b"a,b\nNULL,1\n\\N,\n").unwrap().table.snapshot();
    assert_eq!(table.rows, [[Null, Int64(1)], [Null, Null]]);
}

/// Found by somebody who looked at what programs print.
#[test]
fn odd_outputs_are_right_or_refused() {
    let read = |text: &str| {
        Reading::default().table("t", None, text.as_bytes()).map(|rows| {
            let table = rows.table.snapshot();
            (table.schema.columns.iter().map(|c| c.name.to_string()).collect::<Vec<_>>().join(" "), table.rows)
        })
    };
    for (printed, columns, rows) in [
        (
            "# TYPE foo_seconds gauge\n# UNIT foo_seconds seconds\nfoo_seconds{a=\"b\"} 1.5\n# EOF\n",
            "name labels value type",
            vec![vec![text("foo_seconds"), text("{\"a\":\"b\"}"), Float64(1.5), text("gauge")]],
        ),
        (" count \n-------\n    42\n(1 row)\n", "count", vec![vec![Int64(42)]]),
        ("count\n42\n(1 row)\n", "count", vec![vec![Int64(42)]]),
        (" a | b \n---+---\n 1 | \n(1 row)\n", "a b", vec![vec![Int64(1), Null]]),
        (" NI   PID COMMAND\n-20     1 init\n", "ni pid command", vec![vec![Int64(-20), Int64(1), text("init")]]),
        (
            "Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nudp   UNCONN 0      0            0.0.0.0:68        0.0.0.0:*          \n",
            "netid state recv_q send_q local_address_port peer_address_port process",
            vec![vec![text("udp"), text("UNCONN"), Int64(0), Int64(0), text("0.0.0.0:68"), text("0.0.0.0:*"), Null]],
        ),
        (
            "# Time: 2024-03-01T12:00:00Z\n# Query_time: 1\nSELECT 1\n# a comment: x\nFROM t;\n",
            "time query_time db query",
            vec![vec![Timestamp(1_709_294_400_000_000), Int64(1), Null, text("SELECT 1\n# a comment: x\nFROM t;")]],
        ),
        (
            "LAST SEEN   TYPE     REASON   MESSAGE\n12m         Normal   Pulled   Container image \"x\" already present on machine\n",
            "last_seen type reason message",
            vec![vec![
                text("12m"),
                text("Normal"),
                text("Pulled"),
                text("Container image \"x\" already present on machine"),
            ]],
        ),
        (
            "Filesystem      Size  Used Avail Use% Mounted on\n/dev/sdb1       1.8T  1.2T  541G  70% /data\n",
            "filesystem size used avail use_pct mounted_on",
            vec![vec![text("/dev/sdb1"), text("1.8T"), text("1.2T"), text("541G"), text("70%"), text("/data")]],
        ),
    ] {
        assert_eq!(
            read(printed).unwrap_or_else(|e| panic!("{printed:?}: {e}")),
            (columns.to_owned(), rows),
            "{printed:?}"
        );
    }
    for printed in [
        "               total        used        free      shared  buff/cache   available\nMem:           24105        1613        7529           8       14967       22613\n",
        "Filesystem            Size  Used Avail Use% Mounted on\n//nas/Public Files    1.8T  1.2T  541G  70% /nas\n",
        "Filesystem            Size  Used Avail Use% Mounted on\n/dev/mapper/a-very-long-name\n                       98G   41G   53G  44% /\n",
        "Report\n\n-----\nfoo bar\n",
    ] {
        // Refused, or at least nothing under a wrong name; and no panic.
        if let Ok((columns, rows)) = read(printed) {
            assert_eq!(columns, "report", "{printed:?}: {rows:?}");
        }
    }
}
