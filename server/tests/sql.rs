//! SQL on a state in memory, as far as the files of `slt/` do not show it: headings, plans, warnings and limits.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

// This one needs a part of the fixture and of the harness only.
#[allow(dead_code)]
#[path = "slt/fixture.rs"]
mod fixture;
#[allow(dead_code)]
#[path = "slt/harness.rs"]
mod harness;

use fixture::{Answer, Fixture, LIMITS};
use unum_server::sql::{Error, Limits};

/// The answer as CSV, with its headings and how many nodes are up.
fn show(answer: Result<Option<Answer>, Error>) -> String {
    let answer = match answer {
        Ok(Some(answer)) => answer,
        Ok(None) => return "ok\n".into(),
        Err(error) => return format!("error: {error}\n"),
    };
    let mut csv = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).with_null("NULL".into()).build(&mut csv);
    answer.batches.iter().for_each(|batch| writer.write(batch).unwrap());
    drop(writer);
    let (up, total) = answer.nodes;
    format!("{}({up} of {total} nodes up)\n", String::from_utf8(csv).unwrap())
}

const STATEMENTS: &[&str] = &[
    // Headings are as they were typed, or as the table shows them.
    "SELECT Id, N.Node_Type, COUNT(*), 1+1, IF(1 > 0, 'a', 'b') AS `My Heading` FROM nodes N WHERE id = 'pd_1' GROUP BY id, node_type",
    "SELECT * FROM information_schema.cluster_info WHERE type = 'pd'",
    "SELECT 'x' AS first, h.*, 1 AS last FROM information_schema.cluster_hardware h WHERE name = 'mac' AND instance LIKE '%.1:%'",
    "SHOW TABLES LIKE 'nodes'",
    "SHOW COLUMNS FROM cluster_load LIKE 'name'",
    "SHOW PROCESSLIST",
    "SHOW VARIABLES LIKE 'hostname'",
    "SHOW CREATE TABLE information_schema.schemata",
    "SELECT USER(), CONNECTION_ID(), DATABASE(), VERSION(), @@hostname",
    "SELECT id, role, term, applied FROM replicas ORDER BY id",
    // Plans.
    "EXPLAIN SELECT id FROM nodes WHERE status = 'up'",
    "EXPLAIN SELECT 7 / 2, CAST(id AS SIGNED) FROM nodes WHERE id REGEXP '^t'",
    // Warnings: of the statement before, and SHOW WARNINGS does not forget them.
    "SELECT count(*) FROM cluster_slow_query",
    "SHOW WARNINGS",
    "SHOW WARNINGS",
    "SELECT 1",
    "SHOW WARNINGS",
];

#[tokio::test]
async fn statements_have_their_answers() {
    let mut fixture = Fixture::new(LIMITS);
    fixture.silence("tikv", "tikv_2");
    let mut golden = String::new();
    for sql in STATEMENTS {
        golden.push_str(&format!("> {sql}\n{}\n", show(fixture.answer(sql).await)));
    }
    insta::assert_snapshot!(golden);
}

#[tokio::test]
async fn a_query_that_needs_too_much_is_ended_with_the_setting() {
    let recursive = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
                     SELECT count(DISTINCT i) FROM n";
    let cross = "SELECT a.id FROM nodes a CROSS JOIN nodes b CROSS JOIN nodes c CROSS JOIN nodes d CROSS JOIN nodes e";
    for (limits, sql, setting) in [
        (Limits { memory_bytes: 10_000, ..LIMITS }, recursive, "sql.query_memory_bytes_max"),
        (Limits { rows: 1000, ..LIMITS }, cross, "sql.result_rows_max"),
        (Limits { bytes: 1000, ..LIMITS }, cross, "sql.result_bytes_max"),
    ] {
        let error = Fixture::new(limits).answer(sql).await.err().unwrap();
        assert!(matches!(&error, Error::TooLarge(why) if why.contains(setting)), "{error}");
    }
}

#[tokio::test]
async fn nothing_that_is_typed_panics() {
    let mut fixture = Fixture::new(LIMITS);
    for sql in [
        "'",
        "\0",
        "SELECT '",
        "/*",
        "((((((((((",
        "SELECT 1/0",
        "SELECT * FROM",
        "🦀",
        ";;;",
        "EXPLAIN EXPLAIN SELECT 1",
    ] {
        let _ = fixture.answer(sql).await;
    }
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(fixture.answer(&deep).await, Err(Error::Invalid(_))));
}
