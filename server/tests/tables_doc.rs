//! `docs/TABLES.md` is made from the tables themselves, and this fails when it is out of date.
//!
//! `UNUM_DOCS_UPDATE=1` writes it.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::path::Path;

use unum_client::DataType;
use unum_client::collect::PUBLISHED_TABLES;
use unum_server::service::query_log::{processlist, slow_query, statements_summary};
use unum_server::service::raft_status;
use unum_server::sql::names::{DEFAULT_SCHEMA, INFORMATION_SCHEMA};
use unum_server::sql::{SYSTEM_TABLES, heads};

type Columns = &'static [(&'static str, DataType, &'static str)];

/// What a replica publishes, besides `node_info`.
const OWN_TABLES: [(&str, &str, Columns); 4] = [
    ("processlist", "the queries that run, as of the last push", processlist::COLUMNS),
    ("slow_query", "the last 100 queries that took longer than `sql.slow_query_threshold_ms`", slow_query::COLUMNS),
    ("statements_summary", "all queries by digest, of this half hour and the one before", statements_summary::COLUMNS),
    ("raft_status", "how the replica sees the Raft group", raft_status::COLUMNS),
];

const HEAD: &str = "\
# Tables

Made from the code by `server/tests/tables_doc.rs`; do not edit.

Names are not case-sensitive. Times are UTC, with microseconds. What a node cannot tell is NULL.

## Pushed tables

For every table `T` that any node pushed there are two: `T` has what the replica that answers pushed itself, `cluster_T`
all nodes' rows and where they come from:

| column | type | what it is |
|---|---|---|
| node_type | TEXT | type of the node that pushed the row |
| node_id | TEXT | id of the node that pushed the row |
| status | TEXT | what the catalog thinks of that node: up, stale or down |
| collected_at | TIMESTAMP | when the node read the row, by its clock |
| received_at | TIMESTAMP | when the leader took the row in, by its clock |
| revision | BIGINT UNSIGNED | the revision since which the row is visible |

A column that the table has itself is not repeated. `cluster_node_infos` and `cluster_node_info` are the same.
";

fn section(out: &mut String, name: &str, what: &str, columns: Columns) {
    write!(out, "\n### {name}\n{}.\n\n| column | type | what it is |\n|---|---|---|\n", capital(what)).unwrap();
    for (column, data_type, comment) in columns {
        writeln!(out, "| {column} | {data_type} | {} |", comment.replace('|', "\\|")).unwrap();
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn document() -> String {
    let mut out = HEAD.to_owned();
    out.push_str("\n## What an agent pushes of its host\nA replica pushes `node_info`, too.\n");
    for table in &PUBLISHED_TABLES {
        section(&mut out, table.name, table.comment, table.columns);
    }
    out.push_str("\n## What a replica pushes of itself\nAs a node of type `unum`.\n");
    for (name, what, columns) in OWN_TABLES {
        section(&mut out, name, what, columns);
    }
    for (schema, what) in [
        (DEFAULT_SCHEMA, "The catalog, the Raft group and what was pushed."),
        (
            INFORMATION_SCHEMA,
            "Tables about tables in MySQL's shape, and TiDB's `cluster_*` tables with TiDB's columns, filled from the pushed \
             columns of the same names.",
        ),
    ] {
        write!(out, "\n## Schema {schema}\n{what}\n").unwrap();
        for table in SYSTEM_TABLES.iter().filter(|table| table.schema == schema) {
            section(&mut out, &format!("{schema}.{}", table.name), table.comment, table.columns);
        }
    }
    out
}

#[test]
fn the_reference_of_tables_is_up_to_date() {
    let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../docs/TABLES.md");
    let document = document();
    if std::env::var_os("UNUM_DOCS_UPDATE").is_some() {
        std::fs::write(&path, &document).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == document, "docs/TABLES.md is out of date: UNUM_DOCS_UPDATE=1 writes it");
}

/// docs/SQL.md has the table of statements between these.
const STATEMENTS: [&str; 2] = ["## Statements\n\n", "\n## Parameters"];

#[test]
fn the_table_of_statements_is_up_to_date() {
    let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("../docs/SQL.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let start = written.find(STATEMENTS[0]).expect("the head of the table") + STATEMENTS[0].len();
    let end = start + written[start..].find(STATEMENTS[1]).expect("what follows the table");
    let made = format!("{}{}", heads::documentation(), NOTE);
    if std::env::var_os("UNUM_DOCS_UPDATE").is_some() {
        std::fs::write(&path, format!("{}{made}{}", &written[..start], &written[end..])).unwrap();
        return;
    }
    assert!(written[start..end] == made, "docs/SQL.md is out of date: UNUM_DOCS_UPDATE=1 writes it");
}

/// What is true of several statements.
const NOTE: &str = "\nA `SHOW` takes `LIKE 'pattern'` or `WHERE condition`. What begins in none of these ways, or writes, is refused.\n";
