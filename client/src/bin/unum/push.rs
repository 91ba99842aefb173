//! `unum push`: publishes a table from a file or from what a program prints, once or whenever the file changes.

use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use clap::error::ErrorKind;
use unum_client::collect::host_ip;
use unum_client::rows::{Columns, Format, Reading, RowsPath, TEXT_BYTES_MAX};
use unum_client::{Ack, Error, Program, Publisher, SharedFile, Stamp, TableName, TableSnapshot, signal};
use unum_proto::model::limits::TTL_MS_MAX;

use super::identity::{Identity, Kind, LIVE_TTL_MIN, release};
use super::{Connection, print};

/// Publish a table from a file, or from what a program prints, under a node's name.
///
/// How the rows are written is told by how the text begins: CSV with , ; tabs or |, JSON in any layout, columns by blanks as
/// ps, df and kubectl print them, Prometheus, slow query logs, logfmt. Names of columns are made legal, and that is told.
///
/// The file's rows replace all rows that the node had in the table. Without --schema the types are inferred: the
/// narrowest of BOOL, BIGINT, BIGINT UNSIGNED, DOUBLE, TIMESTAMP and TEXT that fits every value. In the catalog a column
/// becomes wider when a value needs it, and never narrower: `SELECT * FROM columns` shows since when.
///
/// Nobody refreshes the node after a single push: it is called stale when its TTL has run out, after a day unless --ttl
/// says otherwise. With --watch it stays up for as long as this command runs.
///
/// One name has one publisher: under the name of a node whose agent runs, a push is refused, unless it takes the name over.
/// Then the agent ends.
#[derive(Debug, Args)]
pub struct PushArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    identity: Identity,
    /// The table, which all nodes share: its rows are read as cluster_TABLE.
    #[arg(long)]
    table: TableName,
    /// The file with the rows; - is standard input.
    #[arg(long)]
    file: PathBuf,
    /// How the rows are written, if neither the file's name nor how it begins tells.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Of JSON: which objects are the rows, for example .items[] or .data.result[].
    #[arg(long)]
    path: Option<RowsPath>,
    /// Texts that are NULL, separated by commas, for example 'NULL,\N'.
    #[arg(long, value_name = "TEXTS", value_delimiter = ',')]
    null: Vec<String>,
    /// The columns and their types, for example "a BIGINT, b DOUBLE, c TEXT NOT NULL, t TIMESTAMP".
    #[arg(long)]
    schema: Option<Columns>,
    /// How long the node may be silent before it is called stale. Default: a day, with --watch 10s.
    #[arg(long, value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,
    /// Push again whenever the file changes, until a signal stops it.
    #[arg(long)]
    watch: bool,
}

/// Between two looks at the file.
const WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// Pushes of an unchanged file come this often in a TTL, so that one may fail.
const HEARTBEATS_PER_TTL: u32 = 3;

/// The longest time between two pushes, also after a failed one.
const HEARTBEAT_MAX: Duration = Duration::from_secs(60);

pub async fn run(args: PushArgs, program: &Program) -> Result<(), Error> {
    let PushArgs { connection, identity, table, file, format, path, null, schema, ttl, watch } = args;
    let is_stdin = file.as_os_str() == "-";
    if watch && is_stdin {
        let why = "--watch looks at a file, and standard input is none; name the file, or leave --watch out\n";
        clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
    }
    let file = (!is_stdin).then(|| SharedFile::new(program, file, TEXT_BYTES_MAX as u64));
    let reading = Reading { format, path, nulls: null, columns: schema };
    let mut source = Source { table, file, reading, known: None };
    let rows =
        source.load().await?.ok_or_else(|| Error::Refused("a file that nobody has read is said to be known".into()))?;
    let client = connection.builder().build()?;
    let default_ttl = if watch { LIVE_TTL_MIN } else { Duration::from_millis(TTL_MS_MAX.into()) };
    let ttl = ttl.unwrap_or(default_ttl);
    let mut publisher = identity.publisher(&client, Kind::Push, host_ip(), ttl)?;
    if !watch {
        let pushed = publisher.push_whole(vec![rows.clone()]).await;
        release(&mut publisher).await;
        return report(&publisher, &rows, pushed?);
    }
    let heartbeat = (ttl / HEARTBEATS_PER_TTL).min(HEARTBEAT_MAX);
    let ended = tokio::select! {
        result = keep_pushing(&mut source, rows, &mut publisher, heartbeat) => result,
        signal = signal::stop() => {
            tracing::info!(signal, "push stops");
            Ok(())
        }
    };
    release(&mut publisher).await;
    ended
}

