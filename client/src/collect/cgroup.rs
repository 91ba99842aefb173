//! What the control groups of this process allow it, of version 2 and of version 1: CPU, memory, processes.
//!
//! A limit of a group is one of all groups in it, so the narrowest on the way up counts. What the groups above the mount say, as
//! in a container, cannot be seen from here.

use std::path::{Path, PathBuf};

use super::files;

/// Where a version 2 hierarchy is mounted, or version 1's are, a directory a controller.
const MOUNTED: &str = "/sys/fs/cgroup";

/// A limit that is none: version 1 writes the largest number of pages.
const UNLIMITED_FROM: u64 = 1 << 62;

/// What bounds this process; none of what does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Bounds {
    /// CPUs.
    pub(super) cpus: Option<CpuBound>,
    /// Bytes.
    pub(super) memory: Option<MemoryBound>,
    /// Processes and threads.
    pub(super) pids: Option<u64>,
}

/// The CPU time that a group may use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct CpuBound {
    /// CPUs: 0.5 is half of the time of one.
    pub(super) limit: f64,
    /// Microseconds that the group has used; none where version 1 counts those of another group.
    pub(super) used_us: Option<u64>,
}

/// The memory that a group may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MemoryBound {
    /// Bytes.
    pub(super) limit: u64,
    /// Bytes that the group uses and that cannot be taken from it at once.
    pub(super) used: u64,
}

/// What bounds this process now.
pub(super) fn read() -> Bounds {
    let own = files::text("/proc/self/cgroup").unwrap_or_default();
    bounds(&own, Path::new(MOUNTED))
}

fn bounds(own: &str, mounted: &Path) -> Bounds {
    let cpus =
        groups(own, mounted, "cpu").iter().filter_map(|group| group.cpus()).min_by(|a, b| a.limit.total_cmp(&b.limit));
    let memory =
        groups(own, mounted, "memory").iter().filter_map(|group| group.memory()).min_by_key(|bound| bound.limit);
    let pids = groups(own, mounted, "pids").iter().filter_map(|group| group.number("pids.max")).min();
    Bounds { cpus, memory, pids }
}

/// A group's directory of one controller.
#[derive(Debug)]
struct Group {
    dir: PathBuf,
    is_v1: bool,
    /// Where version 1 counts the CPU time of the same processes.
    accounted: Option<PathBuf>,
}

/// The groups of this process for a controller, from its own up to the root that can be seen.
fn groups(own: &str, mounted: &Path, controller: &str) -> Vec<Group> {
    // `4:memory:/a/b` of version 1, `0::/a/b` of version 2.
    let line = |wanted: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let mut fields = line.splitn(3, ':').skip(1);
            fields.next().filter(|controllers| wanted(controllers)).and(fields.next())
        })
    };
    let of = |wanted: &str| line(&|controllers: &str| controllers.split(',').any(|one| one == wanted));
    let v1 = of(controller);
    let is_accounted = v1.is_some() && of("cpuacct") == v1;
    let (root, path) = match v1.or_else(|| line(&str::is_empty)) {
        Some(path) if v1.is_some() => (mounted.join(controller), path),
        Some(path) => (mounted.to_owned(), path),
        None => return Vec::new(),
    };
    let names: Vec<_> = path.split('/').filter(|name| !name.is_empty() && *name != "..").collect();
    let depths = (0..=names.len()).rev();
    let group = |depth: usize| {
        let path: PathBuf = names[..depth].iter().collect();
        let accounted = is_accounted.then(|| mounted.join("cpuacct").join(&path));
        Group { dir: root.join(&path), is_v1: v1.is_some(), accounted }
    };
    depths.map(group).collect()
}

impl Group {
    /// A number in one of its files; none where it says that there is no limit.
    fn number(&self, file: &str) -> Option<u64> {
        files::trimmed(self.dir.join(file))?.parse().ok().filter(|limit| *limit < UNLIMITED_FROM)
    }

