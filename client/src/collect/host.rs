//! `node_info`: one row that describes this host.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use sysinfo::{Disks, MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, Networks, System};
use unum_proto::model::{DataType, Invalid, NodeDescription, TableSnapshot, Value};

use super::linux::IoWait;
use super::tables::PublishedTable;
use crate::Table;

pub(super) const TABLE: PublishedTable = PublishedTable {
    name: "node_info",
    comment: "one row that describes the host: how busy it is, what it is, what runs on it",
    columns: &COLUMNS,
};

/// The columns of `node_info`: the founding idea's seven first, then the detail.
const COLUMNS: [(&str, DataType, &str); 30] = [
    ("cpu", DataType::Float64, "percent busy over all cores since the last push"),
    ("net", DataType::Float64, "bytes/s received and sent, loopback left out"),
    ("memory", DataType::Float64, "percent used"),
    ("disk", DataType::Float64, "percent used over all disks"),
    ("node_type", DataType::Text, "kind of node"),
    ("ip", DataType::Text, "the node's address"),
    ("id", DataType::Text, "unique within the type"),
    ("load1", DataType::Float64, "load average of one minute"),
    ("load5", DataType::Float64, "load average of five minutes"),
    ("load15", DataType::Float64, "load average of fifteen minutes"),
    ("cpu_iowait", DataType::Float64, "percent of CPU time waiting for disks; Linux only"),
    ("memory_total", DataType::UInt64, "bytes"),
    ("memory_used", DataType::UInt64, "bytes"),
    ("swap_total", DataType::UInt64, "bytes"),
    ("swap_used", DataType::UInt64, "bytes"),
    ("disk_total", DataType::UInt64, "bytes"),
    ("disk_used", DataType::UInt64, "bytes"),
    ("net_recv", DataType::Float64, "bytes/s"),
    ("net_sent", DataType::Float64, "bytes/s"),
    ("cores", DataType::UInt64, "logical cores"),
    ("physical_cores", DataType::UInt64, "physical cores"),
    ("hostname", DataType::Text, "the host's name"),
    ("os", DataType::Text, "operating system and its version"),
    ("kernel", DataType::Text, "kernel version"),
    ("arch", DataType::Text, "CPU architecture"),
    ("version", DataType::Text, "the version of what runs there, as the node says"),
    ("booted_at", DataType::Timestamp, "when the host booted"),
    ("uptime_s", DataType::UInt64, "seconds since the host booted"),
    ("started_at", DataType::Timestamp, "when the publisher started"),
    ("processes", DataType::UInt64, "processes on the host; Linux only"),
];

/// Reads this host's `node_info`. Rates are since the last call, so keep one and call it every interval.
#[derive(Debug)]
pub struct HostCollector {
    // None where the platform does not tell.
    system: Option<System>,
    disks: Option<Disks>,
    networks: Option<Networks>,
    io_wait: IoWait,
    refreshed: Instant,
    started_at_us: i64,
}

impl HostCollector {
    /// A collector whose rates start now.
    pub fn new() -> Self {
        let mut system = System::new().ok();
        system.iter_mut().for_each(System::refresh_cpu_usage);
        let started = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self {
            system,
            disks: Disks::new_with_refreshed_list().ok(),
            networks: Networks::new_with_refreshed_list().ok(),
            io_wait: IoWait::new(),
            refreshed: Instant::now(),
            started_at_us: started.as_micros().try_into().unwrap_or(i64::MAX),
        }
    }

    /// The address under which this host is best known: the first that is not loopback.
    pub fn ip(&self) -> IpAddr {
        let mut addresses: Vec<IpAddr> = self
            .networks
            .iter()
            .flat_map(|networks| networks.values())
            .flat_map(|network| network.ip_networks())
            .map(|network| network.addr)
            .filter(|addr| !addr.is_loopback() && !is_link_local(addr))
            .collect();
        // The interfaces come in no order: the same host must say the same each time. IPv4 first.
        addresses.sort();
        addresses.first().copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
    }

