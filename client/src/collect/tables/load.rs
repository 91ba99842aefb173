//! `load`: how busy the host is right now, under TiDB's names, and what else moves: pressure stall, and the space on
//! each disk.
//!
//! Counters of network devices are since they came up, as in TiDB. Rates and shares are since the last read.

use std::collections::HashMap;
use std::time::Instant;

use sysinfo::System;
use unum_proto::model::{DataType, Row};

use super::hardware::space_items;
use super::{Bounds, DEVICES_MAX, Items, PublishedTable, share};
use crate::collect::files;
use crate::collect::host::{HostCollector, load_average};
use crate::collect::proc::{self, CPU_STATES, CpuTimes, DISK_RATES, DiskCounters, DiskDevice};
use crate::collect::spaces::MountSpace;

pub(in crate::collect) const TABLE: PublishedTable = PublishedTable {
    name: "load",
    comment: "how busy the host is: CPU, memory, network, disks, pressure stall",
    columns: &[
        ("device_type", DataType::Text, "cpu, memory, net, io, disk or psi"),
        ("device_name", DataType::Text, "which of that type: usage, virtual, eth0, sda …"),
        ("name", DataType::Text, "what is measured"),
        ("value", DataType::Text, "the measure; bytes, counts, rates per second, or shares of 1"),
    ],
};

/// The windows of pressure stall that the kernel measures.
const PRESSURES: [&str; 3] = ["cpu", "memory", "io"];

/// Reads the rows; remembers the counters of the last time.
#[derive(Debug)]
pub(in crate::collect) struct Reader {
    cpu: Option<CpuTimes>,
    disks: HashMap<String, DiskCounters>,
    read_at: Instant,
    pub(in crate::collect) bounds: Bounds,
}

impl Reader {
    /// A reader whose rates start now.
    pub(in crate::collect) fn new() -> Self {
        let disks = disks().into_iter().map(|disk| (disk.name, disk.counters)).collect();
        Self { cpu: cpu(), disks, read_at: Instant::now(), bounds: Bounds::default() }
    }

    /// The rows as of the host's last reading.
    pub(in crate::collect) fn read(&mut self, host: &HostCollector, spaces: &[MountSpace]) -> Vec<Row> {
        let mut items = Items(Vec::new());
        self.cpu(&mut items);
        memory(host, &mut items);
        self.net(&mut items);
        self.io(&mut items);
        self.disks(spaces, &mut items);
        for resource in PRESSURES {
            let text = files::text(format!("/proc/pressure/{resource}")).unwrap_or_default();
            for (name, percent) in proc::parse_pressure(&text) {
                items.add("psi", resource, &name, percent);
            }
        }
        items.0
    }

    fn cpu(&mut self, items: &mut Items) {
        if let Some(load) = load_average() {
            for (name, load) in [("load1", load.one), ("load5", load.five), ("load15", load.fifteen)] {
                items.add("cpu", "cpu", name, format!("{load:.2}"));
            }
        }
        let now = cpu();
        let before = std::mem::replace(&mut self.cpu, now);
        let shares = now.zip(before).and_then(|(now, before)| now.shares_since(&before));
        for (name, share) in CPU_STATES.iter().zip(shares.into_iter().flatten()) {
            items.add("cpu", "usage", name, format!("{share:.2}"));
        }
    }

    fn net(&mut self, items: &mut Items) {
        let mut devices = proc::parse_net_dev(&files::text("/proc/net/dev").unwrap_or_default());
        self.bounds.hold("network devices in table load", &mut devices, DEVICES_MAX);
        for device in devices {
            for (name, count) in device.counters {
                items.add("net", &device.name, name, count.to_string());
            }
        }
    }

    fn io(&mut self, items: &mut Items) {
        let seconds = self.read_at.elapsed().as_secs_f64();
        self.read_at = Instant::now();
        let mut devices = disks();
        self.bounds.hold("block devices in table load", &mut devices, DEVICES_MAX);
        let now: HashMap<_, _> = devices.iter().map(|disk| (disk.name.clone(), disk.counters)).collect();
        let before = std::mem::replace(&mut self.disks, now);
        for DiskDevice { name, counters } in devices {
            // A device that was not there has no rate yet.
            let Some(before) = before.get(&name) else { continue };
            for (rate, (now, before)) in DISK_RATES.iter().zip(counters.iter().zip(before)) {
                items.add("io", &name, rate, per_second(now.saturating_sub(*before), seconds));
            }
        }
    }

    fn disks(&mut self, spaces: &[MountSpace], items: &mut Items) {
        let mut spaces: Vec<&MountSpace> = spaces.iter().collect();
        self.bounds.hold("disks in table load", &mut spaces, DEVICES_MAX);
        for MountSpace { mount, space } in spaces {
            space_items(*space, &mut |name, value| items.add("disk", &mount.name, name, value));
        }
    }
}

fn cpu() -> Option<CpuTimes> {
    proc::parse_stat(&files::text("/proc/stat")?)
}

/// The block devices that did anything since boot: a host has dozens of loop devices that never do.
fn disks() -> Vec<DiskDevice> {
    let mut devices = proc::parse_diskstats(&files::text("/proc/diskstats").unwrap_or_default());
    devices.retain(|device| device.counters.iter().any(|count| *count > 0));
    devices
}

fn memory(host: &HostCollector, items: &mut Items) {
    // sysinfo says 0 for a total that it cannot read.
    let Some(system) = host.system().filter(|system: &&System| system.total_memory() > 0) else { return };
    space("memory", "virtual", system.total_memory(), system.free_memory(), system.used_memory(), items);
    space("memory", "swap", system.total_swap(), system.free_swap(), system.used_swap(), items);
}

/// The five figures of anything that fills up.
fn space(kind: &str, device: &str, total: u64, free: u64, used: u64, items: &mut Items) {
    for (name, bytes) in [("total", total), ("used", used), ("free", free)] {
        items.add(kind, device, name, bytes.to_string());
    }
    items.add(kind, device, "used-percent", share(used, total));
    items.add(kind, device, "free-percent", share(free, total));
}

fn per_second(count: u64, seconds: f64) -> Option<String> {
    (seconds > 0.0).then(|| format!("{:.2}", count as f64 / seconds))
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;

    #[test]
    fn every_row_is_of_a_documented_kind_and_no_measure_is_there_twice() {
        let host = HostCollector::new();
        let rows = Reader::new().read(&host, &[]);
        let mut seen = std::collections::HashSet::new();
        for [kind, device, name, value] in texts(&rows) {
            assert!(TABLE.columns[0].2.contains(kind), "{kind} {device} {name} {value}");
            assert!(seen.insert([kind, device, name]), "{kind} {device} {name} {value}");
        }
    }
}
