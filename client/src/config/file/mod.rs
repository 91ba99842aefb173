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
use std::io::Write;
use std::path::{Path, PathBuf};

use unum_proto::model::{ConfigOutcome, ConfigType};

use self::scalar::Scalars;
use super::ConfigEntry;

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
}

/// A file that is a node's configuration.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    path: PathBuf,
    format: Format,
}

/// The text of a file before it was changed.
#[derive(Debug)]
pub struct Former(String);

impl ConfigFile {
    /// A file, in the format that its name says if none is given.
    pub fn new(path: PathBuf, format: Option<Format>) -> Result<Self, String> {
        let extension = || path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().parse();
        let format = format.map_or_else(extension, Ok)?;
        Ok(Self { path, format })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn text(&self) -> Result<String, String> {
        let path = self.path.display();
        let bytes = std::fs::metadata(&self.path).map_err(|e| format!("{path} cannot be read: {e}"))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(format!("{path} has {bytes} bytes; the limit is {FILE_BYTES_MAX}"));
        }
        std::fs::read_to_string(&self.path).map_err(|e| format!("{path} cannot be read: {e}"))
    }

    /// Its keys.
    pub fn read(&self) -> Result<Vec<ConfigEntry>, String> {
        let scalars = self.format.parse(&self.text()?).map_err(|e| format!("{}: {e}", self.path.display()))?;
        Ok(scalars.into_iter().map(|(key, scalar)| ConfigEntry::new(key, scalar.value, scalar.data_type)).collect())
    }

    /// Sets one key; gives back what was there.
    pub fn set(&self, key: &str, value: &str) -> Result<Former, ConfigOutcome> {
        let failed = |why: String| ConfigOutcome::Failed(format!("{}: {why}", self.path.display()));
        let before = self.text().map_err(ConfigOutcome::Failed)?;
        let after = self.replaced(&before, key, value)?;
        self.replace(&after).map_err(|e| failed(e.to_string()))?;
        Ok(Former(before))
    }

    /// Takes a change back.
    pub fn restore(&self, former: &Former) -> std::io::Result<()> {
        self.replace(&former.0)
    }

    fn replaced(&self, before: &str, key: &str, value: &str) -> Result<String, ConfigOutcome> {
        let failed = |why: String| ConfigOutcome::Failed(format!("{}: {why}", self.path.display()));
        let scalars = self.format.parse(before).map_err(failed)?;
        let Some(scalar) = scalars.get(key) else {
            return Err(ConfigOutcome::Rejected(format!("{} has no key {key}", self.path.display())));
        };
        scalar.data_type.check(value).map_err(|remedy| {
            ConfigOutcome::Rejected(format!("{key} is of type {} in the file; {remedy}", scalar.data_type))
        })?;
        let written = self.format.write(value, &scalar.data_type).map_err(ConfigOutcome::Rejected)?;
        let after = format!("{}{written}{}", &before[..scalar.at.start], &before[scalar.at.end..]);
        let check = self.format.parse(&after).map_err(failed)?;
        let others = |scalars: &Scalars| -> BTreeMap<String, String> {
            let others = scalars.iter().filter(|(other, _)| *other != key);
            others.map(|(key, scalar)| (key.clone(), scalar.value.clone())).collect()
        };
        let has = check.get(key).is_some_and(|scalar| scalar.data_type.same(&scalar.value, value));
        if !has || others(&check) != others(&scalars) {
            return Err(failed(format!("{key} cannot be replaced where it stands")));
        }
        Ok(after)
    }

    /// The new text takes the place of the old one in one step, durably, with the same owner and mode.
    fn replace(&self, text: &str) -> std::io::Result<()> {
        // Through links: what they lead to is replaced.
        let path = self.path.canonicalize()?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        let metadata = std::fs::metadata(&path)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(metadata.permissions())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let own = file.as_file().metadata()?;
            if (own.uid(), own.gid()) != (metadata.uid(), metadata.gid()) {
                std::os::unix::fs::fchown(file.as_file(), Some(metadata.uid()), Some(metadata.gid()))?;
            }
        }
        file.as_file().sync_all()?;
        file.persist(&path)?;
        std::fs::File::open(directory)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str = "# the server\nport = 80 # as always\n[log]\nlevel = \"warn\" # quiet\nfiles = [1, 2]\n[tls]\n\"min.version\" = 1.2\non = true\n";
    const YAML: &str = "# the server\nport: 80 # as always\nlog:\n  level: warn # quiet\n  files: [1, 2]\ntls:\n  version: 1.2\n  on: true\n  name: 'a b'\n";
    const INI: &str = "; the server\nport = 80\n\n[log]\nlevel=warn ; quiet\n# more\n[tls]\non = true\n";

    fn file(name: &str, text: &str) -> (tempfile::TempDir, ConfigFile) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        (dir, ConfigFile::new(path, None).unwrap())
    }

    #[test]
    fn a_value_is_replaced_where_it_stands_and_all_else_stays() {
        for (name, text, changes) in [
            (
                "a.toml",
                TOML,
                vec![("log.level", "info"), ("port", "8080"), ("tls.min.version", "1.3"), ("tls.on", "false")],
            ),
            (
                "a.yaml",
                YAML,
                vec![("log.level", "info: x"), ("port", "8080"), ("tls.on", "false"), ("tls.name", "it's")],
            ),
            ("a.ini", INI, vec![("log.level", "info"), ("port", "8080"), ("tls.on", "false")]),
        ] {
            let (_dir, file) = file(name, text);
            let keys = file.read().unwrap();
            for (key, value) in changes {
                let before = std::fs::read_to_string(file.path()).unwrap();
                let former = file.set(key, value).unwrap_or_else(|e| panic!("{name} {key}: {e:?}"));
                let after = std::fs::read_to_string(file.path()).unwrap();
                let differ = before.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
                assert_eq!((differ, before.lines().count()), (1, after.lines().count()), "{after}");
                let comments = |text: &str| text.matches(['#', ';']).count();
                assert_eq!(comments(&before), comments(&after), "{after}");
                let now = file.read().unwrap().into_iter().find(|entry| entry.key == key).unwrap();
                assert_eq!(now.value, value, "{after}");
                file.restore(&former).unwrap();
                assert_eq!(std::fs::read_to_string(file.path()).unwrap(), before);
            }
            assert_eq!(file.read().unwrap(), keys);
        }
    }

    #[test]
    fn what_does_not_fit_is_rejected_and_the_file_stays() {
        for (name, text) in [("a.toml", TOML), ("a.yaml", YAML)] {
            let (_dir, file) = file(name, text);
            for (key, value) in [("port", "many"), ("nonsense", "1")] {
                let outcome = file.set(key, value).expect_err(key);
                assert!(matches!(outcome, ConfigOutcome::Rejected(_)), "{outcome:?}");
            }
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
        }
        let (_dir, broken) = file("a.toml", "port = = 1");
        assert!(matches!(broken.set("port", "1"), Err(ConfigOutcome::Failed(_))));
        assert!(ConfigFile::new("a.xml".into(), None).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_on_and_the_mode_stays() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let (dir, file) = file("a.toml", TOML);
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = dir.path().join("link.toml");
        symlink(file.path(), &link).unwrap();
        ConfigFile::new(link.clone(), None).unwrap().set("port", "1").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), TOML.replace("80", "1"));
    }
}
