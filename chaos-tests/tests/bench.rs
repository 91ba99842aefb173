//! `unum bench` on a small cluster: every work runs, and says what it did in both formats.

use unum_chaos_tests::cluster::{Cluster, binary, run};

const NODES: &str = "20";

fn bench(work: &str, args: &[&str]) -> anyhow::Result<Vec<serde_json::Value>> {
    let all: Vec<&str> = [&["bench", work, "--nodes", NODES, "--clients", "4", "--format", "json"], args].concat();
    let ended = run(&binary("unum")?, &all, "")?;
    assert_eq!(ended.code, Some(0), "{work}: {}", ended.stderr);
    ended.stdout.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_work_runs_and_says_what_it_did() -> anyhow::Result<()> {
    let cluster = Cluster::start(3).await?;
    let endpoints: Vec<String> = (1..=3).map(|id| cluster.member(id).addr.clone()).collect();
    let metrics: Vec<String> = (1..=3).map(|id| cluster.member(id).http_addr.clone()).collect();
    let (endpoints, metrics) = (endpoints.join(","), metrics.join(","));
    let cluster_args = ["--endpoints", &endpoints, "--metrics", &metrics, "--seconds", "1"];
    for (work, more) in [
        ("point-select", &["--replica", "follower"][..]),
        ("scan", &["--replica", "leader", "--consistency", "stale"]),
        ("group-by", &[]),
        ("join", &[]),
        ("push", &["--row-bytes", "1024"]),
        ("mixed", &["--rate", "50", "--select-rate", "50"]),
    ] {
        let reports = bench(work, &[&cluster_args, more].concat())?;
        assert_eq!(reports.len(), if work == "mixed" { 2 } else { 1 });
        for report in reports {
            let number =
                |field: &str| report[field].as_f64().unwrap_or_else(|| panic!("{work}: no {field} in {report}"));
            assert!(report["work"].as_str().is_some_and(|name| name.starts_with(work)), "{report}");
            assert_eq!(number("errors"), 0.0, "{report}");
            assert!(number("ops_per_s") > 1.0 && number("server_cpu_us_per_op") > 0.0, "{report}");
            assert!(0.0 < number("p50_us") && number("p50_us") <= number("p99_us"), "{report}");
        }
    }
    let table = run(&binary("unum")?, &[&["bench", "scan", "--nodes", NODES], &cluster_args[..]].concat(), "")?;
    assert!(table.stdout.contains("| scan "), "{}", table.stdout);
    // Nobody listens there: an error, and no figures.
    let args = ["bench", "scan", "--nodes", NODES, "--endpoints", "127.0.0.1:1", "--timeout", "1s"];
    let nobody = run(&binary("unum")?, &args, "")?;
    assert_eq!((nobody.code, nobody.stdout.as_str()), (Some(3), ""), "{}", nobody.stderr);
    Ok(())
}
