//! A configuration file as a target of `unum agent --config-file`: TOML, YAML or INI.
//!
//! Its scalars are the node's keys, their names joined by dots. One value at a time is replaced where it stands; all else
//! of the text stays as it is, comments included. What was written is read again before it takes the place of the old
//! file: only that one key may differ.

mod ini;
mod scalar;
mod toml;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use unum_proto::model::{ConfigOutcome, ConfigType};

use self::scalar::Scalars;
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
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "toml" => Ok(Self::Toml),
            "yaml" | "yml" => Ok(Self::Yaml),
            "ini" | "cnf" | "conf" | "cfg" => Ok(Self::Ini),
            other => Err(format!("{other:?} is no format of a config file; use toml, yaml or ini")),
        }
    }
}

impl Format {
    /// The format that a file's name says.
    fn of_file(path: &Path) -> Result<Self, String> {
        path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().parse()
    }

    fn parse(self, text: &str) -> Result<Scalars, String> {
        match self {
            Self::Toml => toml::parse(text),
            Self::Yaml => yaml::parse(text),
            Self::Ini => Ok(ini::parse(text)),
        }
    }

    /// A value as it stands in a file.
    fn write(self, value: &str, data_type: &ConfigType) -> Result<String, String> {
        match self {
            Self::Toml => Ok(toml::write(value, data_type)),
            Self::Yaml => Ok(yaml::write(value, data_type)),
            Self::Ini => ini::write(value),
        }
    }

    /// The keys of a file.
    fn entries(self, bytes: &[u8]) -> Result<Vec<ConfigEntry>, String> {
        let scalars = self.parse(text(bytes)?)?;
        Ok(scalars.into_iter().map(|(key, scalar)| ConfigEntry::new(key, scalar.value, scalar.data_type)).collect())
    }

    /// The file with another value of one key: the new text is read again, and nothing else in it may differ.
    fn replaced(self, bytes: &[u8], key: &str, value: &str) -> Result<Vec<u8>, ConfigOutcome> {
        let before = text(bytes).map_err(ConfigOutcome::Failed)?;
        let scalars = self.parse(before).map_err(ConfigOutcome::Failed)?;
        let Some(scalar) = scalars.get(key) else {
            return Err(ConfigOutcome::Rejected(format!("there is no key {key}")));
        };
        scalar.data_type.check(value).map_err(|remedy| {
            ConfigOutcome::Rejected(format!("{key} is of type {} in the file; {remedy}", scalar.data_type))
        })?;
        let written = self.write(value, &scalar.data_type).map_err(ConfigOutcome::Rejected)?;
        let after = format!("{}{written}{}", &before[..scalar.at.start], &before[scalar.at.end..]);
        let check = self.parse(&after).map_err(ConfigOutcome::Failed)?;
        let others = |scalars: &Scalars| -> BTreeMap<String, String> {
            let others = scalars.iter().filter(|(other, _)| *other != key);
            others.map(|(key, scalar)| (key.clone(), scalar.value.clone())).collect()
        };
        let has = check.get(key).is_some_and(|scalar| scalar.data_type.same(&scalar.value, value));
        if !has || others(&check) != others(&scalars) {
            return Err(ConfigOutcome::Failed(format!("{key} cannot be replaced where it stands")));
        }
        Ok(after.into_bytes())
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|e| format!("it is no UTF-8: {e}"))
}

/// A file that is a node's configuration.
#[derive(Debug)]
pub struct ConfigFile {
    file: SharedFile,
    format: Format,
    /// What it had when it was last read.
    known: Option<Contents>,
}

/// A change of a file that can be taken back.
#[derive(Debug)]
pub struct Changed {
    before: Vec<u8>,
    after: Contents,
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
        let before = self.contents().await.map_err(ConfigOutcome::Failed)?;
        let bytes = self.format.replaced(&before.bytes, key, value).map_err(|outcome| match outcome {
            ConfigOutcome::Failed(why) => ConfigOutcome::Failed(self.told(why)),
            ConfigOutcome::Rejected(why) => ConfigOutcome::Rejected(self.told(why)),
            other => other,
        })?;
        let stamp = self.file.replace(&before, bytes.clone()).await.map_err(ConfigOutcome::Failed)?;
        let after = Contents { bytes, stamp };
        self.known = Some(after.clone());
        Ok(Changed { before: before.bytes, after })
    }

    /// Takes a change back, if nobody has changed the file since.
    ///
    /// # Errors
    /// Why the file stays as it is.
    pub async fn take_back(&mut self, changed: Changed) -> Result<(), String> {
        let stamp = self.file.replace(&changed.after, changed.before.clone()).await?;
        self.known = Some(Contents { bytes: changed.before, stamp });
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
mod tests {
    use super::*;

    const TOML: &str = "# the server\nport = 80 # as always\n[log]\nlevel = \"warn\" # quiet\nfiles = [1, 2]\n[tls]\n\"min.version\" = 1.2\non = true\n";
    const YAML: &str = "# the server\nport: 80 # as always\nlog:\n  level: warn # quiet\n  files: [1, 2]\ntls:\n  version: 1.2\n  on: true\n  name: 'a b'\n";
    const INI: &str = "; the server\nport = 80\n\n[log]\nlevel=warn ; quiet\n# more\n[tls]\non = true\n";

    fn set(format: Format, text: &str, key: &str, value: &str) -> Result<String, ConfigOutcome> {
        format.replaced(text.as_bytes(), key, value).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_value_is_replaced_where_it_stands_and_all_else_stays() {
        for (format, text, changes) in [
            (
                Format::Toml,
                TOML,
                vec![("log.level", "info"), ("port", "8080"), ("tls.min.version", "1.3"), ("tls.on", "false")],
            ),
            (
                Format::Yaml,
                YAML,
                vec![("log.level", "info: x"), ("port", "8080"), ("tls.on", "false"), ("tls.name", "it's")],
            ),
            (Format::Ini, INI, vec![("log.level", "info"), ("port", "8080"), ("tls.on", "false")]),
        ] {
            for (key, value) in changes {
                let after = set(format, text, key, value).unwrap_or_else(|e| panic!("{format:?} {key}: {e:?}"));
                let differ = text.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
                assert_eq!((differ, text.lines().count()), (1, after.lines().count()), "{after}");
                let comments = |text: &str| text.matches(['#', ';']).count();
                assert_eq!(comments(text), comments(&after), "{after}");
                let now = format.entries(after.as_bytes()).unwrap().into_iter().find(|entry| entry.key == key).unwrap();
                assert_eq!(now.value, value, "{after}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected() {
        for (format, text) in [(Format::Toml, TOML), (Format::Yaml, YAML)] {
            for (key, value) in [("port", "many"), ("nonsense", "1")] {
                let outcome = set(format, text, key, value).expect_err(key);
                assert!(matches!(outcome, ConfigOutcome::Rejected(_)), "{outcome:?}");
            }
        }
        assert!(matches!(set(Format::Toml, "port = = 1", "port", "1"), Err(ConfigOutcome::Failed(_))));
        assert!(Format::of_file(Path::new("a.xml")).is_err());
    }
}
