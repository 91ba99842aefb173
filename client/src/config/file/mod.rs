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
                Err(ConfigOutcome::Failed(why)) => {
                    drop(refused.insert(key.clone(), ConfigOutcome::Failed(self.told(why))))
                }
                Err(ConfigOutcome::Rejected(why)) => {
                    refused.insert(key.clone(), ConfigOutcome::Rejected(self.told(why)));
                }
                Err(other) => drop(refused.insert(key.clone(), other)),
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
            (Format::Ini, INI, vec![("port", "8080"), ("tls.on", "false")]),
        ] {
            for (key, value) in changes {
                let after = set(format, text, key, value).unwrap_or_else(|e| panic!("{format:?} {key}: {e:?}"));
                let differ = text.lines().zip(after.lines()).filter(|(a, b)| a != b).count();
                assert_eq!((differ, text.lines().count()), (1, after.lines().count()), "{after}");
                let comments = |text: &str| text.matches(['#', ';']).count();
                assert_eq!(comments(text), comments(&after), "{after}");
                let now = format.entries(after.as_bytes()).unwrap().into_iter().find(|entry| entry.key == key).unwrap();
                assert_eq!(now.value.as_deref(), Some(value), "{after}");
            }
        }
    }

    /// What a key is in a text, and what it is when nobody sets it.
    fn value(format: Format, text: &str, key: &str) -> (Option<String>, Option<String>) {
        let entries = format.entries(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        let entry =
            entries.into_iter().find(|entry| entry.key == key).unwrap_or_else(|| panic!("no {key} in {text:?}"));
        (entry.value, entry.default)
    }

    #[test]
    fn what_is_commented_out_is_set_behind_its_comment() {
        for (format, text, key, default, new, expected) in [
            (
                Format::Toml,
                "[log]\n## How much.\n# level = \"info\"\n[[a.b]]\n[[a.b]]\n# size = 3 # MB\nnote = \"\"\"\n# level = 1\n\"\"\"\n",
                "log.level",
                "info",
                "warn",
                "# level = \"info\"\nlevel = \"warn\"\n",
            ),
            (
                Format::Toml,
                "[[a.b]]\n[[a.b]]\n# size = 3 # MB\n",
                "a.b[1].size",
                "3",
                "4",
                "# size = 3 # MB\nsize = 4\n",
            ),
            (
                Format::MySql,
                "[mysqld]\n#max_connections        = 100\n# a sentence = none\n",
                "mysqld.max_connections",
                "100",
                "200",
                "= 100\nmax_connections = 200\n",
            ),
            (
                Format::PostgreSql,
                "#work_mem = 4MB\t\t# min 64kB\r\n",
                "work_mem",
                "4MB",
                "8MB",
                "64kB\r\nwork_mem = 8MB\r\n",
            ),
            (Format::Ini, ";app_mode = production\n", "app_mode", "production", "dev", "production\napp_mode = dev\n"),
            (
                Format::Ssh,
                "#Port 22\n#This is a sentence of many words.\n",
                "Port",
                "22",
                "2222",
                "#Port 22\nPort 2222\n",
            ),
            (
                Format::Systemd,
                "[Manager]\n#LogLevel=info\n",
                "Manager.LogLevel",
                "info",
                "debug",
                "info\nLogLevel=debug\n",
            ),
        ] {
            assert_eq!(value(format, text, key), (None, Some(default.to_owned())), "{text:?}");
            let after = set(format, text, key, new).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
            assert!(after.contains(expected), "{after:?}");
            assert_eq!(value(format, &after, key).0.as_deref(), Some(new), "{after:?}");
        }
    }

    #[test]
    fn programs_read_what_is_written() {
        for (format, text, key, old, new, expected) in [
            (
                Format::MySql,
                "[m]\ninit_connect='SET NAMES utf8 ; SET x=1'\n",
                "m.init_connect",
                "SET NAMES utf8 ; SET x=1",
                "SET NAMES 'x' # y",
                "init_connect='SET NAMES \\'x\\' # y'\n",
            ),
            (Format::MySql, "[m]\npassword = \"a#b\" # c\n", "m.password", "a#b", "c#d", "password = \"c#d\" # c\n"),
            (Format::MySql, "[m]\npassword = a#b\n", "m.password", "a", "c", "password = c#b\n"),
            (Format::MySql, "[m]\nskip-name-resolve\n", "m.skip-name-resolve", "", "0", "skip-name-resolve=0\n"),
            (
                Format::PostgreSql,
                "Log_Line_Prefix '%m ''x'' \\t'\n",
                "log_line_prefix",
                "%m 'x' \t",
                "it's",
                "Log_Line_Prefix 'it''s'\n",
            ),
            (Format::Redis, "save 900 1\nsave 300 10\n", "save[1]", "300 10", "60 5", "save 60 5\n"),
            (
                Format::Redis,
                "requirepass foobared\n",
                "requirepass",
                "foobared",
                "a b\"c",
                "requirepass \"a b\\\"c\"\n",
            ),
            (
                Format::Ssh,
                "Port 22\nMatch User git\n  X11Forwarding no\n",
                "Match_User_git.X11Forwarding",
                "no",
                "yes",
                "  X11Forwarding yes\n",
            ),
            (
                Format::Nginx,
                "http { server { listen 80; } server { listen 81; } }\n",
                "http.server[1].listen",
                "81",
                "82",
                "server { listen 82; }",
            ),
            (
                Format::Systemd,
                "[Service]\nExecStart=/a \\\n  -x\nExecStart=/b\n",
                "Service.ExecStart[0]",
                "/a  -x",
                "/c",
                "ExecStart=/c\nExecStart=/b\n",
            ),
            (Format::Toml, "a = [1, 2]\n[[b]]\nc = 'x'\n[[b]]\nc = 'y'\n", "b[1].c", "y", "z", "c = \"z\"\n"),
            (Format::Toml, "a = [1, 2]\n", "a[1]", "2", "3", "a = [1, 3]\n"),
            (Format::Yaml, "a: yes\nb: [x, 'y']\n", "a", "yes", "false", "a: no\n"),
            (Format::Yaml, "a: b\n", "a", "b", "yes", "a: 'yes'\n"),
            (Format::Yaml, "a:\n- b: 1\n- b: 2\n", "a[1].b", "2", "3", "- b: 3\n"),
            (Format::Yaml, "a: 1\n---\na: 2\n", "[1].a", "2", "3", "---\na: 3\n"),
        ] {
            assert_eq!(value(format, text, key).0.as_deref(), Some(old), "{text:?}");
            let after = set(format, text, key, new).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
            assert!(after.contains(expected), "{after:?} and not {expected:?}");
        }
        for (format, text) in [
            (Format::Nginx, "content_by_lua_block { ngx.say('x') }\n"),
            (Format::Nginx, "http { server {\n"),
            (Format::PostgreSql, "port = 1 2\n"),
            (Format::MySql, "port = 1\n"),
            (Format::Redis, "requirepass \"x\n"),
            (Format::Ini, "a = 1\nb c\n"),
        ] {
            assert!(format.entries(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    /// Found by somebody who knew these programs better than whoever wrote this.
    #[test]
    fn what_a_program_reads_otherwise_is_written_otherwise() {
        for (format, text, key, new, expected) in [
            (
                Format::Systemd,
                "[Service]\nExecStart=/bin/echo a\\\\\nUser=nobody\n",
                "Service.ExecStart",
                "/b",
                "ExecStart=/b\nUser=nobody\n",
            ),
            (Format::PostgreSql, "effective_cache_size = 4GB\n", "effective_cache_size", "1.5GB", "= '1.5GB'\n"),
            (Format::PostgreSql, "random_page_cost = 4.0\n", "random_page_cost", "1e3", "= '1e3'\n"),
            (Format::PostgreSql, "random_page_cost = 4.0\n", "random_page_cost", "1.5", "= 1.5\n"),
            (Format::PostgreSql, "cluster_name = main\n", "cluster_name", "db.example", "= 'db.example'\n"),
            (Format::Ssh, "AllowUsers alice\n", "AllowUsers", "alice bob", "AllowUsers alice bob\n"),
            (
                Format::Ssh,
                "ForceCommand internal-sftp\n",
                "ForceCommand",
                "internal-sftp -l INFO",
                "internal-sftp -l INFO\n",
            ),
            (Format::Ssh, "Banner /a\n", "Banner", "/a b", "Banner \"/a b\"\n"),
            (Format::Ssh, "port 22\n#Port 22\n", "port", "23", "port 23\n"),
            (Format::Nginx, "server_name a.com;\n", "server_name", "a.com www.a.com", "server_name a.com www.a.com;\n"),
            (Format::Nginx, "listen 80;\n", "listen", "127.0.0.1:80", "listen 127.0.0.1:80;\n"),
            (Format::MySql, "[m]\nx = a\n", "m.x", "voilà", "x = \"voilà\"\n"),
            (
                Format::MySql,
                "[m]\nmax-connections=1\nmax_connections=2\n",
                "m.max-connections",
                "3",
                "=1\nmax_connections=3\n",
            ),
            (Format::MySql, "[m]\nsize=134217728\n", "m.size", "1G", "size=1G\n"),
            (Format::Redis, "requirepass \"\\x41b\"\n", "requirepass", "x", "requirepass \"x\"\n"),
            (Format::Yaml, "a: \"x\"\n", "a", "x\u{7f}y", "a: \"x\\u007fy\"\n"),
            (Format::Yaml, "mode: 0644\nport: 8080:80\nip: 10.0.0.1\n", "mode", "0755", "mode: 0755\n"),
            (Format::Yaml, "ip: 10.0.0.1\n", "ip", "10.0.0.2", "ip: 10.0.0.2\n"),
        ] {
            let after = set(format, text, key, new).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
            assert!(after.contains(expected), "{after:?} and not {expected:?}");
        }
        for (format, text, key, new) in [
            (Format::Yaml, "a: &x 1\nb: *x\n", "a", "2"),
            (Format::Yaml, "base: &c # shared\n  restart: always\nweb:\n  <<: *c\n", "base.restart", "no"),
            (Format::Yaml, "d: 2024-01-01\n", "d", "2024-13-45"),
            (Format::Yaml, "m: 0644\n", "m", "0988"),
            (Format::Ini, "[x]\nlevel=warn ; quiet\n", "x.level", "info"),
            (Format::Ini, "[x]\nk = 1\n", "x.k", "100%"),
            (Format::Ini, "[x]\nenvironment=\n    A=\"1\",\n    B=\"2\"\n", "x.environment", "C=3"),
            (Format::Nginx, "log_format main a;\n", "log_format", "main \"a\"b"),
            (Format::Redis, "save 3600 1\n", "save", "\"3600\"1"),
            (Format::MySql, "[m]\nx=1\n", "m.x", "banana"),
        ] {
            let outcome = set(format, text, key, new);
            assert!(matches!(outcome, Err(ConfigOutcome::Rejected(_))), "{text:?}: {outcome:?}");
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
