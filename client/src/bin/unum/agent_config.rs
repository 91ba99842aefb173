//! The configuration of the agent's node: where its keys come from, and what sets them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use tokio::sync::Mutex;
use unum_client::config::command::Commands;
use unum_client::config::file::{Changed, ConfigFile, Format};
use unum_client::config::{
    ConfigEntry, ConfigOutcome, ConfigRequest, ConfigType, PushRequest, PushRequests, Subscription, config_table, hook,
    push_requests,
};
use unum_client::{Error, Program, Publisher, TableSnapshot};

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// A file whose settings are the node's configuration. SET CONFIG rewrites it in place.
    #[arg(long, value_name = "PATH", conflicts_with = "config_from")]
    config_file: Option<PathBuf>,
    /// How the file is written, if its name does not tell: toml, yaml, ini, mysql, postgresql, systemd, redis, ssh or nginx.
    #[arg(long, requires = "config_file")]
    config_format: Option<Format>,
    /// A command that prints the node's configuration, run every interval: key=value lines, or NDJSON objects with key,
    /// value, type, default_value, dynamic, secret, description.
    #[arg(long, value_name = "COMMAND")]
    config_from: Option<String>,
    /// A command that sets a key, or makes the changed file take effect. Key and value are in UNUM_CONFIG_KEY and
    /// UNUM_CONFIG_VALUE, and as JSON on its standard input. Exit code 0: applied, 2: rejected, 3: needs a restart, any
    /// other: failed.
    #[arg(long, value_name = "COMMAND")]
    on_config: Option<String>,
    /// How long such a command may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    config_timeout: Duration,
}

/// Where keys come from.
#[derive(Debug, Clone)]
enum Source {
    File(Arc<Mutex<ConfigFile>>),
    Command(String),
}

/// Publishes the configuration when it changes, and sets what SQL wants.
#[derive(Debug)]
pub struct AgentConfig {
    source: Source,
    timeout: Duration,
    commands: Commands,
    /// What was acknowledged last.
    published: Option<TableSnapshot>,
    asked: PushRequests,
    _subscription: Subscription,
}

impl AgentConfig {
    /// None if no configuration is named. Wrong arguments end the agent before it starts.
    pub fn new(args: ConfigArgs, program: &Program, publisher: &Publisher) -> Result<Option<Self>, Error> {
        let ConfigArgs { config_file, config_format, config_from, on_config, config_timeout: timeout } = args;
        let source = match (config_file, config_from) {
            (Some(path), _) => {
                let file = ConfigFile::new(program, path, config_format).map_err(Error::Refused)?;
                Source::File(Arc::new(Mutex::new(file)))
            }
            (None, Some(command)) => Source::Command(command),
            (None, None) if on_config.is_some() => {
                let why = "--on-config sets keys, and no key is known; name --config-file or --config-from";
                return Err(Error::Refused(why.into()));
            }
            (None, None) => return Ok(None),
        };
        let (ask, asked) = push_requests();
        let file = match &source {
            Source::File(file) => Some(file.clone()),
            Source::Command(_) => None,
        };
        let commands = Commands::default();
        let to_set = commands.clone();
        let subscription = publisher.on_config(move |request| {
            let (file, hook, ask, commands) = (file.clone(), on_config.clone(), ask.clone(), to_set.clone());
            async move {
                let outcome = set(&commands, file.as_deref(), hook.as_deref(), &request, timeout).await;
                // Its rows go out before it says what came of it: who reads that it is applied reads the new value, too.
                ask.request_push().await;
                outcome
            }
        });
        Ok(Some(Self { source, timeout, commands, published: None, asked, _subscription: subscription }))
    }

    /// The configuration, if it is not what was published last. An error says why it cannot be read: it stays as it was.
    pub async fn news(&mut self) -> Result<Option<TableSnapshot>, String> {
        let entries = match &self.source {
            Source::File(file) => file.lock().await.read().await,
            Source::Command(command) => list(&self.commands, command, self.timeout).await,
        };
        let table = entries.and_then(|entries| config_table(entries).map_err(|e| e.to_string()))?;
        let known = self.published.as_ref().is_some_and(|published| published.rows == table.rows);
        Ok((!known).then_some(table))
    }