    /// The number behind a name in one of its files.
    fn named(&self, file: &str, name: &str) -> Option<u64> {
        let text = files::text(self.dir.join(file))?;
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }

    fn cpus(&self) -> Option<CpuBound> {
        let (quota, period, used_us) = if self.is_v1 {
            let used_ns =
                self.accounted.as_ref().and_then(|dir| files::trimmed(dir.join("cpuacct.usage"))?.parse().ok());
            (self.number("cpu.cfs_quota_us")?, self.number("cpu.cfs_period_us")?, used_ns.map(|ns: u64| ns / 1000))
        } else {
            let text = files::trimmed(self.dir.join("cpu.max"))?;
            let (quota, period) = text.split_once(' ')?;
            (quota.parse().ok()?, period.parse().ok()?, self.named("cpu.stat", "usage_usec "))
        };
        (period > 0).then(|| CpuBound { limit: quota as f64 / period as f64, used_us })
    }

    fn memory(&self) -> Option<MemoryBound> {
        let [limit, usage, cache] = match self.is_v1 {
            true => ["memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "],
            false => ["memory.max", "memory.current", "inactive_file "],
        };
        let (limit, usage) = (self.number(limit)?, self.number(usage)?);
        let cache = self.named("memory.stat", cache).unwrap_or(0);
        Some(MemoryBound { limit, used: usage.saturating_sub(cache) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn the_narrowest_limit_on_the_way_up_counts() {
        let root = tree(&[
            ("a/b/memory.max", "max\n"),
            ("a/b/memory.current", "70\n"),
            ("a/b/cpu.max", "200000 100000\n"),
            ("a/b/cpu.stat", "usage_usec 5\nuser_usec 3\n"),
            ("a/b/pids.max", "100\n"),
            ("a/memory.max", "1000\n"),
            ("a/memory.current", "500\n"),
            ("a/memory.stat", "anon 400\ninactive_file 90\n"),
            ("a/cpu.max", "50000 100000\n"),
            ("a/cpu.stat", "usage_usec 9\n"),
            ("a/pids.max", "max\n"),
        ]);
        let expected = Bounds {
            cpus: Some(CpuBound { limit: 0.5, used_us: Some(9) }),
            memory: Some(MemoryBound { limit: 1000, used: 410 }),
            pids: Some(100),
        };
        assert_eq!(bounds("0::/a/b\n", root.path()), expected);
        assert_eq!(bounds("0::/\n", root.path()), Bounds::default());
        assert_eq!(bounds("odd\n", root.path()), Bounds::default());
    }

    #[test]
    fn version_1_has_a_directory_a_controller_and_a_huge_number_for_no_limit() {
        let root = tree(&[
            ("memory/x/memory.limit_in_bytes", "2048\n"),
            ("memory/x/memory.usage_in_bytes", "1024\n"),
            ("memory/x/memory.stat", "cache 1\ntotal_inactive_file 24\n"),
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/memory.usage_in_bytes", "99999\n"),
            ("cpu/cpu.cfs_quota_us", "-1\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("cpuacct/cpuacct.usage", "7000\n"),
            ("pids/pids.max", "max\n"),
        ]);
        let own = "9:name=systemd:/\n8:pids:/\n4:memory:/x\n1:cpuacct,cpu:/\n0::/\n";
        let memory = Some(MemoryBound { limit: 2048, used: 1000 });
        // Of a group that is counted with all others, the limit is known and the use is not.
        let apart = tree(&[("cpu/y/cpu.cfs_quota_us", "20000\n"), ("cpu/y/cpu.cfs_period_us", "100000\n")]);
        let cpus = Some(CpuBound { limit: 0.2, used_us: None });
        assert_eq!(bounds("3:cpu:/y\n2:cpuacct:/\n", apart.path()), Bounds { cpus, ..Bounds::default() });
        assert_eq!(bounds(own, root.path()), Bounds { memory, ..Bounds::default() });
    }
}
