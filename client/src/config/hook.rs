//! A command that sets keys: `unum agent --on-config`.
//!
//! It runs in a shell, once for all keys of a change, with `UNUM_CONFIG_CHANGE` and `UNUM_CONFIG_ATTEMPT` in its environment, and of one
//! key alone `UNUM_CONFIG_KEY` and `UNUM_CONFIG_VALUE`. On its standard input is one line of JSON: an object of the keys, each
//! with its `old` and its `new` value. A line of its standard output may say what came of a key, `log.level=rejected: no such level`; of
//! the others its exit code does.

use std::collections::BTreeMap;
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

/// Bytes of its standard output that are read.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Runs the command for the keys of one change; `old` is what they are. An outcome for each request, in their order.
pub async fn run(
    commands: &Commands,
    command: &str,
    requests: &[ConfigRequest],
    old: &BTreeMap<String, String>,
    timeout: Duration,
) -> Vec<ConfigOutcome> {
    let Some(first) = requests.first() else { return Vec::new() };
    let (change, attempt) = (first.change.to_string(), first.attempt.to_string());
    let mut variables = vec![("UNUM_CONFIG_CHANGE", change.as_str()), ("UNUM_CONFIG_ATTEMPT", &attempt)];
    if let [one] = requests {
        variables.extend([("UNUM_CONFIG_KEY", one.key.as_str()), ("UNUM_CONFIG_VALUE", &one.value)]);
    }
    let values = requests.iter().map(|request| {
        let values = serde_json::json!({"old": old.get(&request.key), "new": request.value});
        (request.key.clone(), values)
    });
    let line = format!("{}\n", serde_json::Value::Object(values.collect()));
    let ended = commands.run(command, &variables, line.into_bytes(), OUTPUT_BYTES_MAX, timeout).await;
    let (said, of_all) = match ended {
        Ok(ended) => {
            let said = String::from_utf8_lossy(&ended.output).into_owned();
            let of_all = match ended.status.code() {
                Some(APPLIED) => ConfigOutcome::Applied,
                Some(NEEDS_RESTART) => ConfigOutcome::NeedsRestart,
                Some(REJECTED) => ConfigOutcome::Rejected(ended.error),
                Some(code) => ConfigOutcome::Failed(format!("--on-config ended with {code}: {}", ended.error)),
                None => ConfigOutcome::Failed(format!("--on-config was killed by a signal: {}", ended.error)),
            };
            (said, of_all)
        }
        // What did not end in time says nothing: it may say something else at its end.
        Err(why) => (String::new(), ConfigOutcome::Failed(format!("--on-config: {why}"))),
    };
    let of_key = |request: &ConfigRequest| {
        let line =
            said.lines().rev().find_map(|line| line.trim().strip_prefix(request.key.as_str())?.strip_prefix('='));
        line.and_then(outcome).unwrap_or_else(|| of_all.clone())
    };
    requests.iter().map(of_key).collect()
}

/// `applied`, `needs restart`, `rejected: why`, `failed: why`; anything else is a word to nobody.
fn outcome(text: &str) -> Option<ConfigOutcome> {
    let (word, why) = text.split_once(':').unwrap_or((text, ""));
    let why = why.trim().to_owned();
    Some(match word.trim().to_lowercase().replace(['-', '_'], " ").as_str() {
        "applied" => ConfigOutcome::Applied,
        "needs restart" => ConfigOutcome::NeedsRestart,
        "rejected" => ConfigOutcome::Rejected(why),
        "failed" => ConfigOutcome::Failed(why),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    fn request(key: &str, value: &str) -> ConfigRequest {
        ConfigRequest { change: 7.into(), key: key.into(), value: value.into(), attempt: 1 }
    }

    async fn ran(command: &str, keys: &[(&str, &str)], timeout: Duration) -> Vec<ConfigOutcome> {
        let requests: Vec<_> = keys.iter().map(|(key, value)| request(key, value)).collect();
        let old = BTreeMap::from([("log.level".to_owned(), "warn".to_owned())]);
        run(&Commands::default(), command, &requests, &old, timeout).await
    }

    #[tokio::test]
    async fn the_exit_code_says_what_came_of_it() {
        let one = async |command: &str, timeout| ran(command, &[("log.level", "info")], timeout).await.remove(0);
        let ok = "test \"$UNUM_CONFIG_KEY=$UNUM_CONFIG_VALUE\" = log.level=info && grep -qx '{\"log.level\":{\"new\":\"info\",\"old\":\"warn\"}}'";
        assert_eq!(one(ok, LONG).await, ConfigOutcome::Applied);
        assert_eq!(one("echo no >&2; exit 2", LONG).await, ConfigOutcome::Rejected("no".into()));
        assert_eq!(one("exit 3", LONG).await, ConfigOutcome::NeedsRestart);
        let ConfigOutcome::Failed(why) = one("echo broken >&2; exit 9", LONG).await else { panic!("it failed") };
        assert!(why.contains("ended with 9: broken"), "{why}");
        let late = one("sleep 60", Duration::from_millis(50)).await;
        assert!(matches!(&late, ConfigOutcome::Failed(why) if why.contains("did not end")), "{late:?}");
    }

    #[tokio::test]
    async fn one_run_is_for_all_keys_and_a_line_says_what_came_of_one() {
        let keys = [("a", "1"), ("b", "2"), ("c", "3"), ("log.level", "x")];
        let command = "test -z \"$UNUM_CONFIG_KEY\" || exit 9; cat >/dev/null; echo 'b=rejected: no: never'; echo c = odd; echo 'log.level=needs-restart'; exit 0";
        let expected = [
            ConfigOutcome::Applied,
            ConfigOutcome::Rejected("no: never".into()),
            ConfigOutcome::Applied,
            ConfigOutcome::NeedsRestart,
        ];
        assert_eq!(ran(command, &keys, LONG).await, expected);
        let failed = ran("echo a=applied; echo why >&2; exit 1", &keys, LONG).await;
        assert_eq!(failed[0], ConfigOutcome::Applied);
        assert!(matches!(&failed[1], ConfigOutcome::Failed(why) if why.ends_with("why")), "{failed:?}");
    }
}
