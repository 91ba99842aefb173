//! A MariaDB of the judge's own: made in a temporary directory, reached by a socket in it, ended with the run.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, OptsBuilder, Pool, PoolConstraints, PoolOpts, Row};
use tokio::sync::Mutex;

use super::cell::{Answer, Cell, Type};
use super::tables::{self, Table};
use crate::cluster::{Process, until};
use crate::host;

/// Who MariaDB runs as where the judge is root: it refuses to run as root.
const UNPRIVILEGED: &str = "65534";

/// A derived table that it merges into the SELECT around it has constants where an outer join finds no row, and its columns
/// are not those that GROUP BY names.
const MERGES_NOTHING: &str = "SET optimizer_switch = 'derived_merge=off'";

/// MariaDB's own limit of one statement.
const STATEMENT_TIMEOUT_S: u32 = 10;

/// How long an answer may take all the same: some statements it does not end (set operations with ROLLUP among them), so
/// it is ended itself and started anew.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often a statement is asked again that others have ended the server under.
const TRIES_MAX: usize = 5;

/// No answer, and no refusal either: a statement took too long, or the judge's collation meets that of MariaDB's own JSON
/// functions, or bytes do not become text, or it cannot delete a file of its own.
const UNDECIDED: [u16; 6] = [1011, 1969, 1267, 1270, 1271, 1300];

/// The server. Dropping it ends it and removes its directory.
#[derive(Debug)]
pub struct MariaDb {
    pool: Pool,
    running: Mutex<Running>,
    /// How often it was started, as those know who wait for an answer.
    starts: AtomicUsize,
    dir: tempfile::TempDir,
}

#[derive(Debug)]
struct Running {
    process: Option<Process>,
    starts: usize,
}

/// Why there can be no MariaDB here, if there can be none.
pub fn unavailable() -> Option<String> {
    host::missing(false, &["mariadbd", "mariadb-install-db", "setpriv"])
}

impl MariaDb {
    /// Makes a database and starts its server, for that many statements at a time.
    pub async fn start(connections: usize) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("unum-judge-").tempdir()?;
        if host::is_root() {
            host::sh("chown", &[UNPRIVILEGED, &dir.path().to_string_lossy()])?;
        }
        let place = |name: &str| dir.path().join(name).to_string_lossy().into_owned();
        let (data, socket) = (place("data"), place("socket"));
        let install = [
            "mariadb-install-db",
            "--no-defaults",
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
            &format!("--datadir={data}"),
        ];
        host::sh("setpriv", &unprivileged(&install))?;
        let options = options(PathBuf::from(&socket), connections);
        let process = serve(dir.path(), &options).await?;
        let mut connection = Conn::new(options.clone()).await?;
        connection.query_drop("CREATE DATABASE judge").await?;
        connection.disconnect().await?;
        let options = OptsBuilder::from_opts(options).db_name(Some("judge"));
        let running = Mutex::new(Running { process: Some(process), starts: 0 });
        Ok(Self { pool: Pool::new(options), running, starts: AtomicUsize::new(0), dir })
    }

    /// Ends the server and starts it anew, if nobody has done so since it was started that often.
    async fn restart(&self, starts: usize) -> anyhow::Result<()> {
        let mut running = self.running.lock().await;
        if running.starts != starts {
            return Ok(());
        }
        // Some statements end it: it asserts.
        if let Some(mut process) = running.process.take()
            && process.ended()?.is_none()
        {
            process.kill()?;
        }
        let options = options(self.dir.path().join("socket"), 1);
        running.process = Some(serve(self.dir.path(), &options).await?);
        running.starts += 1;
        self.starts.store(running.starts, Ordering::Release);
        Ok(())
    }

    /// Makes the tables, their rows spread over that many nodes as they are pushed.
    pub async fn create(&self, tables: &[Table], nodes: usize) -> anyhow::Result<()> {
        Ok(fill(&mut self.pool.get_conn().await?, tables, nodes).await?)
    }

    /// Runs a statement.
    ///
    /// # Errors
    /// When MariaDB itself is gone; a refused statement is an answer.
    pub async fn ask(&self, sql: &str) -> anyhow::Result<Answer> {
        let mut tries = 0;
        loop {
            tries += 1;
            let starts = self.starts.load(Ordering::Acquire);
            let asked = async {
                let mut connection = self.pool.get_conn().await?;
                read(&mut connection, sql).await
            };
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(rows)) => return Ok(Answer::Rows(rows)),
                Ok(Err(mysql_async::Error::Server(error))) if UNDECIDED.contains(&error.code) => {
                    return Ok(Answer::Late);
                }
                Ok(Err(mysql_async::Error::Server(error))) => return Ok(Answer::Refused(error.message)),
                Ok(Err(error)) if tries == TRIES_MAX => {
                    return Err(error).with_context(|| format!("MariaDB does not answer: {sql}"));
                }
                Ok(Err(_)) => self.restart(starts).await?,
                Err(_) => {
                    self.restart(starts).await?;
                    return Ok(Answer::Late);
                }
            }
        }
    }
}

