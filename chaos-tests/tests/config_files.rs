//! Random changes of configuration files as they are shipped, judged by the programs that read them: `my_print_defaults`, a PostgreSQL
//! server, a Redis server, `sshd -T`, Python's own TOML and INI, PyYAML, a parser of nginx's files. A change is exactly what was wanted, or is refused with
//! the file untouched. `UNUM_FILE_CHANGES=400` makes more of them, `UNUM_FILE_SEED` others.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail, ensure};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::Value as Json;
use unum_chaos_tests::cluster::{binary, until};
use unum_chaos_tests::host::{is_there, tell};
use unum_client::Program;
use unum_client::config::file::{ConfigFile, Format};
use unum_client::config::{ConfigEntry, ConfigOutcome, ConfigType};

const CHANGES_DEFAULT: usize = 39;

/// A file as it is shipped: its kind, where it is, and how its lines may end.
struct Shipped {
    kind: &'static str,
    path: PathBuf,
    /// What the judge needs besides Python.
    needs: &'static str,
}

fn shipped() -> Vec<Shipped> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = here.join("tests/config_files");
    let file = |kind, path: PathBuf, needs| Shipped { kind, path, needs };
    vec![
        file("mysql", "/etc/mysql/mariadb.conf.d/50-server.cnf".into(), "my_print_defaults"),
        file("mysql", "/etc/mysql/mariadb.cnf".into(), "my_print_defaults"),
        file("postgresql", "/usr/share/postgresql/15/postgresql.conf.sample".into(), "psql"),
        file("ssh", "/etc/ssh/sshd_config".into(), "sshd"),
        file("redis", "/etc/redis/redis.conf".into(), "redis-server"),
        file("nginx", "/etc/nginx/nginx.conf".into(), "nginx"),
        file("systemd", "/etc/systemd/system.conf".into(), "sh"),
        file("systemd", "/etc/systemd/journald.conf".into(), "sh"),
        file("ini", data.join("grafana.ini"), "sh"),
        file("yaml", data.join("kubelet.yaml"), "sh"),
        file("yaml", data.join("prometheus.yml"), "sh"),
        file("toml", data.join("tikv.toml"), "sh"),
        file("toml", here.join("../Cargo.toml"), "sh"),
    ]
}

/// A Python that asks the programs.
struct Judge {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

type Said = BTreeMap<String, (String, String)>;

impl Judge {
    fn start(postgres: Option<&Postgres>) -> anyhow::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config_files/judge.py");
        let mut command = Command::new("python3");
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(postgres) = postgres {
            command.env("UNUM_JUDGE_POSTGRES", postgres.dir.path()).env("UNUM_JUDGE_POSTGRES_DATA", postgres.data());
        }
        let mut process = command.spawn().context("python3 does not start")?;
        let (to, from) = (process.stdin.take().context("a pipe")?, process.stdout.take().context("a pipe")?);
        Ok(Self { process, to, from: BufReader::new(from) })
    }