    /// `node_info` of this host under the name of `node`. Takes some milliseconds of reading files: not for an
    /// async thread that others wait for.
    ///
    /// The first call comes no sooner than a fifth of a second after [`HostCollector::new`]: in less, the share of
    /// busy CPU time is noise.
    pub fn collect(&mut self, node: &NodeDescription) -> Result<TableSnapshot, Invalid> {
        std::thread::sleep(MINIMUM_CPU_UPDATE_INTERVAL.saturating_sub(self.refreshed.elapsed()));
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::everything());
        }
        if let Some(disks) = &mut self.disks {
            disks.refresh(true);
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
        }
        let seconds = self.refreshed.elapsed().as_secs_f64();
        self.refreshed = Instant::now();
        let row = self.row(node, seconds);
        Ok(Table::new(TABLE.name, TABLE.columns)?.row(row).snapshot())
    }

    /// The CPUs and the memory as of the last call; none where the platform does not tell.
    pub(super) fn system(&self) -> Option<&System> {
        self.system.as_ref()
    }

    /// The mounted disks as of the last call.
    pub(super) fn disks(&self) -> Option<&Disks> {
        self.disks.as_ref()
    }

    /// The network devices as of the last call.
    pub(super) fn networks(&self) -> Option<&Networks> {
        self.networks.as_ref()
    }

    fn row(&mut self, node: &NodeDescription, seconds: f64) -> [Value; COLUMNS.len()] {
        let system = self.system.as_ref();
        // sysinfo says 0 for a total that it cannot read.
        let known = |number: u64| (number > 0).then_some(number);
        let memory_total = system.and_then(|system| known(system.total_memory()));
        let memory_used = memory_total.and(system).map(System::used_memory);
        let (disk_total, disk_used) = self.disk_bytes().unzip();
        let (received, sent) = self.net_bytes().unzip();
        let rate = |bytes: Option<u64>| bytes.filter(|_| seconds > 0.0).map(|bytes| round(bytes as f64 / seconds));
        let load = load_average();
        let boot = System::boot_time().ok().and_then(known);
        let iowait = self.io_wait.percent();
        [
            system.map(|system| round(f64::from(system.global_cpu_usage()))).into(),
            rate(received.zip(sent).map(|(received, sent)| received + sent)).into(),
            percent(memory_used, memory_total).into(),
            percent(disk_used, disk_total).into(),
            node.key.node_type.as_str().into(),
            node.ip.as_str().into(),
            node.key.id.as_str().into(),
            load.as_ref().map(|load| load.one).into(),
            load.as_ref().map(|load| load.five).into(),
            load.as_ref().map(|load| load.fifteen).into(),
            iowait.map(round).into(),
            memory_total.into(),
            memory_used.into(),
            memory_total.and(system).map(System::total_swap).into(),
            memory_total.and(system).map(System::used_swap).into(),
            disk_total.into(),
            disk_used.into(),
            rate(received).into(),
            rate(sent).into(),
            system.and_then(|system| known(system.cpus().len() as u64)).into(),
            System::physical_core_count().ok().map(|cores| cores as u64).into(),
            System::host_name().ok().into(),
            System::long_os_version().ok().into(),
            System::kernel_version().ok().into(),
            System::cpu_arch().into(),
            node.version.as_str().into(),
            boot.map_or(Value::Null, |boot| Value::Timestamp(boot as i64 * 1_000_000)),
            System::uptime().ok().into(),
            Value::Timestamp(self.started_at_us),
            super::linux::processes().into(),
        ]
    }

    /// Total and used bytes of all disks. A device that is mounted twice counts once.
    fn disk_bytes(&self) -> Option<(u64, u64)> {
        let mut seen = HashSet::new();
        let disks = self.disks.iter().flat_map(|disks| disks.iter());
        let disks = disks.filter(|disk| disk.total_space() > 0 && seen.insert(disk.name().to_owned()));
        let space = disks.map(|disk| (disk.total_space(), disk.total_space().saturating_sub(disk.available_space())));
        space.reduce(|(total, used), (more, more_used)| (total + more, used + more_used))
    }

    /// Bytes received and sent since the last refresh, loopback left out.
    fn net_bytes(&self) -> Option<(u64, u64)> {
        let is_loopback = |network: &sysinfo::NetworkData| network.ip_networks().iter().any(|n| n.addr.is_loopback());
        let outside = self.networks.as_ref()?.values().filter(|network| !is_loopback(network));
        Some(outside.fold((0, 0), |(received, sent), n| (received + n.received(), sent + n.transmitted())))
    }
}

impl Default for HostCollector {
    fn default() -> Self {
        Self::new()
    }
}

fn is_link_local(addr: &IpAddr) -> bool {
    match addr {
        IpAddr::V4(addr) => addr.is_link_local(),
        IpAddr::V6(addr) => addr.is_unicast_link_local(),
    }
}

/// sysinfo says zeros on Windows, where there is no such thing.
pub(super) fn load_average() -> Option<sysinfo::LoadAvg> {
    System::load_average().ok().filter(|_| cfg!(unix))
}

fn percent(part: Option<u64>, whole: Option<u64>) -> Option<f64> {
    Some(round(100.0 * part? as f64 / whole.filter(|whole| *whole > 0)? as f64))
}

/// Two digits are more than any of these measures is worth.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeKey, Push};

    use super::*;

    #[test]
    fn this_host_makes_a_push_that_is_accepted() {
        let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap());
        let table = HostCollector::new().collect(&node).unwrap();
        let row = &table.rows[0];
        let percent = |column: &str| match row[table.schema.position(column).unwrap()] {
            Value::Float64(percent) => percent,
            ref other => panic!("{column} is {other:?}"),
        };
        assert!((0.0..=100.0).contains(&percent("memory")));
        assert!((0.0..=100.0).contains(&percent("cpu")));
        Push::new(node, 1, 1, vec![table]).unwrap();
    }
}
