//! `unum agent`: publishes what this host knows about itself, every interval.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use unum_client::collect::{HostTables, PROCESSES_DEFAULT, PROCESSES_MAX, host_ip};
use unum_client::config::{CONFIG_TABLE, PushRequest};
use unum_client::{Error, Program, Publisher, TableName, TableRefusal, TableSnapshot, signal};

use super::Connection;
use super::agent_config::{AgentConfig, ConfigArgs};
use super::agent_tables::{AgentTables, Printed, TablesArgs};
use super::identity::{Identity, Kind, LIVE_TTL_MIN, release};

#[derive(Debug, Args)]
pub struct AgentArgs {
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    identity: Identity,
    /// Between two pushes.
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// How long the node may be silent before it is called stale. Default: ten intervals, at least 10s.
    #[arg(long, value_parser = humantime::parse_duration)]
    ttl: Option<Duration>,
    /// How many of the busiest processes are published with their command lines, which may have passwords in them. 0:
    /// none.
    #[arg(long, default_value_t = PROCESSES_DEFAULT, value_parser = parse_processes)]
    processes: usize,
    /// node_info is that of the whole host, also where a control group bounds what this process may use of it.
    #[arg(long)]
    whole_host: bool,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    tables: TablesArgs,
}

fn parse_processes(text: &str) -> Result<usize, String> {
    let within = |count: &usize| *count <= PROCESSES_MAX;
    text.parse().ok().filter(within).ok_or_else(|| format!("{text:?} is not a count; use 0 to {PROCESSES_MAX}"))
}

/// An agent's TTL if none is named: a failover or a busy host must not make a node stale.
const TTL_INTERVALS: u32 = 10;

