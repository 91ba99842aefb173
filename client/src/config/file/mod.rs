//! A configuration file as a target of `unum agent --config-file`.
//!
//! Its settings are the node's keys, their names joined by dots. One value at a time is replaced where it stands; all else
//! of the text stays as it is, comments, encoding and line ends included. What was written is read again, by the same parser, before it
//! takes the place of the old file: only that one key may differ, and it has exactly the new value. What cannot be written so is
//! refused.
//!
//! A format is a file here: what a text says, and how a value stands in it.

mod encoding;
mod ini;
mod mysql;
mod nginx;
mod postgresql;
mod scalar;
mod systemd;
mod toml;
mod words;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use unum_proto::model::ConfigOutcome;

use self::encoding::Encoded;
use self::scalar::{Scalar, Scalars};
use self::words::Kind;
use super::ConfigEntry;
use crate::{Contents, Program, SharedFile};

/// Bytes of a file that is taken.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `[section]`, `key = "text"`.
    Toml,
    /// `section:`, `  key: text`.
    Yaml,
    /// `[section]`, `key = text`.
    Ini,
    /// Option files of MySQL and MariaDB.
    MySql,
    /// `postgresql.conf`.
    PostgreSql,
    /// Units of systemd.
    Systemd,
    /// `redis.conf`.
    Redis,
    /// `sshd_config`.
    Ssh,
    /// `nginx.conf`.
    Nginx,
}

/// The formats by name, and by how the names of their files end.
const FORMATS: [(Format, &str, &[&str]); 9] = [
    (Format::Toml, "toml", &[".toml"]),
    (Format::Yaml, "yaml", &[".yaml", ".yml"]),
    (Format::PostgreSql, "postgresql", &["postgresql.conf", "postgresql.auto.conf"]),
    (Format::Redis, "redis", &["redis.conf", "sentinel.conf", "valkey.conf"]),
    (Format::Nginx, "nginx", &["nginx.conf"]),
    (
        Format::Systemd,
        "systemd",
        &[
            ".service",
            ".socket",
            ".timer",
            ".mount",
            ".path",
            ".slice",
            "system.conf",
            "user.conf",
            "journald.conf",
            "logind.conf",
            "resolved.conf",
            "timesyncd.conf",
            "networkd.conf",
            ".network",
            ".netdev",
        ],
    ),
    (Format::Ssh, "ssh", &["sshd_config", "ssh_config"]),
    (Format::MySql, "mysql", &[".cnf", "my.ini", ".my.cnf"]),
    (Format::Ini, "ini", &[".ini", ".cfg"]),
];

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = text.to_lowercase();
        let name = if name == "yml" { "yaml" } else { name.as_str() };
        let found = FORMATS.iter().find(|(_, known, _)| *known == name);
        found.map(|(format, ..)| *format).ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|(_, name, _)| *name).collect();
            format!("{text:?} is no format of a config file; use {}", names.join(", "))
        })
    }
}

impl Format {
    /// The format that a file's name says.
    fn of_file(path: &Path) -> Result<Self, String> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let found = FORMATS.iter().find(|(.., ends)| ends.iter().any(|end| name.ends_with(end)));
        found.map(|(format, ..)| *format).ok_or_else(|| {
            let names: Vec<_> = FORMATS.iter().map(|(_, name, _)| *name).collect();
            format!(
                "the name of {} does not say how it is written; name its --config-format: {}",
                path.display(),
                names.join(", ")
            )
        })
    }

    fn parse(self, text: &str) -> Result<Scalars, String> {
        match self {
            Self::Toml => toml::parse(text),
            Self::Yaml => yaml::parse(text),
            Self::Ini => ini::parse(text),
            Self::MySql => mysql::parse(text),
            Self::PostgreSql => postgresql::parse(text),
            Self::Systemd => systemd::parse(text),
            Self::Redis => words::parse(text, Kind::Redis),
            Self::Ssh => words::parse(text, Kind::Ssh),
            Self::Nginx => nginx::parse(text),
        }
    }

    /// A value in the place of `raw`.
    fn write(self, value: &str, scalar: &Scalar, raw: &str) -> Result<String, String> {
        match self {
            Self::Toml => toml::write(value, &scalar.data_type, scalar.style),
            Self::Yaml => yaml::write(value, scalar, raw),
            Self::Ini => ini::write(value, scalar.style, raw),
            Self::MySql => mysql::write(value, scalar.style, raw),
            Self::PostgreSql => postgresql::write(value, scalar.style),
            Self::Systemd => systemd::write(value),
            Self::Redis => words::write(value, scalar.style, Kind::Redis),
            Self::Ssh => words::write(value, scalar.style, Kind::Ssh),
            Self::Nginx => nginx::write(value, scalar.style),
        }
    }

    /// The keys of a file.
    fn entries(self, bytes: &[u8]) -> Result<Vec<ConfigEntry>, String> {
        let scalars = self.parse(&Encoded::of(bytes)?.text)?;
        let entry = |(key, scalar): (String, Scalar)| ConfigEntry {
            value: scalar.value,
            default: scalar.default,
            ..ConfigEntry::new(key, "", scalar.data_type)
        };
        Ok(scalars.into_iter().map(entry).collect())
    }

    /// The file with another value of one key: the new text is read again, and nothing else in it may differ.
    fn replaced(self, bytes: &[u8], key: &str, value: &str) -> Result<Vec<u8>, ConfigOutcome> {
        let encoded = Encoded::of(bytes).map_err(ConfigOutcome::Failed)?;
        let before = &encoded.text;
        let scalars = self.parse(before).map_err(ConfigOutcome::Failed)?;
        let Some(scalar) = scalars.get(key) else {
            return Err(ConfigOutcome::Rejected(format!("there is no key {key}")));
        };
        scalar.data_type.check(value).map_err(|remedy| {
            ConfigOutcome::Rejected(format!("{key} is of type {} in the file; {remedy}", scalar.data_type))
        })?;
        let written = self.write(value, scalar, &before[scalar.at.clone()]);
        let written = written.map_err(|why| ConfigOutcome::Rejected(format!("{key}: {why}")))?;
        let (ahead, behind) = &scalar.around;
        let after = format!("{}{ahead}{written}{behind}{}", &before[..scalar.at.start], &before[scalar.at.end..]);
        // Set, it is no comment any more, and may be of a list.
        let others = |scalars: &Scalars| -> BTreeMap<String, (Option<String>, Option<String>)> {
            let others = scalars.iter().filter(|(other, _)| *other != key);
            others.map(|(key, scalar)| (key.clone(), (scalar.value.clone(), scalar.default.clone()))).collect()
        };
        let check =
            self.parse(&after).map_err(|e| ConfigOutcome::Rejected(format!("{key} with the value {value:?}: {e}")))?;
        let is_set = |now: &Scalar| now.value.as_ref().is_some_and(|now| scalar.data_type.same(now, value));
        if !check.get(key).is_some_and(is_set) || others(&check) != others(&scalars) {
            let why = format!(
                "{key} with the value {value:?} would not read back as that, or something else would change; write it in the file"
            );
            return Err(ConfigOutcome::Rejected(why));
        }
        encoded.bytes_of(&after).map_err(|why| ConfigOutcome::Rejected(format!("{key}: {why}")))
    }
}

