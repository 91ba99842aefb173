//! A command that sets a key: `unum agent --on-config`.
//!
//! It runs in a shell, with `UNUM_CONFIG_KEY`, `UNUM_CONFIG_VALUE`, `UNUM_CONFIG_CHANGE` and `UNUM_CONFIG_ATTEMPT` in its
//! environment, and the same as one line of JSON on its standard input. Its exit code says what came of it.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use unum_proto::model::ConfigOutcome;

use super::ConfigRequest;

/// The command takes the value as it is.
const APPLIED: i32 = 0;
/// It refuses the value; no other attempt will be made.
const REJECTED: i32 = 2;
/// It has the value from the next start on.
const NEEDS_RESTART: i32 = 3;

/// How long the command may take.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Bytes of its standard error that are kept of a failure: the last ones.
const ERROR_BYTES_MAX: usize = 512;

/// Runs the command for one key.
pub async fn run(command: &str, request: &ConfigRequest, timeout: Duration) -> ConfigOutcome {
    let failed = |what: String| ConfigOutcome::Failed(format!("{command:?} {what}"));
    let mut child = Command::new("/bin/sh");
    child.arg("-c").arg(command);
    child.env("UNUM_CONFIG_KEY", &request.key).env("UNUM_CONFIG_VALUE", &request.value);
    child.env("UNUM_CONFIG_CHANGE", request.change.to_string());
    child.env("UNUM_CONFIG_ATTEMPT", request.attempt.to_string());
    child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = match child.spawn() {
        Ok(child) => child,
        Err(error) => return failed(format!("does not start: {error}")),
    };
    let line = serde_json::json!({
        "key": request.key, "value": request.value, "change": request.change, "attempt": request.attempt,
    });
    let ended = async {
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read is no failure.
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(timeout, ended).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return failed(format!("failed: {error}")),
        Err(_) => return failed(format!("did not end within {} s and was killed", timeout.as_secs())),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim();
    let said = &said[said.ceil_char_boundary(said.len().saturating_sub(ERROR_BYTES_MAX))..];
    match output.status.code() {
        Some(APPLIED) => ConfigOutcome::Applied,
        Some(NEEDS_RESTART) => ConfigOutcome::NeedsRestart,
        Some(REJECTED) => ConfigOutcome::Rejected(said.to_owned()),
        Some(code) => failed(format!("ended with {code}: {said}")),
        None => failed(format!("was killed by a signal: {said}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ConfigRequest {
        ConfigRequest { change: 7.into(), key: "log.level".into(), value: "info".into(), attempt: 1 }
    }

    #[tokio::test]
    async fn the_exit_code_says_what_came_of_it() {
        let run = async |command: &str| super::run(command, &request(), Duration::from_secs(10)).await;
        let ok = "test \"$UNUM_CONFIG_KEY=$UNUM_CONFIG_VALUE\" = log.level=info && grep -q '\"value\":\"info\"'";
        assert_eq!(run(ok).await, ConfigOutcome::Applied);
        assert_eq!(run("echo no >&2; exit 2").await, ConfigOutcome::Rejected("no".into()));
        assert_eq!(run("exit 3").await, ConfigOutcome::NeedsRestart);
        let ConfigOutcome::Failed(why) = run("echo broken >&2; exit 9").await else { panic!("it failed") };
        assert!(why.contains("ended with 9: broken"), "{why}");
        let late = super::run("sleep 60", &request(), Duration::from_millis(50)).await;
        assert!(matches!(&late, ConfigOutcome::Failed(why) if why.contains("did not end")), "{late:?}");
    }
}
