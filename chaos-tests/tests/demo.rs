//! `unumd demo`, as the README's first screen has it.

use std::process::{Command, Stdio};

use unum_chaos_tests::cluster::{binary, until};

#[test]
fn the_demo_answers_and_leaves_nothing_behind() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let output = Command::new(binary("unumd")?)
        .args(["demo", "--format", "csv", "-e", "SELECT id, node_type FROM cluster_node_infos ORDER BY id"])
        .args(["-e", "SELECT count(*) AS replicas FROM replicas"])
        .env("TMPDIR", temporary.path())
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let expected = "id,node_type\nunum_1,unum\nunum_2,unum\nunum_3,unum\nreplicas\n3\n";
    assert_eq!(String::from_utf8(output.stdout)?, expected);
    assert_eq!(stderr, "");
    assert_eq!(std::fs::read_dir(temporary.path())?.count(), 0, "the temporary directory is not empty");
    Ok(())
}

#[test]
fn a_wrong_statement_ends_the_demo_with_1() -> anyhow::Result<()> {
    let output = Command::new(binary("unumd")?).args(["demo", "-e", "SELECT * FROM nodess"]).output()?;
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr)?.contains("did you mean nodes?"));
    Ok(())
}

#[tokio::test]
async fn a_demo_that_is_told_to_stop_removes_its_directory() -> anyhow::Result<()> {
    let temporary = tempfile::tempdir()?;
    let files = || std::fs::read_dir(temporary.path()).map(Iterator::count).unwrap_or(0);
    // Standard input stays open: the demo waits for statements.
    let mut child =
        Command::new(binary("unumd")?).arg("demo").env("TMPDIR", temporary.path()).stdin(Stdio::piped()).spawn()?;
    until("the demo has made its directory", async || (files() > 0).then_some(())).await?;
    anyhow::ensure!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?.success());
    let ended = until("the demo ends", async || child.try_wait().ok()?).await?;
    assert!(ended.success(), "{ended:?}");
    assert_eq!(files(), 0, "the temporary directory is not empty");
    Ok(())
}
