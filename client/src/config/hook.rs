//! A command that sets a key: `unum agent --on-config`.
//!
//! It runs in a shell, with `UNUM_CONFIG_KEY`, `UNUM_CONFIG_VALUE`, `UNUM_CONFIG_CHANGE` and `UNUM_CONFIG_ATTEMPT` in its
//! environment, and the same as one line of JSON on its standard input. Its exit code says what came of it.

use std::time::Duration;

use unum_proto::model::ConfigOutcome;

use super::ConfigRequest;
use super::command::Commands;

/// The command takes the value as it is.
const APPLIED: i32 = 0;
/// It refuses the value; no other attempt will be made.
const REJECTED: i32 = 2;
/// It has the value from the next start on.
const NEEDS_RESTART: i32 = 3;

/// How long the command may take.
pub const TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);

/// Runs the command for one key.
pub async fn run(commands: &Commands, command: &str, request: &ConfigRequest, timeout: Duration) -> ConfigOutcome {
    let (change, attempt) = (request.change.to_string(), request.attempt.to_string());
    let variables = [
        ("UNUM_CONFIG_KEY", request.key.as_str()),
        ("UNUM_CONFIG_VALUE", &request.value),
        ("UNUM_CONFIG_CHANGE", &change),
        ("UNUM_CONFIG_ATTEMPT", &attempt),
    ];
    let line = serde_json::json!({
        "key": request.key, "value": request.value, "change": request.change, "attempt": request.attempt,
    });
    let ended = match commands.run(command, &variables, format!("{line}\n").into_bytes(), 0, timeout).await {
        Ok(ended) => ended,
        Err(why) => return ConfigOutcome::Failed(why),
    };
    let said = ended.error;
    match ended.status.code() {
        Some(APPLIED) => ConfigOutcome::Applied,
        Some(NEEDS_RESTART) => ConfigOutcome::NeedsRestart,
        Some(REJECTED) => ConfigOutcome::Rejected(said),
        Some(code) => ConfigOutcome::Failed(format!("{command:?} ended with {code}: {said}")),
        None => ConfigOutcome::Failed(format!("{command:?} was killed by a signal: {said}")),
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
        let run =
            async |command: &str| super::run(&Commands::default(), command, &request(), Duration::from_secs(10)).await;
        let ok = "test \"$UNUM_CONFIG_KEY=$UNUM_CONFIG_VALUE\" = log.level=info && grep -q '\"value\":\"info\"'";
        assert_eq!(run(ok).await, ConfigOutcome::Applied);
        assert_eq!(run("echo no >&2; exit 2").await, ConfigOutcome::Rejected("no".into()));
        assert_eq!(run("exit 3").await, ConfigOutcome::NeedsRestart);
        let ConfigOutcome::Failed(why) = run("echo broken >&2; exit 9").await else { panic!("it failed") };
        assert!(why.contains("ended with 9: broken"), "{why}");
        let late = super::run(&Commands::default(), "sleep 60", &request(), Duration::from_millis(50)).await;
        assert!(matches!(&late, ConfigOutcome::Failed(why) if why.contains("did not end")), "{late:?}");
    }
}
