//! `hardware`: what the host is made of, under TiDB's names.
//!
//! The table goes out when it changes, so what moves by itself is held still here: the CPU's frequency is its highest,
//! or the one at the start, and a disk's `free` and `used` are those of the moment when `used-percent`, in whole
//! percents, last changed. Table `load` has the space as it is now.

use std::collections::HashMap;

use sysinfo::{CpuRefreshKind, Disk, System};
use unum_proto::model::{DataType, Row};

use super::{Bounds, DEVICES_MAX, Items, PublishedTable, share};
use crate::collect::HostCollector;
use crate::collect::{files, proc};

pub(in crate::collect) const TABLE: PublishedTable = PublishedTable {
    name: "hardware",
    comment: "what the host is made of: CPU, memory, disks, network devices, board",
    columns: &[
        ("device_type", DataType::Text, "cpu, memory, disk, net, block, product, board, chassis or bios"),
        ("device_name", DataType::Text, "which of that type: cpu, sda1, eth0 …"),
        ("name", DataType::Text, "which property"),
        ("value", DataType::Text, "the property; sizes in bytes, percents as shares of 1"),
    ],
};

/// Reads the rows; remembers what is held still.
#[derive(Debug)]
pub(in crate::collect) struct Reader {
    cpu: Vec<(String, Option<String>)>,
    usage: HashMap<String, Usage>,
    bounds: Bounds,
}

/// The space of a disk when its `used-percent` last changed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Usage {
    total: u64,
    free: u64,
}

impl Usage {
    fn used(&self) -> u64 {
        self.total.saturating_sub(self.free)
    }

    fn used_percent(&self) -> Option<String> {
        share(self.used(), self.total)
    }
}

impl Reader {
    pub(in crate::collect) fn new() -> Self {
        Self { cpu: cpu(), usage: HashMap::new(), bounds: Bounds::default() }
    }

    /// The rows as of the host's last refresh, in an order that is always the same.
    pub(in crate::collect) fn read(&mut self, host: &HostCollector) -> Vec<Row> {
        let mut items = Items(Vec::new());
        for (name, value) in &self.cpu {
            items.add("cpu", "cpu", name, value.clone());
        }
        let memory = host.system().map(System::total_memory).filter(|bytes| *bytes > 0);
        items.add("memory", "memory", "capacity", memory.map(|bytes| bytes.to_string()));
        self.disks(host, &mut items);
        self.net(host, &mut items);
        self.block_devices(&mut items);
        firmware(&mut items);
        items.0
    }

    fn disks(&mut self, host: &HostCollector, items: &mut Items) {
        let mut disks = disks(host);
        self.bounds.hold("disks in table hardware", &mut disks, DEVICES_MAX);
        let mounts = proc::parse_mounts(&files::text("/proc/mounts").unwrap_or_default());
        // What is not mounted any more is forgotten.
        let mut before = std::mem::take(&mut self.usage);
        for (name, disk) in disks {
            let path = disk.mount_point().to_string_lossy().into_owned();
            let usage = Usage { total: disk.total_space(), free: disk.available_space() };
            let usage = steady(before.remove(&name), usage);
            let add = &mut |key: &str, value: Option<String>| items.add("disk", &name, key, value);
            add("fstype", Some(disk.file_system().to_string_lossy().into_owned()));
            add("opts", mounts.get(&path).cloned());
            add("path", Some(path));
            add("total", Some(usage.total.to_string()));
            add("free", Some(usage.free.to_string()));
            add("used", Some(usage.used().to_string()));
            add("free-percent", share(usage.free, usage.total));
            add("used-percent", usage.used_percent());
            self.usage.insert(name, usage);
        }
    }

    fn net(&mut self, host: &HostCollector, items: &mut Items) {
        let mut devices: Vec<_> = host.networks().into_iter().flat_map(|networks| networks.iter()).collect();
        devices.sort_by_key(|(name, _)| *name);
        self.bounds.hold("network devices in table hardware", &mut devices, DEVICES_MAX);
        for (name, device) in devices {
            let name = &*name.to_string_lossy();
            items.add("net", name, "mac", device.mac_address().to_string());
            let flags = files::text(format!("/sys/class/net/{name}/flags"));
            for (flag, set) in flags.as_deref().and_then(proc::parse_net_flags).into_iter().flatten() {
                items.add("net", name, flag, set.to_string());
            }
            let mut addresses: Vec<_> = device.ip_networks().iter().map(|n| (n.addr, n.prefix)).collect();
            addresses.sort();
            let addresses: Vec<_> = addresses.iter().map(|(addr, prefix)| format!("{addr}/{prefix}")).collect();
            items.add("net", name, "addresses", addresses.join(","));
        }
    }

    fn block_devices(&mut self, items: &mut Items) {
        let size = |name: &str| files::trimmed(format!("/sys/block/{name}/size"))?.parse::<u64>().ok();
        let mut devices: Vec<_> = files::names("/sys/block")
            .into_iter()
            // A loop device without a file behind it is nothing.
            .filter_map(|name| size(&name).filter(|sectors| *sectors > 0).map(|sectors| (name, sectors)))
            .collect();
        self.bounds.hold("block devices in table hardware", &mut devices, DEVICES_MAX);
        for (name, sectors) in devices {
            let file = |path: &str| files::trimmed(format!("/sys/block/{name}/{path}"));
            items.add("block", &name, "model", file("device/model"));
            items.add("block", &name, "vendor", file("device/vendor"));
            items.add("block", &name, "size", sectors.saturating_mul(proc::SECTOR_BYTES).to_string());
            let rotational = file("queue/rotational").map(|flag| (flag == "1").to_string());
            items.add("block", &name, "rotational", rotational);
        }
    }
}

