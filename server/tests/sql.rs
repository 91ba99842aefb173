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
use unum_proto::model::Value;
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

/// docs/decisions/0025: the parts of a union lose no rows to each other. In about half of the runs they did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_union_that_differ_by_a_constant_keep_their_rows() {
    const RUNS: usize = 60;
    let mut fixture = Fixture::new(LIMITS);
    let sql = "SELECT id, 'b' AS part FROM cluster_node_infos UNION ALL SELECT CONCAT('0', node_id), 'a' FROM cluster_load \
               ORDER BY part, id DESC LIMIT 3";
    for run in 0..RUNS {
        let found = show(fixture.answer(sql).await);
        assert!(found.starts_with("id,part\n0tikv_2,a\n0tikv_2,a\n0tikv_2,a\n"), "run {run}: {found}");
    }
}

/// docs/decisions/0030: they come to another column of that name.
#[tokio::test]
async fn no_operator_pushes_a_filter_that_it_finds_while_it_runs() {
    let mut fixture = Fixture::new(LIMITS);
    for sql in [
        "SELECT COUNT(*) OVER (ORDER BY b.node_id) FROM cluster_slow_query AS a CROSS JOIN cluster_slow_query AS b \
         WHERE a.node_id IN (SELECT 'tidb_1' FROM cluster_load)",
        "SELECT a.name FROM cluster_load AS a JOIN cluster_slow_query AS b ON a.node_id = b.node_id",
        "SELECT name FROM cluster_load WHERE value > 0 ORDER BY value LIMIT 1",
        "SELECT MAX(value) FROM cluster_load WHERE value > 0",
    ] {
        let plan = show(fixture.answer(&format!("EXPLAIN {sql}")).await);
        assert!(plan.contains("TableScan") && !plan.contains("DynamicFilter"), "{plan}");
    }
}

/// docs/decisions/0030: NULL and the constant came as they were found.
#[tokio::test]
async fn what_an_outer_join_fills_with_null_is_sorted() {
    let mut fixture = Fixture::new(LIMITS);
    for sql in [
        "SELECT c.k FROM cluster_load AS a LEFT JOIN (SELECT 0 AS k FROM cluster_slow_query) AS c ON a.value = 1 + 1 \
         JOIN cluster_load AS d ON a.value = d.value ORDER BY c.k DESC",
        "SELECT c.k FROM (SELECT 0 AS k, query_time FROM cluster_slow_query) AS c RIGHT JOIN cluster_load AS a \
         ON a.value = c.query_time ORDER BY c.k",
        "SELECT c.node_id FROM cluster_load AS a LEFT JOIN (SELECT node_id FROM cluster_slow_query WHERE node_id = 'tidb_1') \
         AS c ON a.node_id = c.node_id ORDER BY c.node_id",
    ] {
        let plan = show(fixture.answer(&format!("EXPLAIN {sql}")).await);
        assert!(plan.contains("SortExec"), "{plan}");
    }
}

