//! `unum push`: publishes a table from a CSV, TSV or NDJSON file, once or whenever the file changes.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use clap::Args;
use clap::error::ErrorKind;
use unum_client::collect::HostCollector;
use unum_client::rows::{self, Columns, Format, TEXT_BYTES_MAX};
use unum_client::{Ack, Error, Publisher, TableName, TableSnapshot, signal};
use unum_proto::model::limits::TTL_MS_MAX;

use super::identity::{Identity, Kind, LIVE_TTL_MIN, release};
use super::{Connection, print};

/// Publish a table from a CSV, TSV or NDJSON file under a node's name.
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
    /// How the rows are written, if neither the file's name nor its first character tells.
    #[arg(long, value_enum)]
    format: Option<Format>,
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

pub async fn run(args: PushArgs) -> Result<(), Error> {
    let PushArgs { connection, identity, table, file, format, schema, ttl, watch } = args;
    let source = Source { table, file, format, schema };
    if watch && source.is_stdin() {
        let why = "--watch looks at a file, and standard input is none; name the file, or leave --watch out\n";
        clap::Error::raw(ErrorKind::ArgumentConflict, why).exit();
    }
    let stamp = source.stamp();
    let rows = source.load()?;
    let client = connection.builder().build()?;
    let default_ttl = if watch { LIVE_TTL_MIN } else { Duration::from_millis(TTL_MS_MAX.into()) };
    let ttl = ttl.unwrap_or(default_ttl);
    let mut publisher = identity.publisher(&client, Kind::Push, HostCollector::new().ip(), ttl)?;
    if !watch {
        let pushed = publisher.push_whole(vec![rows.clone()]).await;
        release(&mut publisher).await;
        return report(&publisher, &rows, pushed?);
    }
    let heartbeat = (ttl / HEARTBEATS_PER_TTL).min(HEARTBEAT_MAX);
    let ended = tokio::select! {
        result = keep_pushing(&source, stamp, rows, &mut publisher, heartbeat) => result,
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
    source: &Source,
    mut stamp: Stamp,
    mut rows: TableSnapshot,
    publisher: &mut Publisher,
    heartbeat: Duration,
) -> Result<(), Error> {
    // What is to be told once it is pushed; a heartbeat is not.
    let mut news = true;
    let mut due = Instant::now();
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
        // Taken before the file is read, so that a change in between is seen at the next look.
        let now = source.stamp();
        if now == stamp {
            continue;
        }
        stamp = now;
        match tokio::task::block_in_place(|| source.load()) {
            Ok(changed) => (rows, news, due) = (changed, true, Instant::now()),
            Err(error) => tracing::warn!(%error, "the changed file is not pushed; the rows stay as they were"),
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
    file: PathBuf,
    format: Option<Format>,
    schema: Option<Columns>,
}

/// What tells that a file changed; none while it cannot be looked at.
type Stamp = Option<(SystemTime, u64)>;

impl Source {
    fn is_stdin(&self) -> bool {
        self.file.as_os_str() == "-"
    }

    fn stamp(&self) -> Stamp {
        let metadata = std::fs::metadata(&self.file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    }

    fn load(&self) -> Result<TableSnapshot, Error> {
        let name = if self.is_stdin() { "standard input".to_owned() } else { self.file.display().to_string() };
        let refused = |why: String| Error::Refused(format!("{name}: {why}"));
        let text = self.text().map_err(|e| refused(format!("cannot be read: {e}")))?;
        let told = self.format.or_else(|| Format::of_file(&self.file)).or_else(|| Format::of_text(&text));
        let format = told.ok_or_else(|| {
            refused("its first line does not tell its format; name it: --format csv, tsv or ndjson".into())
        })?;
        let table = rows::parse(self.table.as_str(), &text, format, self.schema.as_ref());
        Ok(table.map_err(|e| refused(e.to_string()))?.snapshot())
    }

    fn text(&self) -> std::io::Result<String> {
        let source: Box<dyn Read> =
            if self.is_stdin() { Box::new(std::io::stdin()) } else { Box::new(File::open(&self.file)?) };
        let mut bytes = Vec::new();
        source.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(std::io::Error::other(format!("it has more than {TEXT_BYTES_MAX} bytes; push fewer rows")));
        }
        String::from_utf8(bytes).map_err(|e| std::io::Error::other(format!("it is not UTF-8: {e}")))
    }
}