/// The earlier usage for as long as it says the same percent of the same total.
fn steady(before: Option<Usage>, now: Usage) -> Usage {
    let same = |before: &Usage| before.total == now.total && before.used_percent() == now.used_percent();
    before.filter(same).unwrap_or(now)
}

/// The disks that have space, by their device's name without `/dev/`, sorted. A device that is mounted several times
/// counts once, where its path is shortest.
pub(super) fn disks(host: &HostCollector) -> Vec<(String, &Disk)> {
    let disks = host.disks().into_iter().flat_map(|disks| disks.iter()).filter(|disk| disk.total_space() > 0);
    let name = |disk: &Disk| {
        let name = disk.name().to_string_lossy();
        name.strip_prefix("/dev/").unwrap_or(&name).to_owned()
    };
    let mut disks: Vec<_> = disks.map(|disk| (name(disk), disk)).collect();
    disks.sort_by_key(|(name, disk)| (name.clone(), disk.mount_point().as_os_str().len(), disk.mount_point()));
    disks.dedup_by(|(name, _), (earlier, _)| name == earlier);
    disks
}

fn cpu() -> Vec<(String, Option<String>)> {
    let mut system = System::new().ok();
    system.iter_mut().for_each(|system| system.refresh_cpu_list(CpuRefreshKind::nothing().with_frequency()));
    let cpus = system.as_ref().map(System::cpus).unwrap_or_default();
    let first = cpus.first();
    let known = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let caches = caches();
    let mut rows = vec![
        ("cpu-arch".to_owned(), Some(System::cpu_arch())),
        ("cpu-logical-cores".to_owned(), (!cpus.is_empty()).then(|| cpus.len().to_string())),
        ("cpu-physical-cores".to_owned(), System::physical_core_count().ok().map(|cores| cores.to_string())),
        (
            "cpu-frequency".to_owned(),
            frequency_max().or(first.map(|cpu| cpu.frequency()).filter(|mhz| *mhz > 0)).map(|mhz| format!("{mhz}MHz")),
        ),
        ("model".to_owned(), first.and_then(|cpu| known(cpu.brand()))),
        ("vendor".to_owned(), first.and_then(|cpu| known(cpu.vendor_id()))),
        ("cache".to_owned(), caches.last().map(|(_, size)| size.clone())),
    ];
    rows.extend(caches.into_iter().map(|(name, size)| (name, Some(size))));
    rows
}

/// The highest frequency in MHz: the current one changes all the time.
fn frequency_max() -> Option<u64> {
    let khz: u64 = files::trimmed("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq")?.parse().ok()?;
    Some(khz / 1000)
}

/// The first core's caches, from the fastest to the largest: `cache-l1-data` and `32K`, as the kernel writes it.
fn caches() -> Vec<(String, String)> {
    let dir = "/sys/devices/system/cpu/cpu0/cache";
    let cache = |index: String| {
        let file = |name: &str| files::trimmed(format!("{dir}/{index}/{name}"));
        let name = format!("cache-l{}-{}", file("level")?, file("type")?.to_lowercase());
        Some((name, file("size")?))
    };
    files::names(dir).into_iter().filter(|name| name.starts_with("index")).filter_map(cache).collect()
}

/// What the firmware says of the machine. Serial numbers are for root only: to anyone else they are NULL.
fn firmware(items: &mut Items) {
    let dir = "/sys/class/dmi/id";
    if files::names(dir).is_empty() {
        return;
    }
    for (kind, name, file) in [
        ("product", "vendor", "sys_vendor"),
        ("product", "name", "product_name"),
        ("product", "family", "product_family"),
        ("product", "version", "product_version"),
        ("product", "serial", "product_serial"),
        ("product", "uuid", "product_uuid"),
        ("board", "vendor", "board_vendor"),
        ("board", "name", "board_name"),
        ("board", "version", "board_version"),
        ("board", "serial", "board_serial"),
        ("chassis", "vendor", "chassis_vendor"),
        ("chassis", "asset-tag", "chassis_asset_tag"),
        ("bios", "vendor", "bios_vendor"),
        ("bios", "version", "bios_version"),
        ("bios", "date", "bios_date"),
    ] {
        items.add(kind, kind, name, files::trimmed(format!("{dir}/{file}")));
    }
}

#[cfg(test)]
mod tests {
    use super::super::texts;
    use super::*;

    #[test]
    fn every_row_is_of_a_documented_kind_and_no_property_is_there_twice() {
        let rows = Reader::new().read(&HostCollector::new());
        let mut seen = std::collections::HashSet::new();
        for [kind, device, name, value] in texts(&rows) {
            assert!(TABLE.columns[0].2.contains(kind), "{kind} {device} {name} {value}");
            assert!(seen.insert([kind, device, name]), "{kind} {device} {name} {value}");
        }
    }

    #[test]
    fn a_disk_changes_with_its_percent_and_its_size_only() {
        let usage = |total, free| Usage { total, free };
        for (before, now, steady_free) in [
            (None, usage(1000, 500), 500),
            (Some(usage(1000, 501)), usage(1000, 500), 501),
            (Some(usage(1000, 520)), usage(1000, 500), 500),
            (Some(usage(2000, 1001)), usage(1000, 500), 500),
            (Some(usage(1000, 501)), usage(0, 0), 0),
        ] {
            assert_eq!(steady(before.clone(), now.clone()).free, steady_free, "{before:?} {now:?}");
        }
    }
}