/// A statement; the same with other values; and whether the plan of the first one serves the second.
const OTHER_VALUES: &[(&str, &str, bool)] = &[
    (
        "SELECT id, cpu, ip, status, revision FROM cluster_node_infos WHERE id = 'tikv_1'",
        "SELECT id, cpu, ip, status, revision FROM cluster_node_infos WHERE id = 'pd_1'",
        true,
    ),
    (
        "SELECT id FROM cluster_node_infos WHERE id = 'no'",
        "SELECT id FROM cluster_node_infos WHERE id = 'tikv_2'",
        true,
    ),
    (
        "SELECT id FROM cluster_node_infos WHERE 'tikv_1' = id AND cpu > 1",
        "SELECT id FROM cluster_node_infos WHERE 'tikv_2' = id AND cpu > 0",
        true,
    ),
    (
        "SELECT id, cpu FROM cluster_node_infos WHERE id = 'tikv_1' OR id = 'tikv_1' ORDER BY cpu, id",
        "SELECT id, cpu FROM cluster_node_infos WHERE id = 'tikv_1' OR id = 'pd_1' ORDER BY cpu, id",
        true,
    ),
    (
        "SELECT id FROM cluster_node_infos WHERE id >= 'a' AND id <= 'b'",
        "SELECT id FROM cluster_node_infos WHERE id >= 'a' AND id <= 'z' ORDER BY id",
        false,
    ),
    (
        "SELECT id FROM cluster_node_infos WHERE cpu BETWEEN 1000 AND 2000",
        "SELECT id FROM cluster_node_infos WHERE cpu BETWEEN 0 AND 100",
        true,
    ),
    (
        "SELECT id FROM cluster_node_infos WHERE id = 'x' AND id = 'x'",
        "SELECT id FROM cluster_node_infos WHERE id = 'x' AND id = 'tikv_1'",
        true,
    ),
    (
        "SELECT n.id, h.name FROM nodes n JOIN cluster_hardware h ON h.node_id = n.id WHERE n.id = 'pd_1' ORDER BY 1, 2",
        "SELECT n.id, h.name FROM nodes n JOIN cluster_hardware h ON h.node_id = n.id WHERE n.id = 'tikv_1' ORDER BY 1, 2",
        true,
    ),
    (
        "SELECT node_type, count(*) FROM nodes WHERE status != 'down' GROUP BY node_type HAVING count(*) > 0 ORDER BY 1",
        "SELECT node_type, count(*) FROM nodes WHERE status != 'up' GROUP BY node_type HAVING count(*) > 0 ORDER BY 1",
        true,
    ),
    (
        "SELECT id FROM nodes WHERE id = 'a' UNION SELECT 'x'",
        "SELECT id FROM nodes WHERE id = 'pd_1' UNION SELECT 'x'",
        true,
    ),
    // Another value makes another plan.
    ("SELECT id FROM nodes ORDER BY id LIMIT 1", "SELECT id FROM nodes ORDER BY id LIMIT 2", false),
    ("SELECT id, node_type FROM nodes ORDER BY 1", "SELECT id, node_type FROM nodes ORDER BY 2", false),
    ("SELECT id = 'pd_1' FROM nodes ORDER BY 1", "SELECT id = 'tikv_1' FROM nodes ORDER BY 1", false),
    ("SELECT count(*) FROM nodes WHERE id LIKE 'p%'", "SELECT count(*) FROM nodes WHERE id LIKE 't%'", false),
    ("SELECT id FROM nodes WHERE id IN ('pd_1')", "SELECT id FROM nodes WHERE id IN ('tikv_1')", false),
    ("SELECT 1", "SELECT 2", false),
    // A value of another kind.
    (
        "SELECT id FROM cluster_node_infos WHERE memory_total = 1",
        "SELECT id FROM cluster_node_infos WHERE memory_total = 1.0",
        false,
    ),
    (
        "SELECT count(*) FROM cluster_node_infos WHERE memory_total < 18446744073709551615",
        "SELECT count(*) FROM cluster_node_infos WHERE memory_total < 18446744073709551616",
        false,
    ),
    (
        "SELECT count(*) FROM nodes WHERE received_at > '2020-01-01'",
        "SELECT count(*) FROM nodes WHERE received_at > '2030-01-01'",
        false,
    ),
    // What a subquery found is not kept.
    (
        "SELECT id FROM nodes WHERE id = (SELECT max(id) FROM nodes WHERE id < 'q') ORDER BY 1",
        "SELECT id FROM nodes WHERE id = (SELECT max(id) FROM nodes WHERE id < 'z') ORDER BY 1",
        false,
    ),
    ("SELECT id FROM nodes WHERE id = @a", "SELECT id FROM nodes WHERE id = @b", false),
];

#[tokio::test]
async fn a_plan_serves_other_values_and_answers_as_a_new_one_does() {
    for (first, second, serves) in OTHER_VALUES {
        let mut fixture = Fixture::new(LIMITS);
        fixture.answer(first).await.unwrap();
        let answer = fixture.answer_once(second, &[]).await.unwrap().unwrap();
        let new = Fixture::new(LIMITS).answer_once(second, &[]).await.unwrap().unwrap();
        assert_eq!(answer.lines(), new.lines(), "{second}");
        assert_eq!(answer.was_kept, *serves, "{second}");
    }
}