pub async fn run(args: AgentArgs, program: &Program) -> Result<(), Error> {
    let end = signal::end();
    tokio::pin!(end);
    let mut hangups = signal::hangups();
    let client = args.connection.builder().build()?;
    let mut tables = HostTables::new(program, args.processes);
    if args.whole_host {
        tables = tables.of_whole_host();
    }
    let ttl = args.ttl.unwrap_or_else(|| LIVE_TTL_MIN.max(args.interval * TTL_INTERVALS));
    let follows_route = args.identity.finds_ip();
    let mut publisher = args.identity.publisher(&client, Kind::Agent, host_ip(), ttl)?;
    tracing::info!(node = %publisher.node().key, ip = publisher.node().ip, interval = ?args.interval, "agent started");
    let mut config = AgentConfig::new(args.config, program, &publisher)?;
    let mut printed = AgentTables::start(args.tables);
    let mut ticks = tokio::time::interval(args.interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let (mut name, mut refused) = (Name::default(), Refused::default());
    loop {
        let asked = tokio::select! {
            _ = ticks.tick() => Asked::Round,
            asked = asked(config.as_mut()) => Asked::Config(asked),
            table = printed.next() => Asked::Table(table),
            () = hangups.next() => {
                tracing::info!("SIGHUP: everything is read again");
                ticks.reset_immediately();
                continue;
            }
            _ = &mut end => break,
        };
        if follows_route {
            follow(&mut publisher);
        }
        let push = async {
            if !name.is_ours(&mut publisher).await? {
                return Ok(());
            }
            push_config(&mut publisher, config.as_mut(), &mut refused).await?;
            match asked {
                Asked::Config(asked) => {
                    asked.done();
                    Ok(())
                }
                Asked::Round => push(&mut publisher, &mut tables, &mut refused).await,
                Asked::Table(table) => push_printed(&mut publisher, table, &mut refused).await,
            }
        };
        tokio::select! {
            pushed = push => pushed?,
            _ = &mut end => break,
        }
    }
    tracing::info!("agent stops");
    release(&mut publisher).await;
    Ok(())
}

/// What an agent does next.
enum Asked {
    /// It publishes its host.
    Round,
    /// Somebody waits for its configuration.
    Config(PushRequest),
    /// A command has printed a table.
    Table(Printed),
}

/// The node's address is that of the default route. Where there is none for a while, it stays.
fn follow(publisher: &mut Publisher) {
    let ip = host_ip();
    let (now, before) = (ip.to_string(), &publisher.node().ip);
    if now != *before && !ip.is_loopback() {
        tracing::info!(before, now, "the host has another address");
        publisher.set_ip(now);
    }
}

/// Between two tries to take a name that another publisher has.
const NAME_PAUSE: Duration = Duration::from_secs(1);

/// The node's name, as far as this agent has it.
#[derive(Debug, Default)]
struct Name {
    is_ours: bool,
    /// Since when somebody else has it, and what was told of that.
    tried_at: Option<Instant>,
    told: String,
}

impl Name {
    /// Whether the agent may push. While another publisher has the name, it waits: the name is free when that one ends.
    async fn is_ours(&mut self, publisher: &mut Publisher) -> Result<bool, Error> {
        if self.is_ours {
            return Ok(true);
        }
        if self.tried_at.is_some_and(|at| at.elapsed() < NAME_PAUSE) {
            return Ok(false);
        }
        self.tried_at = Some(Instant::now());
        match publisher.register().await {
            Ok(epoch) => {
                tracing::info!(epoch, "the name is this agent's");
                self.is_ours = true;
            }
            Err(Error::NameHeld(message)) if message != self.told => {
                tracing::warn!(message, "the agent waits for the name");
                self.told = message;
            }
            Err(Error::NameHeld(_)) => {}
            Err(error) if may_be_better_later(&error) => {
                tracing::warn!(%error, "no name yet; the next interval tries again");
            }
            Err(error) => return Err(error),
        }
        Ok(self.is_ours)
    }
}

fn may_be_better_later(error: &Error) -> bool {
    matches!(error, Error::Unreachable { .. } | Error::Deadline { .. } | Error::OutcomeUnknown { .. })
}

/// Somebody wants the configuration pushed at once.
async fn asked(config: Option<&mut AgentConfig>) -> PushRequest {
    match config {
        Some(config) => config.asked().await,
        None => std::future::pending().await,
    }
}

/// Things of the host that could not be read and are told one by one.
const UNREAD_MAX: usize = 20;

/// Tables that are refused, or cannot be read, and why; and what of the host does not answer. Each is told once, and in each
/// push until it is over.
#[derive(Debug, Default)]
struct Refused {
    tables: BTreeMap<String, String>,
    unread: Vec<String>,
}

impl Refused {
    fn add(&mut self, table: &str, why: &str) {
        if self.tables.get(table).map(String::as_str) != Some(why) {
            tracing::warn!(table, why, "a table is not published");
            self.tables.insert(table.to_owned(), why.to_owned());
        }
    }

    fn remove(&mut self, table: &str) {
        if self.tables.remove(table).is_some() {
            tracing::info!(table, "the table is published again");
        }
    }

    /// What a push came to, of these tables.
    fn heard(&mut self, tables: &[TableName], refused: &[TableRefusal]) {
        for table in tables.iter().map(TableName::as_str) {
            match refused.iter().find(|refusal| refusal.table == table) {
                Some(refusal) => self.add(table, &refusal.why),
                None => self.remove(table),
            }
        }
    }

    /// What of the host could not be read now.
    fn read(&mut self, mut unread: Vec<String>) {
        if unread.len() > UNREAD_MAX {
            let more = unread.len() - UNREAD_MAX;
            unread.truncate(UNREAD_MAX);
            unread.push(format!("and {more} more"));
        }
        for news in unread.iter().filter(|what| !self.unread.contains(what)) {
            tracing::warn!(what = news, "not read");
        }
        for over in self.unread.iter().filter(|what| !unread.contains(what)) {
            tracing::info!(what = over, "no more");
        }
        self.unread = unread;
    }

    fn all(&self) -> Vec<TableRefusal> {
        let tables = self.tables.iter().map(|(table, why)| TableRefusal::new(table, why));
        tables.chain(self.unread.iter().map(TableRefusal::unread)).collect()
    }
}

/// A table that a command printed. One that cannot be read or is too large for a push is told, and the rows stay as they were.
async fn push_printed(publisher: &mut Publisher, table: Printed, refused: &mut Refused) -> Result<(), Error> {
    let Printed { name, table } = table;
    publisher.leave_out(refused.all());
    let checked = table
        .and_then(|table| publisher.check(std::slice::from_ref(&table)).map(|()| table).map_err(|e| e.to_string()));
    match checked {
        Ok(table) => pushed(publisher, vec![table], refused).await.map(drop),
        Err(why) => {
            refused.add(name.as_str(), &why);
            Ok(())
        }
    }
}

/// The configuration, if it has changed. One that cannot be read or is too large for a push is told, and the rest goes on.
async fn push_config(
    publisher: &mut Publisher,
    config: Option<&mut AgentConfig>,
    refused: &mut Refused,
) -> Result<(), Error> {
    let Some(config) = config else { return Ok(()) };
    let table = match config.news().await {
        Ok(Some(table)) => table,
        Ok(None) => {
            refused.remove(CONFIG_TABLE);
            return Ok(());
        }
        Err(why) => {
            refused.add(CONFIG_TABLE, &why);
            return Ok(());
        }
    };
    publisher.leave_out(refused.all());
    if let Err(error) = publisher.check(std::slice::from_ref(&table)) {
        refused.add(CONFIG_TABLE, &error.to_string());
        return Ok(());
    }
    if pushed(publisher, vec![table.clone()], refused).await? {
        config.acknowledged(table);
    }
    Ok(())
}

/// One push; says whether it was acknowledged. What a retry cannot mend ends the agent; anything else is told, and the
/// next interval tries again.
async fn pushed(publisher: &mut Publisher, push: Vec<TableSnapshot>, refused: &mut Refused) -> Result<bool, Error> {
    let tables: Vec<_> = push.iter().map(|table| table.schema.name.clone()).collect();
    publisher.leave_out(refused.all());
    if publisher.check(&push).is_err() {
        // The tables come first.
        publisher.leave_out(Vec::new());
    }
    match publisher.push(push).await {
        Ok(ack) => {
            tracing::debug!(revision = ack.revision, duplicate = ack.duplicate, "pushed");
            refused.heard(&tables, &ack.refused);
            Ok(true)
        }
        Err(error) if may_be_better_later(&error) => {
            tracing::warn!(%error, "push failed; the next interval tries again");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// The host's tables that are due now.
async fn push(publisher: &mut Publisher, tables: &mut HostTables, refused: &mut Refused) -> Result<(), Error> {
    let collected = tables.collect(publisher.node()).await?;
    refused.read(collected.unread);
    for push in collected.pushes {
        if !pushed(publisher, push, refused).await? {
            return Ok(());
        }
    }
    tables.acknowledged();
    Ok(())
}
