//! `node_info`: one row that describes this host.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use sysinfo::{Disks, MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, Networks, System};
use unum_proto::model::{Invalid, NodeDescription, TableSnapshot};
use unum_proto::typed_rows;

use super::linux::IoWait;
use super::tables::PublishedTable;
use crate::Table;

pub(super) const TABLE: PublishedTable = PublishedTable {
    name: "node_info",
    comment: "one row that describes the host: how busy it is, what it is, what runs on it",
    columns: COLUMNS,
};

typed_rows! {
    /// The columns of `node_info`: the founding idea's seven first, then the detail.
    const COLUMNS;
    fn row(host: &mut HostCollector, node: &NodeDescription, seconds: f64) {
        let system = host.system.as_ref();
        // sysinfo says 0 for a total that it cannot read.
        let known = |number: u64| (number > 0).then_some(number);
        let memory_total = system.and_then(|system| known(system.total_memory()));
        let memory_used = memory_total.and(system).map(System::used_memory);
        let (disk_total, disk_used) = host.disk_bytes().unzip();
        let (received, sent) = host.net_bytes().unzip();
        let rate = |bytes: Option<u64>| bytes.filter(|_| seconds > 0.0).map(|bytes| round(bytes as f64 / seconds));
        let load = load_average();
        let boot = System::boot_time().ok().and_then(known);
        let iowait = host.io_wait.percent();
    }
    "cpu": Float64, "percent busy over all cores since the last push" => system.map(|system| round(f64::from(system.global_cpu_usage())));
    "net": Float64, "bytes/s received and sent, loopback left out" => rate(received.zip(sent).map(|(received, sent)| received + sent));
    "memory": Float64, "percent used" => percent(memory_used, memory_total);
    "disk": Float64, "percent used over all disks" => percent(disk_used, disk_total);
    "node_type": Text, "kind of node" => node.key.node_type.as_str();
    "ip": Text, "the node's address" => node.ip.as_str();
    "id": Text, "unique within the type" => node.key.id.as_str();
    "load1": Float64, "load average of one minute" => load.as_ref().map(|load| load.one);
    "load5": Float64, "load average of five minutes" => load.as_ref().map(|load| load.five);
    "load15": Float64, "load average of fifteen minutes" => load.as_ref().map(|load| load.fifteen);
    "cpu_iowait": Float64, "percent of CPU time waiting for disks; Linux only" => iowait.map(round);
    "memory_total": UInt64, "bytes" => memory_total;
    "memory_used": UInt64, "bytes" => memory_used;
    "swap_total": UInt64, "bytes" => memory_total.and(system).map(System::total_swap);
    "swap_used": UInt64, "bytes" => memory_total.and(system).map(System::used_swap);
    "disk_total": UInt64, "bytes" => disk_total;
    "disk_used": UInt64, "bytes" => disk_used;
    "net_recv": Float64, "bytes/s" => rate(received);
    "net_sent": Float64, "bytes/s" => rate(sent);
    "cores": UInt64, "logical cores" => system.and_then(|system| known(system.cpus().len() as u64));
    "physical_cores": UInt64, "physical cores" => System::physical_core_count().ok().map(|cores| cores as u64);
    "hostname": Text, "the host's name" => System::host_name().ok();
    "os": Text, "operating system and its version" => System::long_os_version().ok();
    "kernel": Text, "kernel version" => System::kernel_version().ok();
    "arch": Text, "CPU architecture" => System::cpu_arch();
    "version": Text, "the version of what runs there, as the node says" => node.version.as_str();
    "booted_at": Timestamp, "when the host booted" => boot.map(|boot| boot as i64 * 1_000_000);
    "uptime_s": UInt64, "seconds since the host booted" => System::uptime().ok();
    "started_at": Timestamp, "when the publisher started" => host.started_at_us;
    "processes": UInt64, "processes on the host; Linux only" => super::linux::processes();
}

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
        let row = row(self, node, seconds);
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
    use unum_proto::model::{NodeKey, Push, Value};

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