/// A file that is a node's configuration.
#[derive(Debug)]
pub struct ConfigFile {
    file: SharedFile,
    format: Format,
    /// What it had when it was last read.
    known: Option<Contents>,
}

/// A change of a file, of which single keys can be taken back.
#[derive(Debug)]
pub struct Changed {
    before: Vec<u8>,
    after: Contents,
    set: Vec<(String, String)>,
}

impl ConfigFile {
    /// A file, in the format that its name says if none is given.
    ///
    /// # Errors
    /// When neither says how it is written.
    pub fn new(program: &Program, path: PathBuf, format: Option<Format>) -> Result<Self, String> {
        let format = format.map_or_else(|| Format::of_file(&path), Ok)?;
        Ok(Self { file: SharedFile::new(program, path, FILE_BYTES_MAX), format, known: None })
    }

    /// Its keys.
    ///
    /// # Errors
    /// Why it cannot be read, or what is wrong in it.
    pub async fn read(&mut self) -> Result<Vec<ConfigEntry>, String> {
        let contents = self.contents().await?;
        self.format.entries(&contents.bytes).map_err(|e| self.told(e))
    }

    /// Sets one key.
    ///
    /// # Errors
    /// What came of it instead; the file is as it was, unless it did not answer.
    pub async fn set(&mut self, key: &str, value: &str) -> Result<Changed, ConfigOutcome> {
        let (changed, mut refused) = self.set_all(&[(key.to_owned(), value.to_owned())]).await?;
        match refused.remove(key) {
            Some(outcome) => Err(outcome),
            None => Ok(changed),
        }
    }

    /// Sets several keys in one step; gives back what came of those that were not set.
    ///
    /// # Errors
    /// What came of all of them: the file is as it was, unless it did not answer.
    pub async fn set_all(
        &mut self,
        values: &[(String, String)],
    ) -> Result<(Changed, BTreeMap<String, ConfigOutcome>), ConfigOutcome> {
        let before = self.contents().await.map_err(ConfigOutcome::Failed)?;
        let mut bytes = before.bytes.clone();
        let (mut set, mut refused) = (Vec::new(), BTreeMap::new());
        for (key, value) in values {
            match self.format.replaced(&bytes, key, value) {
                Ok(with) => {
                    bytes = with;
                    set.push((key.clone(), value.clone()));
                }
                Err(outcome) => {
                    refused.insert(key.clone(), outcome.map_why(|why| self.told(why)));
                }
            }
        }
        let stamp = match set.is_empty() {
            true => before.stamp,
            false => self.file.replace(&before, bytes.clone()).await.map_err(ConfigOutcome::Failed)?,
        };
        let after = Contents { bytes, stamp };
        self.known = Some(after.clone());
        Ok((Changed { before: before.bytes, after, set }, refused))
    }

    /// Takes these keys of a change back, if nobody has changed the file since.
    ///
    /// # Errors
    /// Why the file stays as it is.
    pub async fn take_back(&mut self, changed: Changed, keys: &[&str]) -> Result<(), String> {
        let mut bytes = changed.before;
        for (key, value) in changed.set.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
            let with = self.format.replaced(&bytes, key, value);
            bytes = with.map_err(|outcome| self.told(format!("{key} cannot be kept alone: {outcome:?}")))?;
        }
        if bytes != changed.after.bytes {
            let stamp = self.file.replace(&changed.after, bytes.clone()).await?;
            self.known = Some(Contents { bytes, stamp });
        }
        Ok(())
    }

    async fn contents(&mut self) -> Result<Contents, String> {
        let known = self.known.take();
        let contents = match self.file.read(known.as_ref().map(|known| known.stamp)).await? {
            Some(contents) => contents,
            None => known.ok_or("it is said to be known, and is not")?,
        };
        self.known = Some(contents.clone());
        Ok(contents)
    }

    fn told(&self, why: impl std::fmt::Display) -> String {
        format!("{}: {why}", self.file.path().display())
    }
}

#[cfg(test)]
mod tests;
