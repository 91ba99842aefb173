//! The settings of a replica as its configuration: what `SET CONFIG unum …` sets.
//!
//! A value that was set by SQL is in the catalog, and goes before the file at the next start, too.

use std::sync::{Arc, Mutex, PoisonError};

use unum_client::config::{ConfigEntry, ConfigOutcome, ConfigType};
use unum_proto::model::Invalid;

use super::file::{File, SETTINGS, Setting};
use super::options::{Options, timing};
use crate::consensus;

fn find(key: &str) -> Result<&'static Setting, Invalid> {
    let found = SETTINGS.iter().find(|setting| setting.key == key);
    found.ok_or_else(|| Invalid::new(format!("a replica has no setting {key}"), "docs/CONFIG.md lists them"))
}

/// A file with another value of one key, if all of it still goes together.
fn with(file: &File, key: &str, value: &str) -> Result<File, Invalid> {
    find(key)?;
    let invalid = |why: String| Invalid::new(format!("{key} = {value:?} is not legal: {why}"), "docs/CONFIG.md");
    let number: i64 = value.parse().map_err(|_| invalid("it is no whole number".into()))?;
    let mut table = toml::Table::try_from(file).map_err(|e| invalid(e.to_string()))?;
    let (section, name) = key.split_once('.').unwrap_or((key, ""));
    if let Some(toml::Value::Table(section)) = table.get_mut(section) {
        section.insert(name.to_owned(), number.into());
    }
    let file: File = table.try_into().map_err(|e: toml::de::Error| invalid(e.message().to_owned()))?;
    file.check()?;
    Ok(file)
}

/// The options with another value of one setting. What can change while the replica runs has changed then.
pub fn apply_setting(options: &Options, key: &str, value: &str) -> Result<Options, Invalid> {
    let file = with(&options.file, key, value)?;
    options.tunables.set(&file);
    let consensus = consensus::Options { timing: timing(&file), ..options.consensus.clone() };
    Ok(Options { consensus, file, ..options.clone() })
}

fn values(file: &File) -> Vec<(String, String)> {
    let table = toml::Table::try_from(file).expect("numbers are TOML");
    let of_section = |(section, values): (String, toml::Value)| {
        let toml::Value::Table(values) = values else { return Vec::new() };
        values.into_iter().map(|(name, value)| (format!("{section}.{name}"), value.to_string())).collect()
    };
    table.into_iter().flat_map(of_section).collect()
}

/// The settings of a running replica. Clones share them.
#[derive(Debug, Clone)]
pub struct Settings(Arc<Mutex<Options>>);

impl Settings {
    /// Those that it started with.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Mutex::new(options)))
    }

    /// Sets one.
    pub fn set(&self, key: &str, value: &str) -> ConfigOutcome {
        let mut options = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rejected = |invalid: Invalid| ConfigOutcome::Rejected(invalid.to_string());
        match find(key) {
            Err(invalid) => rejected(invalid),
            Ok(Setting { dynamic: false, .. }) => match with(&options.file, key, value) {
                Ok(_) => ConfigOutcome::NeedsRestart,
                Err(invalid) => rejected(invalid),
            },
            Ok(Setting { dynamic: true, .. }) => match apply_setting(&options, key, value) {
                Ok(changed) => {
                    *options = changed;
                    ConfigOutcome::Applied
                }
                Err(invalid) => rejected(invalid),
            },
        }
    }

    /// As the replica publishes them.
    pub fn entries(&self) -> Vec<ConfigEntry> {
        let options = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let defaults = values(&File::default());
        let entry = |(key, value): (String, String)| {
            let known = find(&key).ok();
            let default = defaults.iter().find(|(other, _)| *other == key).map(|(_, default)| default.clone());
            ConfigEntry {
                default,
                dynamic: known.is_some_and(|setting| setting.dynamic),
                description: known.map_or_else(String::new, |setting| setting.description.to_owned()),
                ..ConfigEntry::new(key, value, ConfigType::Integer)
            }
        };
        values(&options.file).into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_in_the_docs_has_every_setting_with_its_default() {
        let docs = std::path::Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"))
            .join("../docs/CONFIG.md");
        let docs = std::fs::read_to_string(docs).expect("docs/CONFIG.md");
        let file = docs.split("```toml\n").nth(1).and_then(|block| block.split("```").next()).expect("the file in it");
        assert_eq!(values(&toml::from_str(file).expect("legal")), values(&File::default()));
        for (key, _) in values(&File::default()) {
            let (section, name) = key.split_once('.').expect("a key in a section");
            assert!(file.contains(&format!("[{section}]")) && file.contains(&format!("\n{name} = ")), "{key}");
        }
    }

    #[test]
    fn values_that_do_not_go_together_are_refused() {
        let file = File::default();
        for (key, value, part) in [
            ("sql.queries_max", "0", "use 1 or more"),
            ("sql.queries_max", "many", "no whole number"),
            ("sql.queries_max", "-1", "-1"),
            ("sql.colour", "1", "has no setting"),
            ("raft.heartbeat_interval_ms", "1000", "not ascending"),
            ("limits.nodes_max", "1000000", "the most that a catalog holds"),
        ] {
            let error = with(&file, key, value).expect_err(key).to_string();
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(with(&file, "sql.queries_max", "7").expect("legal").sql.queries_max, 7);
    }
}
