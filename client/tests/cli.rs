//! The command line of `unum`, as far as it needs no replica.

use std::process::Command;

#[test]
fn help_names_every_command_and_exits_0() {
    let output = Command::new(env!("CARGO_BIN_EXE_unum")).arg("--help").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8(output.stdout).unwrap();
    for command in ["sql", "agent", "push"] {
        assert!(help.contains(command), "{help}");
    }
}

#[test]
fn wrong_usage_exits_2() {
    let push = ["push", "--node-type", "a", "--id", "b", "--table", "c", "--file", "-"];
    for args in [
        &["--frob"][..],
        &["sql", "--timeout", "soon"],
        &["agent"],
        &["agent", "--interval", "x"],
        &["agent", "--node-type", "a", "--id", "b", "--processes", "many"],
        &push[..7],
        &[&push[..], &["--watch"]].concat(),
        &[&push[..], &["--schema", "a GEOMETRY"]].concat(),
        &[&push[..], &["--label", "zone"]].concat(),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_unum")).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}