/// Starts the server over the data in a directory, and waits until it answers.
async fn serve(dir: &Path, options: &Opts) -> anyhow::Result<Process> {
    let place = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let serve = [
        "mariadbd",
        "--no-defaults",
        "--skip-networking",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_nopad_bin",
        "--sql-mode=ONLY_FULL_GROUP_BY,PIPES_AS_CONCAT",
        "--default-time-zone=+00:00",
        "--innodb-buffer-pool-size=32M",
        // What was committed outlives the server, not the machine.
        "--innodb-flush-log-at-trx-commit=2",
        &format!("--max-statement-time={STATEMENT_TIMEOUT_S}"),
        &format!("--datadir={}", place("data")),
        &format!("--socket={}", place("socket")),
    ];
    let args: Vec<String> = unprivileged(&serve).into_iter().map(str::to_owned).collect();
    let mut process = Process::spawn(Path::new("setpriv"), &args, &dir.join("log"))?;
    let mut ended = None;
    let connected = until("MariaDB answers", async || {
        ended = process.ended().ok().flatten();
        if ended.is_some() { Some(None) } else { Conn::new(options.clone()).await.ok().map(Some) }
    });
    let connection = connected.await?.with_context(|| format!("MariaDB has ended: {}", process.log()))?;
    connection.disconnect().await?;
    Ok(process)
}

/// What the corpus needs: its tables stand beside those of [`tables`], under names of their own.
impl MariaDb {
    /// Removes all that a file of the corpus has made.
    pub async fn forget_corpus(&self) -> anyhow::Result<()> {
        let mut connection = self.pool.get_conn().await?;
        let made = "SELECT table_type, table_name FROM information_schema.tables \
                    WHERE table_schema = 'judge' AND table_name NOT LIKE 'cluster%'";
        let all: Vec<(String, String)> = connection.query(made).await?;
        for (of, name) in all {
            let what = if of == "VIEW" { "VIEW" } else { "TABLE" };
            connection.query_drop(format!("DROP {what} IF EXISTS `{name}`")).await?;
        }
        Ok(())
    }

    /// The tables that a file has made.
    pub async fn corpus_tables(&self) -> anyhow::Result<Vec<String>> {
        let made = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'judge' \
                    AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'cluster%'";
        Ok(self.pool.get_conn().await?.query(made).await?)
    }

    /// The columns and the rows of a table.
    pub async fn whole_table(&self, name: &str) -> anyhow::Result<(Vec<(String, Type)>, Vec<Vec<Cell>>)> {
        let mut connection = self.pool.get_conn().await?;
        let mut result = connection.query_iter(format!("SELECT * FROM `{name}`")).await?;
        let column = |column: &mysql_async::Column| {
            (column.name_str().to_lowercase(), type_from(column.column_type(), column.decimals()))
        };
        let columns: Vec<(String, Type)> = result.columns_ref().iter().map(column).collect();
        let rows: Vec<Row> = result.collect().await?;
        let cells =
            |row: Row| row.unwrap().into_iter().zip(&columns).map(|(value, (_, of))| cell(value, *of)).collect();
        let rows = rows.into_iter().map(cells).collect();
        Ok((columns, rows))
    }

    /// The MD5 of bytes: MariaDB has it.
    pub async fn md5(&self, bytes: &[u8]) -> anyhow::Result<String> {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let found: Option<String> = self.pool.get_conn().await?.query_first(format!("SELECT MD5(x'{hex}')")).await?;
        found.context("MD5 gives a text")
    }
}

