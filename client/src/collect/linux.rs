//! What `sysinfo` does not tell, from `/proc`.

use procfs::{CurrentSI, KernelStats};

use super::mounts::{self, Mount};
use super::{files, proc};

/// The part of CPU time spent waiting for disks, between two calls.
#[derive(Debug)]
pub(super) struct IoWait {
    before: Option<Times>,
}

#[derive(Debug, Clone, Copy)]
struct Times {
    iowait: u64,
    total: u64,
}

impl IoWait {
    pub(super) fn new() -> Self {
        Self { before: times() }
    }

    /// Percent since the last call; none when it cannot be read or no time has passed.
    pub(super) fn percent(&mut self) -> Option<f64> {
        let now = times();
        let before = std::mem::replace(&mut self.before, now)?;
        let now = now?;
        let total = now.total.checked_sub(before.total).filter(|total| *total > 0)?;
        // The kernel's own iowait count can go back.
        let iowait = now.iowait.saturating_sub(before.iowait);
        Some(100.0 * iowait as f64 / total as f64)
    }
}

fn times() -> Option<Times> {
    let cpu = KernelStats::current().ok()?.total;
    let iowait = cpu.iowait?;
    let rest = [cpu.irq, cpu.softirq, cpu.steal].into_iter().flatten().sum::<u64>();
    Some(Times { iowait, total: cpu.user + cpu.nice + cpu.system + cpu.idle + iowait + rest })
}

/// Processes on the host, as far as `/proc` shows them.
pub(super) fn processes() -> Option<u64> {
    let is_process = |entry: &std::fs::DirEntry| entry.file_name().to_string_lossy().parse::<u32>().is_ok();
    Some(std::fs::read_dir("/proc").ok()?.flatten().filter(is_process).count() as u64)
}

/// Whether the CPU times can be read: sysinfo says 0 where they cannot.
pub(super) fn tells_cpu() -> bool {
    files::text("/proc/stat").is_some_and(|text| proc::parse_stat(&text).is_some())
}

/// Whether there is a load average: sysinfo says 0 where the file is empty.
pub(super) fn tells_load() -> bool {
    files::trimmed("/proc/loadavg").is_some()
}

/// The mounts that have space, as far as this process sees them.
pub(super) fn mounts() -> Vec<Mount> {
    mounts::parse(&files::bytes("/proc/self/mountinfo").unwrap_or_default())
}
