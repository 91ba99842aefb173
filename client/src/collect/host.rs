//! `node_info`: one row that describes this host.

use std::time::Instant;

use sysinfo::{MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, Networks, System};
use unum_proto::model::{NodeDescription, Row};
use unum_proto::typed_rows;

use super::cgroup::{self, CpuBound};
use super::linux::IoWait;
use super::mounts::{self, Space};
use super::network::{self, Bytes, Traffic};
use super::spaces::MountSpace;
use super::tables::PublishedTable;

pub(super) const TABLE: PublishedTable = PublishedTable {
    name: "node_info",
    comment: "one row that describes the host: how busy it is, what it is, what runs on it",
    columns: COLUMNS,
};

typed_rows! {
    /// The columns of `node_info`: the founding idea's seven first, then the detail.
    const COLUMNS;
    fn row(now: &Now<'_>, node: &NodeDescription) {
        let Measures { cpu, iowait, memory, swap, disk, traffic, load, system, bounds } = &now.measures;
        // sysinfo says 0 for what it cannot read.
        let known = |number: u64| (number > 0).then_some(number);
        let rate = |bytes: Option<u64>| bytes.filter(|_| now.seconds > 0.0).map(|bytes| round(bytes as f64 / now.seconds));
        let boot = system.and_then(|_| System::boot_time().ok()).and_then(known);
    }
    "cpu": Float64, "percent busy since the last push, of all cores or of what the process may use of them" => cpu.map(round);
    "net": Float64, "bytes/s received and sent; what is loopback or goes through another device, too, is left out" => rate(traffic.map(|bytes| bytes.received.saturating_add(bytes.sent)));
    "memory": Float64, "percent used" => memory.and_then(|memory| percent(memory.used, memory.total));
    "disk": Float64, "percent used of what can be used over all disks, as df counts" => disk.and_then(|disk| percent(disk.used, disk.usable()));
    "node_type": Text, "kind of node" => node.key.node_type.as_str();
    "ip": Text, "the node's address" => node.ip.as_str();
    "id": Text, "unique within the type" => node.key.id.as_str();
    "load1": Float64, "load average of one minute" => load.as_ref().map(|load| load.one);
    "load5": Float64, "load average of five minutes" => load.as_ref().map(|load| load.five);
    "load15": Float64, "load average of fifteen minutes" => load.as_ref().map(|load| load.fifteen);
    "cpu_iowait": Float64, "percent of the host's CPU time waiting for disks; Linux only" => iowait.map(round);
    "memory_total": UInt64, "bytes: the host's, or what the process may use if that is less" => memory.map(|memory| memory.total);
    "memory_used": UInt64, "bytes of that" => memory.map(|memory| memory.used);
    "swap_total": UInt64, "bytes" => swap.map(|swap| swap.total);
    "swap_used": UInt64, "bytes" => swap.map(|swap| swap.used);
    "disk_total": UInt64, "bytes of all disks" => disk.map(|disk| disk.total);
    "disk_used": UInt64, "bytes" => disk.map(|disk| disk.used);
    "net_recv": Float64, "bytes/s" => rate(traffic.map(|bytes| bytes.received));
    "net_sent": Float64, "bytes/s" => rate(traffic.map(|bytes| bytes.sent));
    "cores": UInt64, "logical cores of the host" => system.and_then(|system| known(system.cpus().len() as u64));
    "physical_cores": UInt64, "physical cores" => system.and_then(|_| System::physical_core_count().ok()).and_then(|cores| known(cores as u64));
    "hostname": Text, "the host's name" => system.and_then(|_| System::host_name().ok());
    "os": Text, "operating system and its version" => system.and_then(|_| System::long_os_version().ok());
    "kernel": Text, "kernel version" => system.and_then(|_| System::kernel_version().ok());
    "arch": Text, "CPU architecture" => System::cpu_arch();
    "version": Text, "the version of what runs there, as the node says" => node.version.as_str();
    "booted_at": Timestamp, "when the host booted" => boot.map(|boot| boot as i64 * 1_000_000);
    "uptime_s": UInt64, "seconds since the host booted" => system.and_then(|_| System::uptime().ok()).and_then(known);
    "started_at": Timestamp, "when the publisher started" => now.started_at_us;
    "processes": UInt64, "processes on the host; Linux only" => system.and_then(|_| super::linux::processes());
    "cpu_limit": Float64, "cores that the process's control group may use; NULL: all" => bounds.cpus.map(|cpus| round(cpus.limit));
    "memory_limit": UInt64, "bytes that it may use; NULL: all" => bounds.memory.map(|memory| memory.limit);
    "pids_limit": UInt64, "processes and threads that it may have; NULL: as the host" => bounds.pids;
}