/// Makes the tables, their rows spread over that many nodes as they are pushed.
pub async fn fill(connection: &mut Conn, tables: &[Table], nodes: usize) -> mysql_async::Result<()> {
    for table in tables {
        let columns: Vec<String> =
            table.columns.iter().map(|column| format!("`{}` {}", column.name, type_of(column))).collect();
        let create =
            format!("CREATE TABLE cluster_{} ({}, node_type TEXT, node_id TEXT)", table.name, columns.join(", "));
        connection.query_drop(create).await?;
        for (position, row) in table.rows.iter().enumerate() {
            let mut values: Vec<String> = row.iter().map(tables::literal).collect();
            values.extend(["'db'".to_owned(), format!("'n{}'", position % nodes + 1)]);
            connection.query_drop(format!("INSERT INTO cluster_{} VALUES ({})", table.name, values.join(", "))).await?;
        }
    }
    Ok(())
}

/// The rows that a statement gives.
pub async fn read(connection: &mut Conn, sql: &str) -> mysql_async::Result<Vec<Vec<Cell>>> {
    let mut result = connection.query_iter(sql).await?;
    let types: Vec<Type> =
        result.columns_ref().iter().map(|column| type_from(column.column_type(), column.decimals())).collect();
    let rows: Vec<Row> = result.collect().await?;
    Ok(rows.into_iter().map(|row| row.unwrap().into_iter().zip(&types).map(|(v, t)| cell(v, *t)).collect()).collect())
}

fn cell(value: mysql_async::Value, of: Type) -> Cell {
    match value {
        mysql_async::Value::NULL => Cell::NULL,
        mysql_async::Value::Bytes(bytes) => Cell::new(of, bytes),
        other => Cell::new(of, other.as_sql(true).into_bytes()),
    }
}

/// As many digits behind the point as a value has: what MariaDB says of a double that is shown in full.
const NOT_FIXED: u8 = 31;

fn type_from(of: ColumnType, decimals: u8) -> Type {
    match of {
        ColumnType::MYSQL_TYPE_DOUBLE if decimals < NOT_FIXED => Type::Fixed(decimals),
        ColumnType::MYSQL_TYPE_DOUBLE | ColumnType::MYSQL_TYPE_FLOAT => Type::Double,
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => Type::Decimal,
        ColumnType::MYSQL_TYPE_TINY
        | ColumnType::MYSQL_TYPE_SHORT
        | ColumnType::MYSQL_TYPE_LONG
        | ColumnType::MYSQL_TYPE_LONGLONG
        | ColumnType::MYSQL_TYPE_INT24
        | ColumnType::MYSQL_TYPE_YEAR => Type::Integer,
        ColumnType::MYSQL_TYPE_DATETIME
        | ColumnType::MYSQL_TYPE_TIMESTAMP
        | ColumnType::MYSQL_TYPE_DATE
        | ColumnType::MYSQL_TYPE_TIME => Type::Time,
        _ => Type::Text,
    }
}

fn type_of(column: &tables::Column) -> &'static str {
    use unum_client::DataType;
    match column.data_type {
        DataType::Bool => "BOOLEAN",
        DataType::Int64 => "BIGINT",
        DataType::UInt64 => "BIGINT UNSIGNED",
        DataType::Float64 => "DOUBLE",
        DataType::Text => "TEXT",
        DataType::Bytes => "BLOB",
        DataType::Timestamp => "DATETIME(6)",
    }
}

fn options(socket: PathBuf, connections: usize) -> Opts {
    let constraints = PoolConstraints::new(1, connections).unwrap_or_default();
    let pool = PoolOpts::default().with_constraints(constraints).with_reset_connection(false);
    OptsBuilder::default()
        .socket(Some(socket.to_string_lossy()))
        .prefer_socket(true)
        .user(Some("root"))
        .stmt_cache_size(0)
        .setup(vec!["SET NAMES utf8mb4 COLLATE utf8mb4_nopad_bin", MERGES_NOTHING])
        .pool_opts(pool)
        .into()
}

/// The arguments of `setpriv` for a program that ends with us, and is nobody's where we are root.
fn unprivileged<'a>(program: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["--pdeathsig", "KILL"];
    if host::is_root() {
        words.extend(["--reuid", UNPRIVILEGED, "--regid", UNPRIVILEGED, "--clear-groups"]);
    }
    words.push("--");
    words.extend(program);
    words
}