    /// What a file says; an error says why the program refuses it.
    fn ask(&mut self, kind: &str, path: &Path) -> anyhow::Result<Result<Said, String>> {
        writeln!(self.to, "{kind} {}", path.display())?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        let answer: Json = serde_json::from_str(&line).with_context(|| format!("the judge said {line:?}"))?;
        if let Some(why) = answer["refused"].as_str() {
            return Ok(Err(why.to_owned()));
        }
        let said = answer["said"].as_object().context("an object")?.iter();
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        Ok(Ok(said.map(|(key, value)| (key.clone(), (text(&value[0]), text(&value[1])))).collect()))
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A PostgreSQL server that says what it reads in its file.
struct Postgres {
    dir: tempfile::TempDir,
    server: Option<Child>,
}

impl Postgres {
    const BIN: &str = "/usr/lib/postgresql/15/bin";

    async fn start() -> anyhow::Result<Option<Self>> {
        if !Path::new(Self::BIN).exists() || !is_there("runuser") {
            tell("not run: PostgreSQL's files, as PostgreSQL 15 is not installed");
            return Ok(None);
        }
        let mut postgres = Self { dir: tempfile::tempdir()?, server: None };
        let sh = |text: &str| -> anyhow::Result<()> {
            ensure!(Command::new("sh").args(["-c", text]).stdout(Stdio::null()).status()?.success(), "{text}");
            Ok(())
        };
        let (dir, data) = (postgres.dir.path().display().to_string(), postgres.data().display().to_string());
        sh(&format!("chown postgres {dir} && chmod 755 {dir}"))?;
        sh(&format!("runuser -u postgres -- {}/initdb -D {data} -A trust -N >/dev/null", Self::BIN))?;
        // What is read of its file has no part in how it runs.
        let command = format!("{}/postgres -D {data} -k {dir} -c listen_addresses= -c fsync=off", Self::BIN);
        let mut server = Command::new("runuser");
        server.args(["-u", "postgres", "--", "sh", "-c", &format!("exec {command}")]);
        postgres.server = Some(server.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        until("PostgreSQL answers", async || {
            let asked = Command::new("psql").args(["-h", &dir, "-U", "postgres", "-Atc", "SELECT 1"]).output().ok()?;
            asked.status.success().then_some(())
        })
        .await?;
        Ok(Some(postgres))
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its own number: `runuser` is another process.
        if let Ok(text) = std::fs::read_to_string(self.data().join("postmaster.pid"))
            && let Some(pid) = text.lines().next()
        {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
        if let Some(server) = &mut self.server {
            let _ = server.wait();
        }
    }
}

/// Texts that mean something to somebody.
const ODD: [&str; 84] = [
    "",
    "x",
    "a b",
    " lead",
    "trail ",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "C:\\new\\table",
    "a#b",
    "a # b",
    "a;b",
    "a ; b",
    "SET NAMES utf8 ; SET x=1",
    "#start",
    ";start",
    "ümläut",
    "日本",
    "tab\there",
    "line\nbreak",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "~",
    "true",
    "1",
    "007",
    "1.50",
    "1e3",
    "1e+3",
    "1.5e3",
    ".5",
    "0x1F",
    "0o17",
    "1:30",
    "1_000",
    "2024-03-01",
    "12:30:45",
    "- a",
    "-",
    "-1",
    "? a",
    "{a: 1}",
    "[x]",
    "a: b",
    "a:b",
    "a:",
    "key=value",
    "=",
    "%d%%",
    "%h",
    "$HOME",
    "${x}",
    "`cmd`",
    "*star",
    "&amp",
    "!tag",
    "|",
    ">",
    "@at",
    "'quoted'",
    "\"quoted\"",
    "''",
    "\"",
    "'",
    "\\",
    "\\\\n",
    "\\x41",
    "a\\",
    "…",
    ".inf",
    ".nan",
    "inf",
    "nan",
    "y",
    "N",
    "<<",
    "a,b",
    "{",
    "}",
    "a\r\nb",
    "\u{7f}",
];

/// Settings of sshd whose values it shows as they are, and some of these.
const SSH: [(&str, &[&str]); 10] = [
    ("Port", &["2222", "22", "65535", "banana"]),
    ("PermitRootLogin", &["yes", "no", "forced-commands-only"]),
    ("X11Forwarding", &["yes", "no"]),
    ("MaxAuthTries", &["3", "10"]),
    ("Banner", &["/etc/issue", "/a b/c", "/it's", "/say \"x\"", "none", "/x#y", "/x # y", "/back\\slash"]),
    ("AcceptEnv", &["LANG", "LANG LC_*"]),
    ("ClientAliveInterval", &["0", "90"]),
    ("PidFile", &["/run/sshd.pid", "/run/a b.pid"]),
    ("Subsystem", &["sftp /usr/lib/openssh/sftp-server -l INFO", "sftp internal-sftp"]),
    ("TCPKeepAlive", &["yes", "no"]),
];

/// Settings of Redis, and values that it takes; of those without any it takes every text.
const REDIS: [(&str, &[&str]); 11] = [
    ("timeout", &["0", "90"]),
    ("tcp-keepalive", &["60", "300"]),
    ("loglevel", &["verbose", "warning"]),
    ("databases", &["16", "8"]),
    ("always-show-logo", &["yes", "no"]),
    ("proc-title-template", &["{title} {listen-addr}", "{title}"]),
    ("stop-writes-on-bgsave-error", &["yes", "no"]),
    ("slowlog-max-len", &["1", "128"]),
    ("hz", &["10", "100"]),
    ("dbfilename", &[]),
    ("appendfilename", &[]),
];

fn value(rng: &mut StdRng, kind: &str, entry: &ConfigEntry) -> String {
    if kind == "ssh" {
        let known = SSH.iter().find(|(name, _)| *name == entry.key);
        return known.map_or("yes", |(_, values)| values.choose(rng).expect("values")).to_owned();
    }
    if kind == "redis"
        && let Some((_, values)) = REDIS.iter().find(|(name, values)| *name == entry.key && !values.is_empty())
    {
        return (*values.choose(rng).expect("values")).to_owned();
    }
    let typed = rng.random_bool(0.7);
    let of_type = match &entry.data_type {
        ConfigType::Integer => Some(rng.random_range(-5..100_000).to_string()),
        ConfigType::Number => Some(format!("{}", f64::from(rng.random_range(-500..500_000)) / 100.0)),
        ConfigType::Boolean => {
            Some((*["true", "false", "on", "off", "yes", "no"].choose(rng).expect("words")).to_owned())
        }
        ConfigType::Duration => {
            Some(format!("{}{}", rng.random_range(1..90), ["ms", "s", "m"].choose(rng).expect("units")))
        }
        ConfigType::Size => {
            Some(format!("{}{}", rng.random_range(1..90), ["KB", "MiB", "GB"].choose(rng).expect("units")))
        }
        _ => None,
    };
    match of_type.filter(|_| typed) {
        Some(value) => value,
        None if rng.random_bool(0.6) => (*ODD.choose(rng).expect("texts")).to_owned(),
        None => {
            const LETTERS: [char; 24] = [
                'a', 'b', 'Z', '0', '9', ' ', '#', ';', '\'', '"', '\\', '=', ':', ',', '.', '-', '_', '/', '$', '%',
                '{', '}', 'ä', '*',
            ];
            (0..rng.random_range(1..12)).map(|_| *LETTERS.choose(rng).expect("letters")).collect()
        }
    }
}

/// The key as the judge has it.
fn judged_key(kind: &str, key: &str) -> String {
    match kind {
        "ssh" => key.to_lowercase(),
        _ => key.to_owned(),
    }
}

/// Whether what the judge says is the value; what it was before says of what type it has to be.
fn is_value(kind: &str, before: Option<&(String, String)>, now: &(String, String), wanted: &str) -> bool {
    let (of, text) = now;
    let truth = |text: &str| ["true", "on", "yes", "1"].contains(&text.to_lowercase().as_str());
    let type_before = before.map(|(of, _)| of.as_str());
    match (kind, of.as_str()) {
        ("toml" | "yaml", _) if type_before.is_some_and(|before| before != of && before != "NoneType") => false,
        ("toml" | "yaml", "bool") => truth(text) == truth(wanted),
        ("toml" | "yaml", "int") => text.parse::<i128>().ok() == wanted.parse().ok(),
        ("toml" | "yaml", "float") => text.parse::<f64>().ok() == wanted.parse().ok(),
        // In forms of their own, which the same type stands for.
        ("toml" | "yaml", "date" | "datetime" | "time") => true,
        ("nginx", _) => {
            let words: Vec<String> = serde_json::from_str(text).unwrap_or_default();
            words.join(" ") == wanted || words.len() > 1
        }
        // What it shows, it shows without the quotes that it took.
        ("ssh", _) => text == wanted || text.replace(['"', '\\'], "") == wanted.replace(['"', '\\'], ""),
        ("mysql", _) => *text == wanted.replace("\r\n", "\n") || text == wanted,
        _ => text == wanted,
    }
}

#[derive(Default)]
struct Count {
    changed: usize,
    refused: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_what_was_wanted_or_nothing() -> anyhow::Result<()> {
    if !is_there("python3") || !Command::new("python3").args(["-c", "import yaml, tomllib"]).status()?.success() {
        tell("not run: there is no Python with tomllib and PyYAML");
        return Ok(());
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let changes =
        number("UNUM_FILE_CHANGES").and_then(|number| usize::try_from(number).ok()).unwrap_or(CHANGES_DEFAULT);
    let seed = number("UNUM_FILE_SEED").unwrap_or(1);
    let postgres = Postgres::start().await?;
    let mut judge = Judge::start(postgres.as_ref())?;
    let has_crossplane =
        Command::new("python3").args(["-c", "import crossplane"]).stderr(Stdio::null()).status()?.success();
    let there = |shipped: &Shipped| {
        let found =
            shipped.path.exists() && (is_there(shipped.needs) || Path::new("/usr/sbin").join(shipped.needs).exists());
        let found = found
            && (shipped.kind != "postgresql" || postgres.is_some())
            && (shipped.kind != "nginx" || has_crossplane);
        if !found {
            tell(&format!(
                "not run: {} as {}, which is not there, or its program",
                shipped.path.display(),
                shipped.kind
            ));
        }
        found
    };
    let files: Vec<Shipped> = shipped().into_iter().filter(there).collect();
    // Where sshd keeps its own: without it, it reads nothing.
    let _ = std::fs::create_dir("/run/sshd");
    let dir = tempfile::tempdir()?;
    let program = Program::at(binary("unum")?);
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    let mut faults = Vec::new();
    for turn in 0..changes {
        let shipped = &files[turn % files.len()];
        // Of each file its own: the same changes of it, whichever others are there.
        let name = shipped.path.file_name().context("a name")?.to_string_lossy().into_owned();
        let own = name.bytes().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let round = (turn / files.len()) as u64;
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(1_000_003) ^ own ^ (round << 32));
        let mut original = std::fs::read(&shipped.path)?;
        // Every fourth file comes from Windows.
        if turn / files.len() % 4 == 3 && shipped.kind != "ssh" && !original.contains(&b'\r') {
            original = String::from_utf8(original)?.replace('\n', "\r\n").into_bytes();
        }
        let path = dir.path().join(&name);
        std::fs::write(&path, &original)?;
        let format: Format = shipped.kind.parse().map_err(anyhow::Error::msg)?;
        let mut file = ConfigFile::new(&program, path.clone(), Some(format)).map_err(anyhow::Error::msg)?;
        let entries = file.read().await.map_err(anyhow::Error::msg)?;
        let known = |entry: &&ConfigEntry| match shipped.kind {
            "ssh" => SSH.iter().any(|(name, _)| *name == entry.key),
            "redis" => REDIS.iter().any(|(name, _)| *name == entry.key),
            _ => true,
        };
        let entries: Vec<&ConfigEntry> = entries.iter().filter(known).collect();
        let entry = entries.choose(&mut rng).with_context(|| format!("{name} has no keys"))?;
        let value = value(&mut rng, shipped.kind, entry);
        let before = match judge.ask(shipped.kind, &path)? {
            Ok(said) => said,
            Err(why) => bail!("{name} as it is shipped: {why}"),
        };
        let outcome = file.set(&entry.key, &value).await;
        let count = counts.entry(format!("{} {name}", shipped.kind)).or_default();
        let now = std::fs::read(&path)?;
        let case = format!("{turn}: {name} {} = {value:?} ({}, was {:?})", entry.key, entry.data_type, entry.value);
        match outcome {
            Err(ConfigOutcome::Rejected(_) | ConfigOutcome::Failed(_)) => {
                count.refused += 1;
                if now != original {
                    faults.push(format!("{case}: refused, and the file was changed"));
                }
            }
            Err(other) => bail!("{case}: {other:?}"),
            Ok(_) => {
                count.changed += 1;
                let key = judged_key(shipped.kind, &entry.key);
                match judge.ask(shipped.kind, &path)? {
                    // A value that the program does not take is not a file that cannot be read.
                    Err(_) if ["ssh", "redis"].contains(&shipped.kind) => {}
                    Err(why) if shipped.kind == "postgresql" && why.contains("invalid name syntax") => {}
                    Err(why) => faults.push(format!("{case}: the file is broken: {why}")),
                    Ok(said) => {
                        let others = |said: &Said| {
                            let mut others = said.clone();
                            others.remove(&key);
                            others
                        };
                        match said.get(&key) {
                            None => faults.push(format!("{case}: the judge has no {key}")),
                            Some(now) if !is_value(shipped.kind, before.get(&key), now, &value) => {
                                faults.push(format!("{case}: the judge has {now:?}, and had {:?}", before.get(&key)));
                            }
                            Some(_) if others(&said) != others(&before) => {
                                faults.push(format!("{case}: something else changed"));
                            }
                            Some(_) => {}
                        }
                    }
                }
            }
        }
    }
    for (name, Count { changed, refused }) in &counts {
        tell(&format!("{name}: {changed} changed, {refused} refused"));
    }
    ensure!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}
