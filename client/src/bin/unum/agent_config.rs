//! The configuration of the agent's node: where its keys come from, and what sets them.

use std::collections::BTreeMap;
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
use unum_proto::model::secrets::{is_secret, is_secret_value, redacted};

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
    known: Known,
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
        let known = Known::default();
        let setter = Setter { commands: commands.clone(), file, hook: on_config, timeout, known: known.clone() };
        let subscription = publisher.on_config_changes(move |requests| {
            let (setter, ask) = (setter.clone(), ask.clone());
            async move {
                let outcomes = setter.set(&requests).await;
                // Its rows go out before it says what came of it: who reads that it is applied reads the new value, too.
                ask.request_push().await;
                outcomes
            }
        });
        Ok(Some(Self { source, timeout, commands, known, published: None, asked, _subscription: subscription }))
    }

    /// The configuration, if it is not what was published last. An error says why it cannot be read: it stays as it was.
    pub async fn news(&mut self) -> Result<Option<TableSnapshot>, String> {
        let entries = match &self.source {
            Source::File(file) => file.lock().await.read().await,
            Source::Command(command) => list(&self.commands, command, self.timeout).await,
        };
        let entries = entries?;
        self.known.set(&entries).await;
        let table = config_table(entries).map_err(|e| e.to_string())?;
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

/// What the node said of its keys last.
#[derive(Debug, Clone, Default)]
struct Known(Arc<Mutex<BTreeMap<String, ConfigEntry>>>);

impl Known {
    async fn set(&self, entries: &[ConfigEntry]) {
        *self.0.lock().await = entries.iter().map(|entry| (entry.key.clone(), entry.clone())).collect();
    }
}

/// Sets what SQL wants.
#[derive(Debug, Clone)]
struct Setter {
    commands: Commands,
    file: Option<Arc<Mutex<ConfigFile>>>,
    hook: Option<String>,
    timeout: Duration,
    known: Known,
}

impl Setter {
    /// Sets the keys of one change, and says what came of each, in their order. No secret is in what it says.
    async fn set(&self, requests: &[ConfigRequest]) -> Vec<ConfigOutcome> {
        let known = self.known.0.lock().await.clone();
        let secrets: Vec<String> = {
            let is_secret = |request: &&ConfigRequest| {
                let marked = known.get(&request.key).is_some_and(ConfigEntry::is_secret);
                marked || is_secret(&request.key) || is_secret_value(&request.value)
            };
            let old = known.values().filter(|entry| entry.is_secret()).filter_map(|entry| entry.value.clone());
            old.chain(requests.iter().filter(is_secret).map(|request| request.value.clone())).collect()
        };
        let outcomes = self.set_known(requests, known).await;
        let redacted = |why: String| redacted(&why, secrets.iter().map(String::as_str));
        outcomes.into_iter().map(|outcome| outcome.map_why(redacted)).collect()
    }

    async fn set_known(&self, requests: &[ConfigRequest], known: BTreeMap<String, ConfigEntry>) -> Vec<ConfigOutcome> {
        let mut outcomes: BTreeMap<String, ConfigOutcome> = BTreeMap::new();
        // What cannot be what its type says reaches nobody.
        for ConfigRequest { key, value, .. } in requests {
            if let Some(ConfigEntry { data_type, .. }) = known.get(key)
                && let Err(remedy) = data_type.check(value)
            {
                let why = format!("{key} is of type {data_type}; {remedy}");
                outcomes.insert(key.clone(), ConfigOutcome::Rejected(why));
            }
        }
        let changed = match &self.file {
            Some(file) => {
                let open = requests.iter().filter(|request| !outcomes.contains_key(&request.key));
                let values: Vec<_> = open.map(|request| (request.key.clone(), request.value.clone())).collect();
                match file.lock().await.set_all(&values).await {
                    Ok((changed, refused)) => {
                        outcomes.extend(refused);
                        Some((file, changed))
                    }
                    Err(outcome) => return vec![outcome; requests.len()],
                }
            }
            None => None,
        };
        let open: Vec<_> = requests.iter().filter(|request| !outcomes.contains_key(&request.key)).cloned().collect();
        let old = known.into_iter().filter_map(|(key, entry)| Some((key, entry.value?))).collect();
        let of_open = match (&self.hook, &changed) {
            (Some(hook), _) => hook::run(&self.commands, hook, &open, &old, self.timeout).await,
            (None, Some(_)) => vec![ConfigOutcome::Applied; open.len()],
            (None, None) => {
                let why = "the agent has no --on-config to set it with";
                vec![ConfigOutcome::Rejected(why.into()); open.len()]
            }
        };
        outcomes.extend(open.iter().map(|request| request.key.clone()).zip(of_open));
        if let Some((file, changed)) = changed {
            take_back(file, changed, &open, &mut outcomes).await;
        }
        let nothing = || ConfigOutcome::Failed("nobody said what came of it".into());
        requests.iter().map(|request| outcomes.get(&request.key).cloned().unwrap_or_else(nothing)).collect()
    }
}

/// What did not take effect does not stay in the file for the next start; what did stays.
async fn take_back(
    file: &Mutex<ConfigFile>,
    changed: Changed,
    set: &[ConfigRequest],
    outcomes: &mut BTreeMap<String, ConfigOutcome>,
) {
    let is_back = |key: &str| matches!(outcomes.get(key), Some(ConfigOutcome::Failed(_) | ConfigOutcome::Rejected(_)));
    let back: Vec<&str> = set.iter().map(|request| request.key.as_str()).filter(|key| is_back(key)).collect();
    if back.is_empty() {
        return;
    }
    if let Err(error) = file.lock().await.take_back(changed, &back).await {
        for key in back {
            if let Some(ConfigOutcome::Failed(why) | ConfigOutcome::Rejected(why)) = outcomes.get_mut(key) {
                *why = format!("{why}; and the file has the new value: {error}");
            }
        }
    }
}

/// Bytes of what a command prints.
const LISTED_BYTES_MAX: usize = 1024 * 1024;

/// The keys that a command prints.
async fn list(commands: &Commands, command: &str, timeout: Duration) -> Result<Vec<ConfigEntry>, String> {
    let told = |why: String| format!("--config-from: {}", redacted(&why, []));
    let ended = commands.run(command, &[], Vec::new(), LISTED_BYTES_MAX, timeout).await.map_err(told)?;
    let output = ended.output_of_success().map_err(told)?;
    if output.len() > LISTED_BYTES_MAX {
        return Err(told(format!("it printed more than {LISTED_BYTES_MAX} bytes; list fewer keys")));
    }
    let text = String::from_utf8(output).map_err(|e| told(format!("it printed what is not UTF-8: {e}")))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    // The line itself may be a secret.
    lines.map(|(at, line)| parse(line.trim()).map_err(|e| told(format!("line {}: {e}", at + 1)))).collect()
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
        let (key, value) = line.split_once('=').ok_or("it is neither key=value nor a JSON object")?;
        return Ok(ConfigEntry::new(key.trim(), value.trim(), ConfigType::Text));
    }
    let Listed { key, value, data_type, default_value, dynamic, secret, description } =
        serde_json::from_str(line).map_err(|e| e.to_string())?;
    let value = match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        other => Some(other.to_string()),
    };
    let data_type = data_type.parse().map_err(|e: unum_client::Invalid| e.to_string())?;
    let dynamic = dynamic.unwrap_or(true);
    Ok(ConfigEntry { key, value, data_type, default: default_value, dynamic, secret, description })
}
