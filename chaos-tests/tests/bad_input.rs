//! Wrong input from outside: a clear error with the value and the remedy, the right exit code, and nothing lost.

use unum_chaos_tests::cluster::{Cluster, Finished, binary, run, until};
use unum_client::{Client, DataType, Error, NodeDescription, NodeKey, Table};

fn unum(args: &[&str], input: &str) -> anyhow::Result<Finished> {
    run(&binary("unum")?, args, input)
}

fn unumd(args: &[String]) -> anyhow::Result<Finished> {
    run(&binary("unumd")?, &args.iter().map(String::as_str).collect::<Vec<_>>(), "")
}

#[track_caller]
fn refused(finished: &Finished, code: i32, parts: &[&str]) {
    assert_eq!(finished.code, Some(code), "{finished:?}");
    for part in parts {
        assert!(finished.stderr.contains(part), "{part:?} is not in: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

/// The arguments with the value after `flag` replaced.
fn with(args: &[String], flag: &str, value: &str) -> Vec<String> {
    let mut args = args.to_vec();
    let position = args.iter().position(|arg| arg == flag).expect("the flag is there");
    args[position + 1] = value.to_owned();
    args
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_cannot_start_says_why_and_how_to_mend_it() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let args = cluster.serve_args(1);
    let other = with(&with(&args, "--listen", "127.0.0.1:0"), "--http-listen", "127.0.0.1:0");
    let elsewhere = cluster.dir().join("elsewhere").to_string_lossy().into_owned();

    refused(
        &unumd(&with(&other, "--data-dir", &format!("{}/x", cluster.member(1).data_dir.join("LOCK").display())))?,
        1,
        &["cannot create the data directory"],
    );
    refused(
        &unumd(&with(&args, "--data-dir", &elsewhere))?,
        1,
        &["cannot listen on 127.0.0.1", "choose another --listen"],
    );
    refused(&unumd(&other)?, 1, &["it is in use by process", "choose another --data-dir"]);
    refused(&unumd(&with(&other, "--id", "9"))?, 1, &["--id 9 is not a member of --initial-cluster"]);
    refused(&unumd(&with(&other, "--initial-cluster", "1=x"))?, 1, &["\"1=x\" has no HOST:PORT"]);
    refused(&unumd(&[other.as_slice(), &["--frob".to_owned()]].concat())?, 2, &["unexpected argument '--frob'"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_another_cluster_or_replica_is_refused() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(1).await?;
    let args = cluster.serve_args(1);
    assert_eq!(cluster.stop(1)?, Some(0));
    let foreign = [args.clone(), vec!["--cluster-name".into(), "other".into()]].concat();
    refused(&unumd(&foreign)?, 1, &["it belongs to cluster", "choose another --data-dir"]);
    // Nothing was lost by the attempt.
    cluster.spawn(1)?;
    cluster.wait_until_answers(1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_from_outside_gets_its_exit_code_and_its_rows() -> anyhow::Result<()> {
    let cluster = Cluster::start_with(1, "[sql]\nresult_rows_max = 100\n").await?;
    let endpoint = cluster.member(1).addr.clone();
    let sql = |sql: &str| unum(&["sql", "--endpoints", &endpoint, "--format", "csv", "-e", sql], "");

    let piped = unum(&["sql", "--endpoints", &endpoint, "--format", "csv"], "SELECT 1 AS a;\nSELECT ';' AS b;\n")?;
    assert_eq!((piped.code, piped.stdout.as_str()), (Some(0), "a\n1\nb\n;\n"), "{}", piped.stderr);
    let several =
        unum(&["sql", "--endpoints", &endpoint, "--format", "csv", "-e", "SELECT 1 AS a", "-e", "SELECT 2 AS b;"], "")?;
    assert_eq!((several.code, several.stdout.as_str()), (Some(0), "a\n1\nb\n2\n"), "{}", several.stderr);

    refused(&sql("SELECT id\nFROM nodes WHERE (")?, 1, &["does not parse", "Line: 2"]);
    refused(&sql("SELECT * FROM nodess")?, 1, &["there is no table unum.nodess; did you mean nodes?"]);
    refused(&sql("DESC nodess")?, 1, &["there is no table unum.nodess; did you mean nodes?"]);
    refused(&sql("SELECT cpuu FROM nodes")?, 1, &["cpuu"]);
    refused(&sql("DELETE FROM nodes")?, 1, &["DELETE FROM is refused; nodes change their rows by pushing them"]);
    refused(&sql("INSERT INTO nodes SELECT 1")?, 1, &["INSERT INTO is refused"]);
    refused(&sql("COPY nodes TO '/tmp/x'")?, 1, &["COPY nodes is refused"]);
    let many = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n";
    refused(&sql(many)?, 1, &["more than 100 rows", "sql.result_rows_max"]);
    refused(&unum(&["sql", "--endpoints", "nowhere", "-e", "SELECT 1"], "")?, 1, &["\"nowhere\" is not an endpoint"]);
    refused(&unum(&["sql", "--format", "xml"], "")?, 2, &["xml"]);
    refused(
        &unum(&["sql", "--endpoints", "127.0.0.1:1", "-e", "SELECT 1"], "")?,
        3,
        &["no replica reachable at 127.0.0.1:1"],
    );
    refused(&unum(&["agent", "--node-type", "TiKV", "--id", "1"], "")?, 1, &["\"TiKV\" is not a node type"]);

    // The replica has survived all of it.
    assert_eq!(sql("SELECT 1 AS a")?.code, Some(0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_push_is_refused_and_changes_nothing() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    let client: Client = cluster.client(1)?;
    let publisher = |id: &str| client.publisher(NodeDescription::new(NodeKey::parse("test", id).unwrap()));
    let table = |data_type, value: unum_client::Value| {
        vec![Table::new("t", &[("v", data_type, "")]).unwrap().row([value]).snapshot()]
    };
    let mut first = publisher("a");
    first.push(table(DataType::Int64, 1i64.into())).await?;

    let message = async |publisher: &mut unum_client::Publisher, tables| match publisher.push_whole(tables).await {
        Err(Error::Refused(message)) => message,
        other => panic!("{other:?} instead of a refusal"),
    };
    let mistyped = message(&mut publisher("b"), table(DataType::Int64, "x".into())).await;
    assert!(mistyped.contains("t.v is BIGINT but the row has a TEXT"), "{mistyped}");
    let large = message(&mut publisher("b"), table(DataType::Text, "x".repeat(100_000).into())).await;
    assert!(large.contains("a row of table t has 100004 bytes; the limit is 65536"), "{large}");
    let mut wide = Table::new("wide", &[("v", DataType::Text, "")])?;
    for _ in 0..20 {
        wide = wide.row(["x".repeat(60_000).into()]);
    }
    let too_large = message(&mut publisher("b"), vec![wide.snapshot()]).await;
    assert!(
        too_large.contains("the push of node test/b has") && too_large.contains("the limit is 524288"),
        "{too_large}"
    );
    let reserved = Table::new("nodes", &[("v", DataType::Int64, "")]).unwrap_err().to_string();
    assert!(reserved.contains("\"nodes\" is the catalog's own"), "{reserved}");

    // A second publisher of the name takes over; the older is told by whom.
    let mut second = publisher("a");
    second.push(table(DataType::Int64, 2i64.into())).await?;
    let older = message(&mut first, table(DataType::Int64, 3i64.into())).await;
    assert!(older.contains("node test/a is held by epoch"), "{older}");

    let rows = client.query("SELECT node_id, v FROM cluster_t").await?;
    let rows: Vec<(String, i64)> =
        rows.rows().map(|row| (row.get("node_id").unwrap(), row.get("v").unwrap())).collect();
    assert_eq!(rows, [("a".to_owned(), 2)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_would_grow_past_its_limits_refuses_with_the_setting() -> anyhow::Result<()> {
    // The replica itself is a node, with six tables.
    let cluster = Cluster::start_with(1, "[limits]\nnodes_max = 2\ntables_max = 7\n").await?;
    let client = cluster.client(1)?;
    let own = async || client.query("SELECT * FROM tables").await.ok().filter(|tables| tables.row_count() == 6);
    until("the replica has published itself", own).await?;
    let push = async |id: &str, name: &str| {
        let node = NodeDescription::new(NodeKey::parse("test", id).unwrap());
        let table = Table::new(name, &[("v", DataType::Int64, "")]).unwrap().row([1i64.into()]);
        client.publisher(node).push_whole(vec![table.snapshot()]).await
    };
    push("a", "one").await?;
    let node = push("b", "one").await.unwrap_err().to_string();
    assert!(node.contains("the limit is 2 nodes") && node.contains("raise limits.nodes_max"), "{node}");
    let table = push("a", "two").await.unwrap_err().to_string();
    assert!(table.contains("the limit is 7 tables") && table.contains("raise limits.tables_max"), "{table}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_http_port_tells_health_readiness_and_metrics() -> anyhow::Result<()> {
    let mut cluster = Cluster::start(3).await?;
    assert!(cluster.http_get(3, "/healthz")?.starts_with("HTTP/1.1 200"));
    assert!(cluster.http_get(3, "/readyz")?.starts_with("HTTP/1.1 200"));
    let metrics = cluster.http_get(3, "/metrics")?;
    for name in ["unum_revision{replica=\"3\"}", "unum_read_rounds_total", "unum_queries_total"] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    cluster.kill(1)?;
    cluster.kill(2)?;
    assert!(cluster.http_get(3, "/healthz")?.starts_with("HTTP/1.1 200"));
    let not_ready = cluster.http_get(3, "/readyz")?;
    assert!(not_ready.starts_with("HTTP/1.1 503") && not_ready.contains("not ready: replica 3"), "{not_ready}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_chains_that_are_legal_are_answered_and_longer_ones_refused() -> anyhow::Result<()> {
    let cluster = Cluster::start(1).await?;
    // The longest take seconds to plan where nothing is optimized.
    let client = cluster.client(1)?.with_timeout(std::time::Duration::from_secs(60));
    // Each is a tree as deep as it is long: one past the bound once cost the replica its stack.
    let chains: [fn(usize) -> String; 4] = [
        |count| format!("SELECT 1{}", " + 1".repeat(count)),
        |count| format!("SELECT count(*) FROM nodes WHERE id = 'a'{}", " OR id = 'b'".repeat(count / 2)),
        |count| format!("SELECT {}'a'", "'a' || ".repeat(count)),
        |count| format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(count / 8)),
    ];
    for chain in chains {
        client.query(&chain(900)).await?;
        for count in [17_000, 20_000] {
            let error = client.query(&chain(count)).await.expect_err("too long");
            assert!(error.to_string().contains("operators, and 1000 is the most"), "{error}");
        }
    }
    Ok(())
}
