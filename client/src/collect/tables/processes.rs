//! `processes`: the busiest processes of the host, by CPU time and then by memory.

use std::collections::HashMap;

use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use unum_proto::model::{DataType, Row, Value};

use super::{PublishedTable, clipped};
use crate::collect::{files, proc};

pub(in crate::collect) const TABLE: PublishedTable = PublishedTable {
    name: "processes",
    comment: "the busiest processes of the host, by CPU time and then by memory",
    columns: &[
        ("pid", DataType::UInt64, "process id"),
        ("ppid", DataType::UInt64, "its parent's"),
        ("user", DataType::Text, "whose it is: a name, or the id if it has none"),
        ("name", DataType::Text, "short name"),
        ("state", DataType::Text, "running, sleeping, zombie …"),
        ("cpu", DataType::Float64, "percent of one core since the last push"),
        ("memory", DataType::UInt64, "bytes resident"),
        ("threads", DataType::UInt64, "threads; Linux only"),
        ("started_at", DataType::Timestamp, "when it started"),
        ("command", DataType::Text, "command line; NULL for a kernel thread"),
    ],
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

fn row(process: &Process, users: &HashMap<String, String>) -> Row {
    let pid = process.pid().as_u32();
    let user = process.user_id().map(|id| id.to_string());
    let threads = files::text(format!("/proc/{pid}/status")).and_then(|status| proc::parse_threads(&status));
    let words: Vec<_> = process.cmd().iter().map(|word| word.to_string_lossy()).collect();
    let command = (!words.is_empty()).then(|| clipped(words.join(" ")));
    vec![
        Value::UInt64(pid.into()),
        process.parent().map(Pid::as_u32).into(),
        user.map(|id| users.get(&id).cloned().unwrap_or(id)).into(),
        clipped(process.name().to_string_lossy().into_owned()).into(),
        process.status().to_string().to_lowercase().into(),
        Value::Float64((f64::from(process.cpu_usage()) * 100.0).round() / 100.0),
        process.memory().into(),
        threads.into(),
        Value::Timestamp(process.start_time().saturating_mul(1_000_000).try_into().unwrap_or(i64::MAX)),
        command.into(),
    ]
}
