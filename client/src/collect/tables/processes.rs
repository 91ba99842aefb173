//! `processes`: the busiest processes of the host, by CPU time and then by memory.

use std::collections::HashMap;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use unum_proto::model::Row;
use unum_proto::model::secrets::redacted;
use unum_proto::typed_rows;

use super::{PublishedTable, clipped};
use crate::collect::{files, proc};

typed_rows! {
    /// Its columns.
    const COLUMNS;
    fn row(process: &Process, users: &HashMap<String, String>) {
        let pid = process.pid().as_u32();
        let user = process.user_id().map(|id| id.to_string());
        let threads = files::text(format!("/proc/{pid}/status")).and_then(|status| proc::parse_threads(&status));
        let words: Vec<_> = process.cmd().iter().map(|word| word.to_string_lossy()).collect();
        let command = (!words.is_empty()).then(|| clipped(redacted(&words.join(" "), [])));
    }
    "pid": UInt64, "process id" => pid;
    "ppid": UInt64, "its parent's" => process.parent().map(Pid::as_u32);
    "user": Text, "whose it is: a name, or the id if it has none" => user.map(|id| users.get(&id).cloned().unwrap_or(id));
    "name": Text, "short name" => clipped(process.name().to_string_lossy().into_owned());
    "state": Text, "running, sleeping, zombie …" => process.status().to_string().to_lowercase();
    "cpu": Float64, "percent of one core since the last push" => (f64::from(process.cpu_usage()) * 100.0).round() / 100.0;
    "memory": UInt64, "bytes resident" => process.memory();
    "threads": UInt64, "threads; Linux only" => threads;
    "started_at": Timestamp, "when it started" => i64::try_from(process.start_time().saturating_mul(1_000_000)).unwrap_or(i64::MAX);
    "command": Text, "command line, what looks like a secret masked; NULL for a kernel thread" => command;
}

pub(in crate::collect) const TABLE: PublishedTable = PublishedTable {
    name: "processes",
    comment: "the busiest processes of the host, by CPU time and then by memory",
    columns: COLUMNS,
};

/// Reads the rows; remembers the CPU time of the last time.
#[derive(Debug)]
pub(in crate::collect) struct Reader {
    // A system of its own: the host's refreshes would reset the CPU times in between.
    system: Option<System>,
    rows_max: usize,
}

impl Reader {
    /// A reader whose CPU times start now.
    pub(in crate::collect) fn new(rows_max: usize) -> Self {
        let mut reader = Self { system: System::new().ok().filter(|_| rows_max > 0), rows_max };
        reader.busiest();
        reader
    }

    /// The rows, the busiest first. CPU times need a fifth of a second between two calls.
    pub(in crate::collect) fn read(&mut self) -> Vec<Row> {
        let pids = self.busiest();
        let Some(system) = &mut self.system else { return Vec::new() };
        // What costs a file to read is read of these only, and once.
        let details = nothing().with_cmd(UpdateKind::OnlyIfNotSet).with_user(UpdateKind::OnlyIfNotSet);
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&pids), false, details);
        let users = proc::parse_passwd(&files::text("/etc/passwd").unwrap_or_default());
        pids.iter().filter_map(|pid| system.process(*pid)).map(|process| row(process, &users)).collect()
    }

    fn busiest(&mut self) -> Vec<Pid> {
        let Some(system) = &mut self.system else { return Vec::new() };
        let measures = nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, measures);
        let mut processes: Vec<_> = system.processes().values().collect();
        processes.sort_by(|a, b| {
            let by_cpu = b.cpu_usage().total_cmp(&a.cpu_usage());
            by_cpu.then(b.memory().cmp(&a.memory())).then(a.pid().cmp(&b.pid()))
        });
        processes.into_iter().take(self.rows_max).map(Process::pid).collect()
    }
}

/// Threads count as processes unless they are left out, and even "nothing" has them.
fn nothing() -> ProcessRefreshKind {
    ProcessRefreshKind::nothing().without_tasks()
}
