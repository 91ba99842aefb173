//! `systeminfo`: how the host's system is set up, under TiDB's names: every kernel parameter, and what the system says
//! of itself.
//!
//! The table goes out when it changes, so parameters that are no settings but measures are left out; so are secrets.

use std::path::{Path, PathBuf};

use sysinfo::System;
use unum_proto::model::{DataType, Row};

use super::{Bounds, Items, PublishedTable};
use crate::collect::files;

pub(in crate::collect) const TABLE: PublishedTable = PublishedTable {
    name: "systeminfo",
    comment: "how the host's system is set up: kernel parameters, operating system, time zone",
    columns: &[
        ("system_type", DataType::Text, "always system"),
        ("system_name", DataType::Text, "sysctl, kernel or os"),
        ("name", DataType::Text, "which parameter, sysctl's in dotted form"),
        ("value", DataType::Text, "its value"),
    ],
};

/// Kernel parameters that are published. A host has 1,300, and 80 more for each network device, which come last.
const SYSCTLS_MAX: usize = 4000;

/// Bytes of all published parameters and their values: with the rest of the table they fit one push.
const SYSCTL_BYTES_MAX: usize = 256 * 1024;

/// Bytes of one value. What is longer is a report, no setting.
const SYSCTL_VALUE_BYTES_MAX: usize = 512;

/// Files that are looked at in `/proc/sys`, network devices of a thousand containers included.
const SYSCTL_FILES_MAX: usize = 100_000;

/// Parameters that are not published, by how they start; a directory ends in a dot.
const SKIPPED: [&str; 15] = [
    // Counters and gauges: they change without anyone changing them.
    "fs.aio-nr",
    "fs.dentry-state",
    "fs.file-nr",
    "fs.inode-nr",
    "fs.inode-state",
    "fs.quota.",
    "kernel.hung_task_detect_count",
    "kernel.ns_last_pid",
    "kernel.pty.nr",
    // New at each read.
    "kernel.random.",
    // A look makes the kernel do work, or mount a file system.
    "vm.stat_refresh",
    "fs.binfmt_misc.",
    // Secrets: whoever knows them can forge cookies, flood a hash table or tell a host's next address.
    "net.ipv4.tcp_fastopen_key",
    "net.ipv6.tcp_fastopen_key",
    "net.core.netdev_rss_key",
];

/// The same by how they end, as one is there for each network device.
const SKIPPED_ENDS: [&str; 2] = ["nf_conntrack_count", ".stable_secret"];

/// Where a network device has parameters of its own, all alike.
const PER_DEVICE: [&str; 4] = ["net.ipv4.conf.", "net.ipv4.neigh.", "net.ipv6.conf.", "net.ipv6.neigh."];

/// Reads the rows.
#[derive(Debug, Default)]
pub(in crate::collect) struct Reader {
    pub(in crate::collect) bounds: Bounds,
}

impl Reader {
    pub(in crate::collect) fn read(&mut self) -> Vec<Row> {
        let mut items = Items(Vec::new());
        for (name, value) in [
            ("name", System::name().ok()),
            ("version", System::os_version().ok()),
            ("kernel", System::kernel_version().ok()),
            ("hostname", System::host_name().ok()),
            ("arch", Some(System::cpu_arch())),
            ("timezone", timezone()),
            ("machine-id", files::trimmed("/etc/machine-id")),
        ] {
            items.add("system", "os", name, value);
        }
        // All choices, the one in force in brackets: so TiDB shows it.
        let huge_pages = files::trimmed("/sys/kernel/mm/transparent_hugepage/enabled");
        items.add("system", "kernel", "transparent_hugepage_enabled", huge_pages);
        for (key, value) in self.sysctls() {
            items.add("system", "sysctl", &key, value);
        }
        items.0
    }