/// What a row is made of.
struct Now<'a> {
    measures: Measures<'a>,
    /// Since the row before.
    seconds: f64,
    started_at_us: i64,
}

/// What was measured; none of what cannot be.
#[derive(Default)]
struct Measures<'a> {
    cpu: Option<f64>,
    iowait: Option<f64>,
    memory: Option<Filled>,
    swap: Option<Filled>,
    disk: Option<Space>,
    traffic: Option<Bytes>,
    load: Option<sysinfo::LoadAvg>,
    system: Option<&'a System>,
    bounds: cgroup::Bounds,
}

/// Bytes, and how many of them are used.
#[derive(Debug, Clone, Copy)]
struct Filled {
    total: u64,
    used: u64,
}

/// Reads this host's `node_info`. Rates are since the last reading.
#[derive(Debug)]
pub(super) struct HostCollector {
    // None where the platform does not tell.
    system: Option<System>,
    networks: Option<Networks>,
    traffic: Option<Traffic>,
    cpus: Option<CpuBound>,
    io_wait: IoWait,
    refreshed: Instant,
}

impl HostCollector {
    /// A collector whose rates start now.
    pub(super) fn new() -> Self {
        let mut system = System::new().ok();
        system.iter_mut().for_each(System::refresh_cpu_usage);
        Self {
            system,
            networks: Networks::new_with_refreshed_list().ok(),
            traffic: network::read(),
            cpus: cgroup::read().cpus,
            io_wait: IoWait::new(),
            refreshed: Instant::now(),
        }
    }

    /// `node_info` of this host under the name of `node`, by what bounds this process unless it is that of the whole host.
    ///
    /// The first reading comes no sooner than a fifth of a second after [`HostCollector::new`]: in less, the share of busy CPU
    /// time is noise.
    pub(super) fn read(
        &mut self,
        node: &NodeDescription,
        started_at_us: i64,
        whole: bool,
        spaces: &[MountSpace],
    ) -> Row {
        std::thread::sleep(MINIMUM_CPU_UPDATE_INTERVAL.saturating_sub(self.refreshed.elapsed()));
        if let Some(system) = &mut self.system {
            system.refresh_cpu_usage();
            system.refresh_memory_specifics(MemoryRefreshKind::everything());
        }
        if let Some(networks) = &mut self.networks {
            networks.refresh(true);
        }
        let seconds = self.refreshed.elapsed().as_secs_f64();
        self.refreshed = Instant::now();
        let measures = self.measures(seconds, whole, spaces);
        row(&Now { measures, seconds, started_at_us }, node)
    }

