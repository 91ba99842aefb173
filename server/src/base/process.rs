//! What this process uses, as metrics under the names that Prometheus's own clients give them.

/// Sets the gauges and counters of the process. Where the platform does not tell, it sets none.
#[cfg(target_os = "linux")]
pub fn record() {
    use metrics::{counter, gauge};
    let Ok(process) = procfs::process::Process::myself() else { return };
    if let Ok(stat) = process.stat() {
        let ticks = (stat.utime + stat.stime) as f64;
        // A counter of this exporter is a whole number, and a second is too coarse for one.
        gauge!("process_cpu_seconds_total").set(ticks / procfs::ticks_per_second() as f64);
        gauge!("process_resident_memory_bytes").set((stat.rss * procfs::page_size()) as f64);
        gauge!("process_threads").set(stat.num_threads as f64);
    }
    if let Ok(io) = process.io() {
        // As the kernel counts what goes to disks: blocks of its cache that were touched, many times a small write's own
        // bytes where those blocks are large.
        counter!("unum_disk_written_bytes_total").absolute(io.write_bytes);
    }
}

/// Sets nothing: only Linux tells.
#[cfg(not(target_os = "linux"))]
pub fn record() {}