    /// The kernel parameters that can be read and fit the bounds.
    fn sysctls(&mut self) -> Vec<(String, String)> {
        let mut paths = sysctl_paths(Path::new("/proc/sys"));
        self.bounds.hold("kernel parameters", &mut paths, SYSCTLS_MAX);
        let mut sysctls: Vec<_> = paths.into_iter().filter_map(|(key, path)| Some((key, sysctl(&path)?))).collect();
        let fitting = fitting(&sysctls);
        self.bounds.hold("bytes of kernel parameters", &mut sysctls, fitting);
        sysctls
    }
}

/// Keys and files, sorted; those of single network devices last, as the first to be left out.
fn sysctl_paths(root: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    let mut dirs = vec![(String::new(), root.to_owned())];
    while let Some((prefix, dir)) = dirs.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let (Ok(name), Ok(kind)) = (entry.file_name().into_string(), entry.file_type()) else { continue };
            // A network device may have a dot in its name: sysctl writes it so.
            let key = format!("{prefix}{}", name.replace('.', "/"));
            if kind.is_dir() && !is_skipped(&format!("{key}.")) {
                dirs.push((format!("{key}."), entry.path()));
            } else if kind.is_file() && !is_skipped(&key) && found.len() < SYSCTL_FILES_MAX {
                found.push((key, entry.path()));
            }
        }
    }
    found.sort_by_cached_key(|(key, _)| (is_per_device(key), key.clone()));
    found
}

fn is_skipped(key: &str) -> bool {
    SKIPPED.iter().any(|start| key.starts_with(start)) || SKIPPED_ENDS.iter().any(|end| key.ends_with(end))
}

fn is_per_device(key: &str) -> bool {
    let device = PER_DEVICE.iter().find_map(|start| key.strip_prefix(start));
    device.is_some_and(|device| !device.starts_with("all.") && !device.starts_with("default."))
}

/// A parameter's value. Several in one are parted by tabs, which a terminal shows as anything.
fn sysctl(path: &Path) -> Option<String> {
    let text = files::text(path)?;
    (text.len() <= SYSCTL_VALUE_BYTES_MAX).then(|| text.trim().replace('\t', " "))
}

/// How many of the parameters have no more bytes than may be published.
fn fitting(sysctls: &[(String, String)]) -> usize {
    let sizes = sysctls.iter().map(|(key, value)| key.len() + value.len());
    let mut bytes = 0;
    sizes
        .take_while(|size| {
            bytes += size;
            bytes <= SYSCTL_BYTES_MAX
        })
        .count()
}

/// `Europe/Berlin`, from the link that sets the time zone or the file that names it.
fn timezone() -> Option<String> {
    let link = std::fs::read_link("/etc/localtime").ok();
    let linked = link.and_then(|path| Some(path.to_str()?.split_once("zoneinfo/")?.1.to_owned()));
    linked.or_else(|| files::trimmed("/etc/timezone"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_and_secrets_are_left_out_and_single_devices_come_last() {
        for (key, skipped, per_device) in [
            ("vm.swappiness", false, false),
            ("kernel.random.uuid", true, false),
            ("fs.file-nr", true, false),
            ("fs.file-max", false, false),
            ("net.netfilter.nf_conntrack_count", true, false),
            ("net.netfilter.nf_conntrack_max", false, false),
            ("net.ipv6.conf.eth0.stable_secret", true, true),
            ("net.ipv4.conf.all.forwarding", false, false),
            ("net.ipv4.conf.eth0/7.forwarding", false, true),
            ("net.ipv4.neigh.default.gc_interval", false, false),
        ] {
            assert_eq!((is_skipped(key), is_per_device(key)), (skipped, per_device), "{key}");
        }
    }

    #[test]
    fn parameters_are_cut_where_their_bytes_are_too_many() {
        let sysctl = (String::from("k"), "x".repeat(SYSCTL_BYTES_MAX / 2 - 1));
        assert_eq!(fitting(&[sysctl.clone(), sysctl.clone(), sysctl.clone()]), 2);
        assert_eq!(fitting(&[]), 0);
    }
}
