//! `hardware`: what the host is made of, under TiDB's names.
//!
//! The table goes out when it changes, so what moves by itself is held still here: the CPU's frequency is its highest,
//! or the one at the start, and a disk's `free` and `used` are those of the moment when `used-percent`, in whole
//! percents, last changed. Table `load` has the space as it is now.

use std::collections::HashMap;

use sysinfo::{CpuRefreshKind, System};
use unum_proto::model::{DataType, Row};

use super::{Bounds, DEVICES_MAX, Items, PublishedTable, share};
use crate::collect::host::HostCollector;
use crate::collect::mounts::Space;
use crate::collect::spaces::MountSpace;
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
    spaces: HashMap<String, Space>,
    pub(in crate::collect) bounds: Bounds,
}

impl Reader {
    pub(in crate::collect) fn new() -> Self {
        Self { cpu: cpu(), spaces: HashMap::new(), bounds: Bounds::default() }
    }

    /// The rows as of the host's last reading, in an order that is always the same.
    pub(in crate::collect) fn read(&mut self, host: &HostCollector, spaces: &[MountSpace]) -> Vec<Row> {
        let mut items = Items(Vec::new());
        for (name, value) in &self.cpu {
            items.add("cpu", "cpu", name, value.clone());
        }
        let memory = host.system().map(System::total_memory).filter(|bytes| *bytes > 0);
        items.add("memory", "memory", "capacity", memory.map(|bytes| bytes.to_string()));
        self.disks(spaces, &mut items);
        self.net(host, &mut items);
        self.block_devices(&mut items);
        firmware(&mut items);
        items.0
    }

    fn disks(&mut self, spaces: &[MountSpace], items: &mut Items) {
        let mut disks: Vec<&MountSpace> = spaces.iter().collect();
        self.bounds.hold("disks in table hardware", &mut disks, DEVICES_MAX);
        // What is not mounted any more is forgotten.
        let mut before = std::mem::take(&mut self.spaces);
        for MountSpace { mount, space } in disks {
            let space = space.map(|now| steady(before.remove(&mount.name), now));
            let add = &mut |key: &str, value: Option<String>| items.add("disk", &mount.name, key, value);
            add("fstype", Some(mount.file_system.clone()));
            add("opts", Some(mount.options.clone()));
            add("path", Some(mount.path.to_string_lossy().into_owned()));
            space_items(space, add);
            self.spaces.extend(space.map(|space| (mount.name.clone(), space)));
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

/// The earlier space for as long as it says the same percent of the same total.
fn steady(before: Option<Space>, now: Space) -> Space {
    let percent = |space: &Space| share(space.used, space.usable());
    before.filter(|before| before.total == now.total && percent(before) == percent(&now)).unwrap_or(now)
}

/// What is said of a disk's space, in this table and in `load`; NULL of one that does not answer.
pub(super) fn space_items(space: Option<Space>, add: &mut dyn FnMut(&str, Option<String>)) {
    let bytes = |part: fn(&Space) -> u64| space.as_ref().map(|space| part(space).to_string());
    let percent = |part: fn(&Space) -> u64| space.as_ref().and_then(|space| share(part(space), space.usable()));
    add("total", bytes(|space| space.total));
    add("free", bytes(|space| space.available));
    add("used", bytes(|space| space.used));
    add("free-percent", percent(|space| space.available));
    add("used-percent", percent(|space| space.used));
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
        (
            "cpu-physical-cores".to_owned(),
            System::physical_core_count().ok().filter(|cores| *cores > 0).map(|cores| cores.to_string()),
        ),
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
        let rows = Reader::new().read(&HostCollector::new(), &[]);
        let mut seen = std::collections::HashSet::new();
        for [kind, device, name, value] in texts(&rows) {
            assert!(TABLE.columns[0].2.contains(kind), "{kind} {device} {name} {value}");
            assert!(seen.insert([kind, device, name]), "{kind} {device} {name} {value}");
        }
    }

    #[test]
    fn a_disk_changes_with_its_percent_and_its_size_only() {
        let space = |total, available| Space { total, used: total - available, available };
        for (before, now, steady_available) in [
            (None, space(1000, 500), 500),
            (Some(space(1000, 501)), space(1000, 500), 501),
            (Some(space(1000, 520)), space(1000, 500), 500),
            (Some(space(2000, 1001)), space(1000, 500), 500),
            (Some(space(1000, 501)), space(0, 0), 0),
        ] {
            assert_eq!(steady(before, now).available, steady_available, "{before:?} {now:?}");
        }
    }

    /// Of a file system with a reserve, as df says: what only root may write is neither used nor free.
    #[test]
    fn percents_are_of_what_can_be_used() {
        let mut said = Vec::new();
        let space = Space { total: 1000, used: 600, available: 300 };
        space_items(Some(space), &mut |name, value| said.push((name.to_owned(), value.unwrap())));
        let said: Vec<_> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected =
            [("total", "1000"), ("free", "300"), ("used", "600"), ("free-percent", "0.33"), ("used-percent", "0.67")];
        assert_eq!(said, expected);
    }
}
