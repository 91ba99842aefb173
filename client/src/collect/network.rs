//! The bytes that this host received and sent, each once: a packet to a container goes through its own device, a bridge and
//! the card, and only the card counts.

use std::collections::BTreeMap;

use super::files;
use super::proc::{self, NetDevice};

/// Where each network device has a directory.
const DEVICES: &str = "/sys/class/net";

/// Kinds of devices that carry what goes through another device, too.
const CARRIED: [&str; 13] = [
    "bareudp",
    "bond",
    "bridge",
    "geneve",
    "gre",
    "gretap",
    "hsr",
    "ipvlan",
    "macvlan",
    "vlan",
    "vxlan",
    "wireguard",
    "wwan",
];

/// Bytes since the devices came up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traffic(BTreeMap<String, Bytes>);

/// Bytes of one device, or of some time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Bytes {
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// What the kernel says of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nature {
    is_loopback: bool,
    /// It is a card, or what a virtual machine has as one.
    is_hardware: bool,
    /// What goes through it goes through another one, too.
    is_carried: bool,
}

/// What the devices that count have counted; none where it cannot be read.
pub(super) fn read() -> Option<Traffic> {
    let devices = proc::parse_net_dev(&files::text("/proc/net/dev")?);
    (!devices.is_empty()).then(|| Traffic(counted(devices, nature)))
}

impl Traffic {
    /// The bytes since `before`. A device that is new, or counts from 0 again, has none yet.
    pub(super) fn since(&self, before: &Self) -> Bytes {
        let both = self.0.iter().filter_map(|(name, now)| Some((now, before.0.get(name)?)));
        both.fold(Bytes::default(), |all, (now, before)| Bytes {
            received: all.received.saturating_add(now.received.saturating_sub(before.received)),
            sent: all.sent.saturating_add(now.sent.saturating_sub(before.sent)),
        })
    }
}

/// The cards, where there are any; else, as in a container, whatever carries nothing of another's.
fn counted(devices: Vec<NetDevice>, nature: impl Fn(&str) -> Nature) -> BTreeMap<String, Bytes> {
    let devices: Vec<_> = devices.into_iter().map(|device| (nature(&device.name), device)).collect();
    let has_hardware = devices.iter().any(|(nature, _)| nature.is_hardware);
    let counts = |nature: &Nature| match has_hardware {
        true => nature.is_hardware,
        false => !nature.is_loopback && !nature.is_carried,
    };
    let devices = devices.into_iter().filter(|(nature, _)| counts(nature));
    devices
        .map(|(_, device)| (device.name.clone(), Bytes { received: device.received(), sent: device.sent() }))
        .collect()
}

fn nature(name: &str) -> Nature {
    let dir = format!("{DEVICES}/{name}");
    let has = |entry: &str| std::fs::symlink_metadata(format!("{dir}/{entry}")).is_ok();
    let kind = files::text(format!("{dir}/uevent")).unwrap_or_default();
    let kind = kind.lines().find_map(|line| line.strip_prefix("DEVTYPE="));
    let flags = files::text(format!("{dir}/flags"));
    let is_loopback = flags.as_deref().and_then(proc::parse_net_flags).map_or(name == "lo", |flags| flags[3].1);
    Nature {
        is_loopback,
        is_hardware: has("device"),
        is_carried: has("bridge")
            || has("master")
            || has("tun_flags")
            || kind.is_some_and(|kind| CARRIED.contains(&kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices() -> Vec<NetDevice> {
        let line = |(at, name): (usize, &str)| {
            let (received, sent) = (10usize.pow(at as u32), 2 * 10usize.pow(at as u32));
            format!("{name}: {received} 0 0 0 0 0 0 0 {sent} 0 0 0 0 0 0 0\n")
        };
        let text: String = ["lo", "eth0", "docker0", "veth1", "eth1"].into_iter().enumerate().map(line).collect();
        proc::parse_net_dev(&text)
    }

    fn sum(traffic: &BTreeMap<String, Bytes>) -> (u64, u64) {
        traffic.values().fold((0, 0), |(received, sent), bytes| (received + bytes.received, sent + bytes.sent))
    }

    #[test]
    fn a_packet_counts_once() {
        let nature = |hardware: &'static [&'static str]| {
            move |name: &str| Nature {
                is_loopback: name == "lo",
                is_hardware: hardware.contains(&name),
                is_carried: ["docker0", "veth1"].contains(&name),
            }
        };
        // Of a host: the card. Of one with two: both. Of a container, which has none: what is its own.
        assert_eq!(sum(&counted(devices(), nature(&["eth0"]))), (10, 20));
        assert_eq!(sum(&counted(devices(), nature(&["eth0", "eth1"]))), (10_010, 20_020));
        assert_eq!(sum(&counted(devices(), nature(&[]))), (10_010, 20_020));
    }

    #[test]
    fn what_counts_from_0_again_or_is_new_has_no_rate_yet() {
        let traffic = |bytes: &[(&str, u64)]| {
            let bytes =
                bytes.iter().map(|(name, count)| ((*name).to_owned(), Bytes { received: *count, sent: *count }));
            Traffic(bytes.collect())
        };
        let before = traffic(&[("a", 100), ("b", 50)]);
        let now = traffic(&[("a", 130), ("b", 5), ("c", 1000)]);
        assert_eq!(now.since(&before), Bytes { received: 30, sent: 30 });
    }
}
