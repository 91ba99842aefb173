//! A host read by real child processes.

use std::time::Duration;

use unum_client::collect::{Collected, HostTables};
use unum_client::{NodeDescription, NodeKey, Program, SharedFile, TableSnapshot, Value};

fn program() -> Program {
    Program::at(env!("CARGO_BIN_EXE_unum"))
}

fn node() -> NodeDescription {
    NodeDescription::new(NodeKey::parse("tikv", "tikv_1").expect("a legal name"))
}

fn names(collected: &Collected) -> Vec<Vec<&str>> {
    fn tables(push: &[TableSnapshot]) -> Vec<&str> {
        push.iter().map(|table| table.schema.name.as_str()).collect()
    }
    collected.pushes.iter().map(|push| tables(push)).collect()
}

#[tokio::test]
async fn what_hardly_changes_goes_out_until_it_is_acknowledged() {
    let mut tables = HostTables::new(&program(), 3);
    let all = vec![vec!["node_info", "load", "processes", "hardware", "systeminfo"]];
    for _ in 0..2 {
        assert_eq!(names(&tables.collect(&node()).await.unwrap()), all);
    }
    tables.acknowledged();
    let moving = vec![vec!["node_info", "load", "processes"]];
    assert_eq!(names(&tables.collect(&node()).await.unwrap()), moving);
}

#[tokio::test]
async fn no_processes_are_an_empty_table() {
    for most in [0, 2] {
        let collected = HostTables::new(&program(), most).collect(&node()).await.unwrap();
        assert_eq!(collected.pushes[0][2].rows.len(), most);
    }
}

/// As where no process can be started: the node is there, and says what it does not know.
#[tokio::test]
async fn a_host_that_nobody_can_read_is_a_row_without_zeros() {
    let mut tables = HostTables::new(&Program::at("/no/such/program"), 3);
    let collected = tables.collect(&node()).await.unwrap();
    assert_eq!(names(&collected), [["node_info"]]);
    let table = &collected.pushes[0][0];
    let value = |column: &str| &table.rows[0][table.schema.position(column).unwrap()];
    assert_eq!((value("id"), value("cpu"), value("disk_used")), (&"tikv_1".into(), &Value::Null, &Value::Null));
    assert_eq!(collected.unread.len(), 2, "{:?}", collected.unread);
    assert!(collected.unread[0].contains("host: no answer: /no/such/program does not start"), "{:?}", collected.unread);
}

#[tokio::test]
async fn a_file_is_read_and_replaced_by_a_child() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    std::fs::write(&path, "old").unwrap();
    let mut file = SharedFile::new(&program(), &path, 100);
    let read = file.read(None).await.unwrap().expect("nobody knows it");
    assert_eq!(read.bytes, b"old");
    assert_eq!(file.read(Some(read.stamp)).await.unwrap(), None);
    let stamp = file.replace(&read, b"new".to_vec()).await.unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"new");
    assert_eq!(file.read(Some(stamp)).await.unwrap(), None);
    let why = file.replace(&read, b"again".to_vec()).await.unwrap_err();
    assert!(why.contains("somebody else has changed it"), "{why}");
    std::fs::remove_file(&path).unwrap();
    assert!(file.read(None).await.unwrap_err().contains("it cannot be read"));
}

/// A helper whose parent has gone ends by itself.
#[cfg(unix)]
#[tokio::test]
async fn a_helper_ends_with_its_parent() {
    let mut child = tokio::process::Command::new(env!("CARGO_BIN_EXE_unum"))
        .args(["--unum-helper", "host"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let status = tokio::time::timeout(Duration::from_secs(60), child.wait()).await.expect("it ends").unwrap();
    assert!(status.success());
    let unknown = std::process::Command::new(env!("CARGO_BIN_EXE_unum")).args(["--unum-helper", "x"]).status().unwrap();
    assert_eq!(unknown.code(), Some(1));
}