/// Statements, and whether their plans are lookups. The fixture holds what was looked up against what the plan gives.
const LOOKUPS: &[(&str, bool)] = &[
    ("SELECT * FROM cluster_node_infos WHERE id = 'tikv_2'", true),
    ("SELECT * FROM cluster_node_infos WHERE id = 'no such'", true),
    ("SELECT cpu, id, cpu AS again, ip AS `Its Address` FROM cluster_node_infos WHERE 'tikv_2' = id", true),
    ("SELECT status FROM cluster_node_infos WHERE node_type = 'tikv' AND id = 'tikv_1'", true),
    ("SELECT id FROM cluster_node_infos WHERE node_type = 'tikv'", true),
    ("SELECT id FROM cluster_node_infos WHERE node_type = 'tikv' AND status = 'up' LIMIT 1", false),
    ("SELECT id FROM cluster_node_infos WHERE id = 'tikv_1' AND id = 'tikv_2'", true),
    ("SELECT name, value FROM cluster_load WHERE node_id = 'tikv_1'", true),
    ("SELECT name FROM cluster_load WHERE node_id = 'tikv_1' ORDER BY name", false),
    ("SELECT id FROM cluster_node_infos WHERE id = 'tikv_1' OR id = 'tikv_2'", false),
    ("SELECT id FROM cluster_node_infos WHERE id > 'tikv_1'", false),
    ("SELECT id, cpu + 1 FROM cluster_node_infos WHERE id = 'tikv_1'", false),
    ("SELECT id FROM cluster_node_infos WHERE id = 'tikv_1' AND cpu > 1", false),
    ("SELECT DISTINCT node_type FROM cluster_node_infos WHERE node_type = 'tikv'", false),
    ("SELECT count(*) FROM cluster_node_infos WHERE id = 'tikv_1'", false),
    ("SELECT id FROM cluster_node_infos", false),
    ("SELECT id FROM nodes WHERE id = 'tikv_1'", false),
];

#[tokio::test]
async fn lookups_answer_as_their_plans_do() {
    for silent in [false, true] {
        let mut fixture = Fixture::new(LIMITS);
        if silent {
            fixture.silence("tikv", "tikv_2");
        }
        for (sql, is_lookup) in LOOKUPS {
            let before = fixture.lookups;
            fixture.answer(sql).await.unwrap();
            assert_eq!(fixture.lookups > before, *is_lookup, "{sql}");
        }
    }
}

#[tokio::test]
async fn a_kept_plan_reads_the_newest_rows_columns_and_session() {
    let mut fixture = Fixture::new(LIMITS);
    let status = "SELECT status FROM cluster_node_infos WHERE id = 'tikv_2'";
    assert_eq!(fixture.answer(status).await.unwrap().unwrap().lines(), "up\n");
    fixture.silence("tikv", "tikv_2");
    let answer = fixture.answer_once(status, &[]).await.unwrap().unwrap();
    assert!(answer.was_kept && answer.lines() == "down\n", "{}", answer.lines());
    // The same words in another schema, and what asks for the session.
    for (sql, in_unum, in_information_schema) in
        [("SELECT count(*) > 5 FROM tables", "1\n", "1\n"), ("SELECT DATABASE()", "unum\n", "information_schema\n")]
    {
        assert_eq!(fixture.answer(sql).await.unwrap().unwrap().lines(), in_unum, "{sql}");
        fixture.answer("USE information_schema").await.unwrap();
        assert_eq!(fixture.answer(sql).await.unwrap().unwrap().lines(), in_information_schema, "{sql}");
        fixture.answer("USE unum").await.unwrap();
    }
    // A column more.
    let all = "SELECT * FROM cluster_load";
    let before = fixture.answer(all).await.unwrap().unwrap().batches[0].num_columns();
    fixture.grow("load", "one_more");
    assert_eq!(fixture.answer(all).await.unwrap().unwrap().batches[0].num_columns(), before + 1);
}