    /// That was pushed.
    pub fn acknowledged(&mut self, table: TableSnapshot) {
        self.published = Some(table);
    }

    /// Somebody waits for a push of the configuration.
    pub async fn asked(&mut self) -> PushRequest {
        self.asked.next().await
    }
}

async fn set(
    commands: &Commands,
    file: Option<&Mutex<ConfigFile>>,
    hook: Option<&str>,
    request: &ConfigRequest,
    timeout: Duration,
) -> ConfigOutcome {
    let changed = match file {
        Some(file) => match file.lock().await.set(&request.key, &request.value).await {
            Ok(changed) => Some((file, changed)),
            Err(outcome) => return outcome,
        },
        None => None,
    };
    let outcome = match (hook, &changed) {
        (Some(hook), _) => hook::run(commands, hook, request, timeout).await,
        (None, Some(_)) => ConfigOutcome::Applied,
        (None, None) => ConfigOutcome::Rejected("the agent has no --on-config to set it with".into()),
    };
    match (outcome, changed) {
        // What did not take effect does not stay in the file for the next start.
        (ConfigOutcome::Failed(why), Some((file, changed))) => {
            ConfigOutcome::Failed(taken_back(file, changed, why).await)
        }
        (ConfigOutcome::Rejected(why), Some((file, changed))) => {
            ConfigOutcome::Rejected(taken_back(file, changed, why).await)
        }
        (outcome, _) => outcome,
    }
}

/// Takes the change back; says why it was, and why it could not be.
async fn taken_back(file: &Mutex<ConfigFile>, changed: Changed, why: String) -> String {
    match file.lock().await.take_back(changed).await {
        Ok(()) => why,
        Err(error) => format!("{why}; and the file has the new value: {error}"),
    }
}

/// Bytes of what a command prints.
const LISTED_BYTES_MAX: usize = 1024 * 1024;

/// The keys that a command prints.
async fn list(commands: &Commands, command: &str, timeout: Duration) -> Result<Vec<ConfigEntry>, String> {
    let ended = commands.run(command, &[], Vec::new(), LISTED_BYTES_MAX, timeout).await?;
    if !ended.status.success() {
        return Err(format!("{command:?}: {}: {}", ended.status, ended.error));
    }
    if ended.output.len() > LISTED_BYTES_MAX {
        return Err(format!("{command:?} printed more than {LISTED_BYTES_MAX} bytes; list fewer keys"));
    }
    let text = String::from_utf8(ended.output).map_err(|e| format!("{command:?} printed what is not UTF-8: {e}"))?;
    text.lines().filter(|line| !line.trim().is_empty()).map(|line| parse(line.trim())).collect()
}

/// One object of NDJSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    key: String,
    value: serde_json::Value,
    #[serde(default, rename = "type")]
    data_type: String,
    default_value: Option<String>,
    dynamic: Option<bool>,
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    description: String,
}

fn parse(line: &str) -> Result<ConfigEntry, String> {
    if !line.starts_with('{') {
        let (key, value) =
            line.split_once('=').ok_or_else(|| format!("{line:?} is neither key=value nor a JSON object"))?;
        return Ok(ConfigEntry::new(key.trim(), value.trim(), ConfigType::Text));
    }
    let Listed { key, value, data_type, default_value, dynamic, secret, description } =
        serde_json::from_str(line).map_err(|e| format!("{line:?}: {e}"))?;
    let value = match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let data_type = data_type.parse().map_err(|e: unum_client::Invalid| e.to_string())?;
    let dynamic = dynamic.unwrap_or(true);
    Ok(ConfigEntry { key, value, data_type, default: default_value, dynamic, secret, description })
}