/// Pushes the rows, and again at every change and every heartbeat. Only the end of standard output ends it: a file that
/// is being written, or a cluster that does not answer, may be well again at the next look.
async fn keep_pushing(
    source: &mut Source,
    mut rows: TableSnapshot,
    publisher: &mut Publisher,
    heartbeat: Duration,
) -> Result<(), Error> {
    // What is to be told once it is pushed; a heartbeat is not.
    let mut news = true;
    let mut due = Instant::now();
    let mut told: Option<String> = None;
    loop {
        if due <= Instant::now() {
            match publisher.push_whole(vec![rows.clone()]).await {
                Ok(ack) if std::mem::take(&mut news) => report(publisher, &rows, ack)?,
                Ok(ack) => tracing::debug!(revision = ack.revision, "heartbeat"),
                Err(error) => tracing::warn!(%error, again_in = ?heartbeat, "push failed"),
            }
            due = Instant::now() + heartbeat;
        }
        tokio::time::sleep(WATCH_INTERVAL).await;
        match source.load().await {
            Ok(Some(changed)) => (rows, news, due) = (changed, true, Instant::now()),
            Ok(None) => told = None,
            // The same fault is told once.
            Err(error) => {
                let why = error.to_string();
                if told.as_ref() != Some(&why) {
                    tracing::warn!(%error, "the changed file is not pushed; the rows stay as they were");
                    told = Some(why);
                }
            }
        }
    }
}

fn report(publisher: &Publisher, rows: &TableSnapshot, ack: Ack) -> Result<(), Error> {
    let (count, table, node) = (rows.rows.len(), &rows.schema.name, &publisher.node().key);
    let rows = if count == 1 { "row" } else { "rows" };
    print(&format!("pushed {count} {rows} of {table} as {node} at revision {}", ack.revision))
}

/// Where the rows come from, and how they are to be read.
struct Source {
    table: TableName,
    /// None: standard input.
    file: Option<SharedFile>,
    reading: Reading,
    /// The file as it was read last.
    known: Option<Stamp>,
}

impl Source {
    /// The rows, if the file is not as it was read last. A file that is being written is waited for.
    async fn load(&mut self) -> Result<Option<TableSnapshot>, Error> {
        let bytes = match &mut self.file {
            Some(file) => match file.read(self.known).await.map_err(Error::Refused)? {
                Some(contents) => {
                    self.known = Some(contents.stamp);
                    contents.bytes
                }
                None => return Ok(None),
            },
            None => stdin().await.map_err(|e| Error::Refused(format!("standard input: {e}")))?,
        };
        let path = self.file.as_ref().map(SharedFile::path);
        let name = path.map_or_else(|| "standard input".to_owned(), |path| path.display().to_string());
        let rows = self.reading.table(self.table.as_str(), path, &bytes);
        let rows = rows.map_err(|e| Error::Refused(format!("{name}: {e}")))?;
        for note in &rows.notes {
            tracing::info!(from = name, note);
        }
        Ok(Some(rows.table.snapshot()))
    }
}

async fn stdin() -> std::io::Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes: std::io::Result<Vec<u8>> = tokio::task::spawn_blocking(read).await?;
    let bytes = bytes?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(std::io::Error::other(format!("it has more than {TEXT_BYTES_MAX} bytes; push fewer rows")));
    }
    Ok(bytes)
}