/// A statement with parameters, their values, and the same statement with literals in their place.
fn bound() -> Vec<(&'static str, Vec<Value>, &'static str)> {
    let text = |text: &str| Value::from(text);
    vec![
        (
            "SELECT id FROM cluster_node_infos WHERE id = ?",
            vec![text("tikv_1")],
            "SELECT id FROM cluster_node_infos WHERE id = 'tikv_1'",
        ),
        ("SELECT ?, ?, ?, ?", vec![(-5i64).into(), true.into(), Value::Null, 1.5.into()], "SELECT -5, TRUE, NULL, 1.5"),
        (
            "SELECT 7 - ?, ? ^ 2, 2 * ?",
            vec![(-5i64).into(), 3i64.into(), (-1i64).into()],
            "SELECT 7 - -5, 3 ^ 2, 2 * -1",
        ),
        ("SELECT id FROM nodes ORDER BY id LIMIT ?", vec![2u64.into()], "SELECT id FROM nodes ORDER BY id LIMIT 2"),
        (
            "SELECT id FROM nodes WHERE id IN (?, ?) ORDER BY id",
            vec![text("pd_1"), text("tikv_1")],
            "SELECT id FROM nodes WHERE id IN ('pd_1', 'tikv_1') ORDER BY id",
        ),
        // What is bound is a value, whatever is in it.
        (
            "SELECT count(*) FROM nodes WHERE id = ?",
            vec![text("x' OR '1' = '1")],
            "SELECT count(*) FROM nodes WHERE id = 'x'' OR ''1'' = ''1'",
        ),
        ("SELECT ? -- ?", vec![text("a\\b ? -- ;")], "SELECT 'a\\\\b ? -- ;'"),
        ("SELECT '?', ?", vec![text("?")], "SELECT '?', '?'"),
        ("SELECT HEX(?)", vec![Value::Bytes(vec![0, 255])], "SELECT HEX(X'00ff')"),
        (
            "SELECT count(*) FROM nodes WHERE received_at > ?",
            vec![Value::Timestamp(1_600_000_000_000_000)],
            "SELECT count(*) FROM nodes WHERE received_at > '2020-09-13 12:26:40'",
        ),
    ]
}

#[tokio::test]
async fn a_bound_value_is_what_a_literal_is() {
    for (sql, values, typed) in bound() {
        let mut fixture = Fixture::new(LIMITS);
        let typed = fixture.answer(typed).await.map(|answer| answer.unwrap().lines()).unwrap_or_else(|e| e.to_string());
        let bound = fixture.answer_with(sql, &values).await.map(|answer| answer.unwrap().lines());
        assert_eq!(bound.unwrap_or_else(|e| e.to_string()), typed, "{sql}");
    }
    let mut fixture = Fixture::new(LIMITS);
    fixture.answer("SELECT id FROM cluster_node_infos WHERE id = 'tikv_1'").await.unwrap();
    let sql = "SELECT id FROM cluster_node_infos WHERE id = ?";
    let bound = fixture.answer_once(sql, &["tikv_2".into()]).await.unwrap().unwrap();
    assert!(bound.was_kept, "a bound statement and one with literals share a plan");
    for (sql, values, part) in [
        ("SELECT ?", vec![], "has 1 parameters (?) and 0 values came"),
        ("SELECT 1", vec![1i64.into()], "has 0 parameters (?) and 1 values came"),
        ("SELECT ?", vec![f64::NAN.into()], "NaN cannot be bound"),
    ] {
        let error = fixture.answer_with(sql, &values).await.err().unwrap().to_string();
        assert!(error.contains(part), "{sql}: {error}");
    }
}

#[tokio::test]
async fn the_digest_of_a_statement_is_that_of_its_text_whatever_is_bound() {
    let mut fixture = Fixture::new(LIMITS);
    let with = "SELECT id FROM nodes WHERE sequence = ?";
    let without = "SELECT id FROM nodes WHERE sequence = NULL";
    let left = "SELECT id FROM nodes WHERE sequence = ? AND revision = NULL";
    let right = "SELECT id FROM nodes WHERE sequence = NULL AND revision = ?";
    for (sql, values, expected) in [
        (with, vec![Value::Null], "select id from nodes where sequence = ?"),
        (without, vec![], "select id from nodes where sequence = null"),
        (with, vec![(-1i64).into()], "select id from nodes where sequence = ?"),
        (with, vec![7i64.into()], "select id from nodes where sequence = ?"),
        (left, vec![Value::Null], "select id from nodes where sequence = ? and revision = null"),
        (right, vec![Value::Null], "select id from nodes where sequence = null and revision = ?"),
        (left, vec![Value::Null], "select id from nodes where sequence = ? and revision = null"),
        ("SELECT id FROM nodes WHERE sequence = (-1)", vec![], "select id from nodes where sequence = ( - ? )"),
        (with, vec![(-3i64).into()], "select id from nodes where sequence = ?"),
        (with, vec![Value::Null], "select id from nodes where sequence = ?"),
        (without, vec![], "select id from nodes where sequence = null"),
    ] {
        let answer = fixture.answer_with(sql, &values).await.expect(sql).expect("rows");
        assert_eq!(answer.digest.text, expected, "{sql} with {values:?}");
    }
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
