//! Which mounts of this host have space of their own, from `/proc/self/mountinfo`: pure, a line that is not as expected is
//! left out.
//!
//! A device is there once, however often it is mounted or bound: its root counts before a part of it, then the shorter path.
//! What holds nothing of its own is left out: kernel interfaces, memory, images that are read only, layers over other
//! mounts. Memory and layers would be counted where they lie.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// A mount that has space.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Mount {
    /// Where.
    pub(super) path: PathBuf,
    /// The device's name: `sda1`, `mapper/data`, `filer:/export`. No other mount has it.
    pub(super) name: String,
    /// ext4, xfs, nfs4 …
    pub(super) file_system: String,
    /// The options of the mount.
    pub(super) options: String,
    /// Major and minor number, as whoever looks at the path must find it; none where file systems show others there.
    pub(super) device: Option<(u32, u32)>,
    /// Whether its space is the host's: a disk, and no image, network or program.
    pub(super) is_disk: bool,
    /// With whom it has its free space together: the data sets of one pool.
    pub(super) pool: Option<String>,
}

/// What a mount has, in bytes, as `df` counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Space {
    /// All of it.
    pub(super) total: u64,
    /// What is in use.
    pub(super) used: u64,
    /// What anybody may still write: without what is reserved for root.
    pub(super) available: u64,
}

impl Space {
    /// What used and available are parts of.
    pub(super) fn usable(&self) -> u64 {
        self.used.saturating_add(self.available)
    }
}

/// File systems that have no space of their own, or none that changes. One under `autofs` would be mounted by a look.
const WITHOUT_SPACE: [&str; 35] = [
    "autofs",
    "bdev",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "cpuset",
    "cramfs",
    "debugfs",
    "devfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "erofs",
    "fuse.lxcfs",
    "fuse.portal",
    "fusectl",
    "hugetlbfs",
    "iso9660",
    "mqueue",
    "nsfs",
    "overlay",
    "proc",
    "pstore",
    "ramfs",
    "rootfs",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "squashfs",
    "sysfs",
    "tmpfs",
    "tracefs",
    "udf",
];

/// File systems on disks that the kernel numbers as if they were on none.
const DISKS_WITHOUT_NUMBER: [&str; 5] = ["bcachefs", "btrfs", "jffs2", "ubifs", "zfs"];

/// The major number of what is on no block device.
const NO_DEVICE: u32 = 0;
/// The major number of loop devices: files as disks, counted where the files lie.
const LOOP: u32 = 7;

struct Line {
    device: (u32, u32),
    root: OsString,
    path: OsString,
    options: String,
    file_system: String,
    source: String,
}

/// The mounts that have space, by name.
pub(super) fn parse(text: &[u8]) -> Vec<Mount> {
    // The last mount on a point is the one that is seen there.
    let mut seen: HashMap<OsString, Line> = HashMap::new();
    for line in text.split(|byte| *byte == b'\n').filter_map(parse_line) {
        seen.insert(line.path.clone(), line);
    }
    let mut lines: Vec<Line> = seen.into_values().filter(has_space).collect();
    lines.sort_by(|a, b| {
        let by = |line: &Line| (line.root != "/", line.path.len(), line.path.clone());
        by(a).cmp(&by(b))
    });
    let mut by_device = BTreeMap::new();
    for line in lines {
        by_device.entry(space_of(&line)).or_insert(line);
    }
    let mut named: BTreeMap<String, Mount> = BTreeMap::new();
    for line in by_device.into_values() {
        let is_disk = is_disk(&line);
        let name = line.source.strip_prefix("/dev/").unwrap_or(&line.source).to_owned();
        let path = line.path.to_string_lossy().into_owned();
        // Programs call their mounts what they like.
        let name = if name.is_empty() || name == "none" || named.contains_key(&name) { path } else { name };
        let device = (!DISKS_WITHOUT_NUMBER.contains(&line.file_system.as_str())).then_some(line.device);
        let Line { path, options, file_system, source, .. } = line;
        let pool = (file_system == "zfs").then(|| source.split('/').next().unwrap_or_default().to_owned());
        named.insert(name.clone(), Mount { path: path.into(), name, file_system, options, device, is_disk, pool });
    }
    named.into_values().collect()
}

