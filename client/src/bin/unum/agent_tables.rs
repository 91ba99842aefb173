//! Tables that commands print: `unum agent --table NAME='command'`.

use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use unum_client::config::command::Commands;
use unum_client::rows::{Reading, TEXT_BYTES_MAX};
use unum_client::{TableName, TableSnapshot};
use unum_proto::model::secrets::redacted;

#[derive(Debug, Args)]
pub struct TablesArgs {
    /// A table, and the command that prints it: CSV, JSON, columns by blanks … as `unum push` reads them. Its rows replace those
    /// of the time before. May be given several times.
    #[arg(long = "table", value_name = "NAME=COMMAND", value_parser = parse_table)]
    tables: Vec<(TableName, String)>,
    /// Between two runs of such a command.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = humantime::parse_duration)]
    every: Duration,
    /// How long one run may take.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    table_timeout: Duration,
}

fn parse_table(text: &str) -> Result<(TableName, String), String> {
    let (name, command) = text
        .split_once('=')
        .ok_or_else(|| format!("{text:?} is no table; write NAME='command', as disks='lsblk -J'"))?;
    let name = name.trim().parse::<TableName>().map_err(|e| e.to_string())?;
    if command.trim().is_empty() {
        Err(format!("the table {name} has no command"))
    } else {
        Ok((name, command.to_owned()))
    }
}

/// What a command printed, or why there is no table of it.
#[derive(Debug)]
pub struct Printed {
    pub name: TableName,
    pub table: Result<TableSnapshot, String>,
}

/// Runs the commands, each by itself: one that hangs keeps no other from being run.
#[derive(Debug)]
pub struct AgentTables {
    printed: mpsc::Receiver<Printed>,
    _tasks: Vec<AbortOnDropHandle<()>>,
}

impl AgentTables {
    /// From now on the commands run.
    pub fn start(args: TablesArgs) -> Self {
        let (sender, printed) = mpsc::channel(1);
        let commands = Commands::default();
        let TablesArgs { tables, every, table_timeout } = args;
        let task = |(name, command)| {
            let run = run(name, command, every, table_timeout, commands.clone(), sender.clone());
            AbortOnDropHandle::new(tokio::spawn(run))
        };
        Self { _tasks: tables.into_iter().map(task).collect(), printed }
    }

    /// The next table that is printed.
    pub async fn next(&mut self) -> Printed {
        match self.printed.recv().await {
            Some(printed) => printed,
            None => std::future::pending().await,
        }
    }
}

async fn run(
    name: TableName,
    command: String,
    every: Duration,
    timeout: Duration,
    commands: Commands,
    sender: mpsc::Sender<Printed>,
) {
    let mut ticks = tokio::time::interval(every.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut told = Vec::new();
    loop {
        ticks.tick().await;
        let table = table(&name, &command, timeout, &commands, &mut told).await;
        let table = table.map_err(|why| format!("its command: {}", redacted(&why, [])));
        if sender.send(Printed { name: name.clone(), table }).await.is_err() {
            return;
        }
    }
}

async fn table(
    name: &TableName,
    command: &str,
    timeout: Duration,
    commands: &Commands,
    told: &mut Vec<String>,
) -> Result<TableSnapshot, String> {
    let ended = commands.run(command, &[], Vec::new(), TEXT_BYTES_MAX, timeout).await?;
    let output = ended.output_of_success()?;
    let rows = Reading::default().table(name.as_str(), None, &output).map_err(|e| e.to_string())?;
    for note in rows.notes.iter().filter(|note| !told.contains(note)) {
        tracing::info!(table = %name, note);
    }
    *told = rows.notes;
    Ok(rows.table.snapshot())
}