    fn measures(&mut self, seconds: f64, whole: bool, spaces: &[MountSpace]) -> Measures<'_> {
        let bounds = cgroup::read();
        let traffic = network::read();
        let traffic_before = std::mem::replace(&mut self.traffic, traffic);
        let cpus_before = std::mem::replace(&mut self.cpus, bounds.cpus);
        let bytes = self.traffic.as_ref().zip(traffic_before).map(|(now, before)| now.since(&before));
        let iowait = self.io_wait.percent();
        let system = self.system.as_ref();
        let host_cpu = system.filter(|system| !system.cpus().is_empty() && super::linux::tells_cpu());
        let host_cpu = host_cpu.map(|system| f64::from(system.global_cpu_usage()));
        // sysinfo says 0 for a total that it cannot read.
        let known = system.filter(|system| system.total_memory() > 0);
        let host_memory = known.map(|system| Filled { total: system.total_memory(), used: system.used_memory() });
        let cores = system.map_or(0, |system| system.cpus().len()) as f64;
        let cpu = match bounds.cpus.filter(|now| !whole && now.limit < cores && now.used_us.is_some()) {
            Some(now) => cpus_before.and_then(|before| busy(now, before, seconds)),
            None => host_cpu,
        };
        let own_memory =
            bounds.memory.filter(|bound| !whole && host_memory.is_none_or(|host| bound.limit < host.total));
        let own_memory = own_memory.map(|bound| Filled { total: bound.limit, used: bound.used });
        let disks = spaces.iter().filter_map(|space| Some((&space.mount, space.space?)));
        Measures {
            cpu,
            iowait,
            memory: own_memory.or(host_memory),
            swap: known.map(|system| Filled { total: system.total_swap(), used: system.used_swap() }),
            disk: mounts::total(disks),
            traffic: bytes,
            load: load_average(),
            system,
            bounds,
        }
    }

    /// The CPUs and the memory as of the last reading; none where the platform does not tell.
    pub(super) fn system(&self) -> Option<&System> {
        self.system.as_ref()
    }

    /// The network devices as of the last reading.
    pub(super) fn networks(&self) -> Option<&Networks> {
        self.networks.as_ref()
    }
}

/// What is known of a host that nobody can read: who it is.
pub(super) fn unread(node: &NodeDescription, started_at_us: i64) -> Row {
    row(&Now { measures: Measures::default(), seconds: 0.0, started_at_us }, node)
}

/// The percent of the CPU time that a group may have used in these seconds. It may have saved some, and be above its limit for a
/// moment.
fn busy(now: CpuBound, before: CpuBound, seconds: f64) -> Option<f64> {
    let used_s = now.used_us?.saturating_sub(before.used_us?) as f64 / 1e6;
    (seconds > 0.0 && now.limit > 0.0).then(|| (100.0 * used_s / (now.limit * seconds)).min(100.0))
}

/// sysinfo says zeros on Windows, where there is no such thing.
pub(super) fn load_average() -> Option<sysinfo::LoadAvg> {
    System::load_average().ok().filter(|_| cfg!(unix) && super::linux::tells_load())
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| round(100.0 * part as f64 / whole as f64))
}

/// Two digits are more than any of these measures is worth.
fn round(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use unum_proto::model::{NodeKey, Value};

    use super::*;

    fn node() -> NodeDescription {
        NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap())
    }

    fn value(row: &Row, column: &str) -> Value {
        row[COLUMNS.iter().position(|(name, ..)| *name == column).unwrap()].clone()
    }

    #[test]
    fn this_host_is_measured() {
        let row = HostCollector::new().read(&node(), 7, true, &[]);
        for column in ["cpu", "memory"] {
            let Value::Float64(percent) = value(&row, column) else { panic!("{column} of {row:?}") };
            assert!((0.0..=100.0).contains(&percent), "{column} is {percent}");
        }
        assert_eq!(value(&row, "disk"), Value::Null, "no disk was asked");
        assert_eq!(value(&row, "started_at"), Value::Timestamp(7));
    }

    #[test]
    fn of_a_host_that_cannot_be_read_there_is_its_name_and_no_zero() {
        let row = unread(&node(), 7);
        let known = COLUMNS.iter().zip(&row).filter(|(_, value)| **value != Value::Null).map(|((name, ..), _)| *name);
        assert_eq!(known.collect::<Vec<_>>(), ["node_type", "ip", "id", "arch", "version", "started_at"]);
    }

    #[test]
    fn a_group_is_as_busy_as_the_part_of_its_own_time() {
        let bound = |used_us| CpuBound { limit: 0.5, used_us: Some(used_us) };
        assert_eq!(busy(bound(250_000), bound(0), 1.0), Some(50.0));
        assert_eq!(busy(bound(900_000), bound(0), 1.0), Some(100.0));
        assert_eq!(busy(bound(1), bound(0), 0.0), None);
    }
}