/// `36 35 98:0 /mnt1 /mnt/parent rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the fields before the hyphen are
/// six and any number of tags, those behind it three.
fn parse_line(line: &[u8]) -> Option<Line> {
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let hyphen = 6 + words.get(6..)?.iter().position(|word| *word == b"-")?;
    let text = |word: &[u8]| String::from_utf8_lossy(&unescaped(word)).into_owned();
    let (major, minor) = std::str::from_utf8(words[2]).ok()?.split_once(':')?;
    Some(Line {
        device: (major.parse().ok()?, minor.parse().ok()?),
        root: os(unescaped(words[3])),
        path: os(unescaped(words[4])),
        options: text(words[5]),
        file_system: text(words.get(hyphen + 1)?),
        source: text(words.get(hyphen + 2)?),
    })
}

/// The kernel writes a blank in a name as `\040`.
fn unescaped(word: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, behind)) = rest.split_first() {
        let octal = behind.get(..3).filter(|_| *first == b'\\');
        let code = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        plain.push(code.unwrap_or(*first));
        rest = if code.is_some() { &behind[3..] } else { behind };
    }
    plain
}

#[cfg(unix)]
fn os(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

fn has_space(line: &Line) -> bool {
    !WITHOUT_SPACE.contains(&line.file_system.as_str())
}

fn is_disk(line: &Line) -> bool {
    let (major, _) = line.device;
    (major != NO_DEVICE && major != LOOP) || DISKS_WITHOUT_NUMBER.contains(&line.file_system.as_str())
}

/// What has one space: a device; the subvolumes of a btrfs have that of theirs together.
fn space_of(line: &Line) -> (String, u32, u32) {
    let (major, minor) = line.device;
    match line.file_system.as_str() {
        name if DISKS_WITHOUT_NUMBER.contains(&name) => (line.source.clone(), 0, 0),
        _ => (String::new(), major, minor),
    }
}

/// The space of all disks together: none if there is none.
pub(super) fn total<'a>(disks: impl IntoIterator<Item = (&'a Mount, Space)>) -> Option<Space> {
    let (mut all, mut pools) = (None::<Space>, HashMap::new());
    for (mount, space) in disks.into_iter().filter(|(mount, _)| mount.is_disk) {
        let all = all.get_or_insert(Space { total: 0, used: 0, available: 0 });
        all.used = all.used.saturating_add(space.used);
        match &mount.pool {
            // What is free is free for each of them, once.
            Some(pool) => {
                let free = pools.entry(pool).or_insert(0);
                all.total = all.total.saturating_add(space.used);
                *free = space.available.max(*free);
            }
            None => {
                all.total = all.total.saturating_add(space.total);
                all.available = all.available.saturating_add(space.available);
            }
        }
    }
    let mut all = all?;
    for free in pools.into_values() {
        all.total = all.total.saturating_add(free);
        all.available = all.available.saturating_add(free);
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, String, bool)> {
        let shown = |mount: Mount| (mount.name, mount.path.to_string_lossy().into_owned(), mount.is_disk);
        parse(text.as_bytes()).into_iter().map(shown).collect()
    }

    fn mount(name: &str, path: &str, is_disk: bool) -> (String, String, bool) {
        (name.into(), path.into(), is_disk)
    }

    #[test]
    fn a_device_is_there_once_and_what_has_no_space_is_not() {
        let text = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
28 27 254:0 /srv/a /bound rw master:2 propagate_from:1 - ext4 /dev/vda rw
29 27 254:0 /etc/hosts /c/etc/hosts rw - ext4 /dev/vda rw
30 27 7:3 / /snap/x ro - squashfs /dev/loop3 ro
31 27 7:4 / /image rw - ext4 /dev/loop4 rw
32 27 0:40 / /lower rw - overlay overlay rw,lowerdir=/a
33 27 0:41 / /tmp rw - tmpfs tmpfs rw
34 27 0:42 / /mnt/n rw - nfs4 filer:/export rw
35 27 0:43 / /mnt/f rw - fuse.sshfs me@host: rw
36 27 0:50 /@ /b rw - btrfs /dev/sdb1 rw
37 27 0:51 /@home /b/home rw - btrfs /dev/sdb1 rw
38 27 0:60 / /tank rw - zfs tank rw
39 27 0:61 / /tank/a rw - zfs tank/a rw
40 27 8:33 / /old rw - xfs /dev/sdc1 rw
41 40 8:49 / /old rw - xfs /dev/sdd1 rw
42 27 0:70 / /auto rw - autofs systemd-1 rw
odd
";
        let expected = [
            mount("filer:/export", "/mnt/n", false),
            mount("loop4", "/image", false),
            mount("me@host:", "/mnt/f", false),
            mount("sdb1", "/b", true),
            mount("sdd1", "/old", true),
            mount("tank", "/tank", true),
            mount("tank/a", "/tank/a", true),
            mount("vda", "/", true),
        ];
        assert_eq!(names(text), expected);
    }

    /// Of a container: its root is a layer, and the host's disk is only seen through what is bound.
    #[test]
    fn a_part_of_a_device_stands_for_it_where_nothing_else_does() {
        let text = "1 0 0:30 / / rw - overlay overlay rw\n2 1 8:1 /docker/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n\
                    3 1 8:1 /docker/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n";
        assert_eq!(names(text), [mount("sda1", "/etc/hosts", true)]);
    }

    #[test]
    fn disks_are_counted_together_and_a_pool_has_its_free_space_once() {
        let text = "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:9 / /n rw - nfs4 f:/ rw\n\
                    3 1 0:60 / /tank rw - zfs tank rw\n4 1 0:61 / /tank/a rw - zfs tank/a rw\n";
        let mounts = parse(text.as_bytes());
        let space = |mount: &Mount| match mount.name.as_str() {
            "sda1" => Space { total: 100, used: 60, available: 30 },
            "tank" => Space { total: 1001, used: 1, available: 1000 },
            "tank/a" => Space { total: 1500, used: 500, available: 1000 },
            _ => Space { total: 7, used: 7, available: 7 },
        };
        let all = total(mounts.iter().map(|mount| (mount, space(mount))));
        assert_eq!(all, Some(Space { total: 1601, used: 561, available: 1030 }));
        assert_eq!(total(mounts.iter().filter(|mount| !mount.is_disk).map(|mount| (mount, space(mount)))), None);
    }

    #[test]
    fn an_odd_mount_costs_only_itself() {
        let mut text =
            b"1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 8:2 / /a\\040b\\134\\012c rw - ext4 /dev/sdb rw\n".to_vec();
        text.extend_from_slice(b"3 1 0:77 / /x\xff rw - fuse none rw\n4 1 0:78 / /y rw - fuse same rw\n");
        text.extend_from_slice(b"5 1 0:79 / /z rw - fuse same rw\n6 1 0:80 / rw - fuse\n7 1 x:1 / /w rw - ext4 a rw\n");
        let mounts = parse(&text);
        let names: Vec<_> = mounts.iter().map(|mount| mount.name.as_str()).collect();
        assert_eq!(names, ["/x\u{fffd}", "/z", "same", "sda1", "sdb"]);
        assert_eq!(mounts[4].path, PathBuf::from("/a b\\\nc"));
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt;
            assert_eq!(mounts[0].path.as_os_str().as_bytes(), b"/x\xff");
        }
    }
}
