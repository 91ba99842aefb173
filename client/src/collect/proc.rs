//! What the texts under `/proc` say. Pure: a line that is not as expected is left out, and nothing panics.

use std::collections::HashMap;

/// The clock ticks that all CPUs spent, by what on, since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CpuTimes(pub [u64; CPU_STATES.len()]);

/// The states in the kernel's order. Guests' time is part of user and nice, too.
pub(super) const CPU_STATES: [&str; 10] =
    ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];

/// The states that make up all time.
const CPU_STATES_DISJOINT: usize = 8;

impl CpuTimes {
    /// The part of the time since `before` that was spent in each state, 0 to 1; none when no time has passed.
    pub(super) fn shares_since(&self, before: &Self) -> Option<[f64; CPU_STATES.len()]> {
        // The kernel's iowait can go back.
        let spent: [u64; CPU_STATES.len()] = std::array::from_fn(|i| self.0[i].saturating_sub(before.0[i]));
        let total: u64 = spent[..CPU_STATES_DISJOINT].iter().sum();
        (total > 0).then(|| spent.map(|ticks| ticks as f64 / total as f64))
    }
}

/// The first line of `/proc/stat`. An old kernel has fewer states: the others are 0.
pub(super) fn parse_stat(text: &str) -> Option<CpuTimes> {
    let mut words = text.lines().find(|line| line.starts_with("cpu "))?.split_whitespace().skip(1);
    let mut times = CpuTimes::default();
    for ticks in &mut times.0 {
        let Some(word) = words.next() else { break };
        *ticks = word.parse().ok()?;
    }
    Some(times)
}

/// What a network device counted since it came up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NetDevice {
    pub name: String,
    /// Each counter by its name in TiDB.
    pub counters: [(&'static str, u64); 10],
}

impl NetDevice {
    /// Bytes.
    pub(super) fn received(&self) -> u64 {
        self.counters[1].1
    }

    /// Bytes.
    pub(super) fn sent(&self) -> u64 {
        self.counters[0].1
    }
}

/// `/proc/net/dev`: two lines of header, then `name: ` with eight columns received and eight sent.
pub(super) fn parse_net_dev(text: &str) -> Vec<NetDevice> {
    let device = |line: &str| {
        // A name may have a colon in it, an alias's does; a counter has none.
        let (name, counters) = line.rsplit_once(':')?;
        let counters: Vec<u64> = counters.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
        let &[
            bytes_in,
            packets_in,
            err_in,
            drop_in,
            fifo_in,
            _,
            _,
            _,
            bytes_out,
            packets_out,
            err_out,
            drop_out,
            fifo_out,
            ..,
        ] = counters.as_slice()
        else {
            return None;
        };
        let counters = [
            ("bytes-sent", bytes_out),
            ("bytes-recv", bytes_in),
            ("packets-sent", packets_out),
            ("packets-recv", packets_in),
            ("errin", err_in),
            ("errout", err_out),
            ("dropin", drop_in),
            ("dropout", drop_out),
            ("fifoin", fifo_in),
            ("fifoout", fifo_out),
        ];
        Some(NetDevice { name: name.trim().to_owned(), counters })
    };
    text.lines().filter_map(device).collect()
}

/// What a block device or partition counted since boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiskDevice {
    pub name: String,
    pub counters: DiskCounters,
}

/// Counters in the order of [`DISK_RATES`].
pub(super) type DiskCounters = [u64; DISK_RATES.len()];

/// What the counters are called when they are rates.
pub(super) const DISK_RATES: [&str; 6] =
    ["read_count/s", "merged_read_count/s", "write_count/s", "merged_write_count/s", "read_bytes/s", "write_bytes/s"];

/// The kernel's unit in `/proc/diskstats` and `/sys/block/*/size`, whatever the device's own sectors are.
pub(super) const SECTOR_BYTES: u64 = 512;

/// `/proc/diskstats`: major, minor, name, then reads, merged, sectors, ms and the same for writes.
pub(super) fn parse_diskstats(text: &str) -> Vec<DiskDevice> {
    let device = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let count = |position: usize| words.get(position)?.parse::<u64>().ok();
        let bytes = |position: usize| Some(count(position)?.saturating_mul(SECTOR_BYTES));
        let counters = [count(3)?, count(4)?, count(7)?, count(8)?, bytes(5)?, bytes(9)?];
        Some(DiskDevice { name: (*words.get(2)?).to_owned(), counters })
    };
    text.lines().filter_map(device).collect()
}

/// `/proc/pressure/*`: `some avg10=1.42 …` becomes `some-avg10` and `1.42`, percent. The running totals are left out.
pub(super) fn parse_pressure(text: &str) -> Vec<(String, String)> {
    let averages = |line: &str| {
        let mut words = line.split_whitespace();
        let share = words.next().unwrap_or_default().to_owned();
        let averages = words.filter_map(|word| word.split_once('=')).filter(|(name, _)| name.starts_with("avg"));
        averages.map(|(name, percent)| (format!("{share}-{name}"), percent.to_owned())).collect::<Vec<_>>()
    };
    text.lines().flat_map(averages).collect()
}

/// `/etc/passwd`: the name of each user id. The first of several names is the one that counts.
pub(super) fn parse_passwd(text: &str) -> HashMap<String, String> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        Some((fields.nth(1)?.to_owned(), name))
    };
    // The first is inserted last.
    text.lines().rev().filter_map(user).collect()
}

/// `/proc/PID/status`: how many threads the process has.
pub(super) fn parse_threads(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}

/// `/sys/class/net/*/flags`: each flag by its name in TiDB, from the bits of `SIOCGIFFLAGS`.
pub(super) fn parse_net_flags(text: &str) -> Option<[(&'static str, bool); 5]> {
    let bits = u32::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok()?;
    let flags = [
        ("is-up", 0x1),
        ("is-broadcast", 0x2),
        ("is-multicast", 0x1000),
        ("is-loopback", 0x8),
        ("is-point-to-point", 0x10),
    ];
    Some(flags.map(|(name, bit)| (name, bits & bit != 0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_shares_are_parts_of_the_time_between() {
        let before = parse_stat("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n").unwrap();
        let after = parse_stat("cpu  150 0 75 825 40 0 0 0 30 0\nintr 7\n").unwrap();
        let shares = after.shares_since(&before).unwrap();
        assert_eq!(shares, [0.5, 0.0, 0.25, 0.25, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0]);
        assert_eq!(before.shares_since(&before), None);
        assert_eq!(parse_stat("cpu  1 2 3 4\n").unwrap().0[..5], [1, 2, 3, 4, 0]);
        for odd in ["", "cpu0 1 2\n", "cpu  1 x\n"] {
            assert_eq!(parse_stat(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn network_devices_are_read_past_the_header() {
        let devices = parse_net_dev(
            "Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 3445844710 9350469    0    0    0     0          0         0 3445844710 9350469    0    0    0     0       0          0
eth0:1:186560278    9922    1    2    3     0          0         0   701038    6017    4    5    6     0       0          0
  odd: 1 2 x
  few: 1 2\n",
        );
        let names: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
        assert_eq!(names, ["lo", "eth0:1"]);
        let counts = devices[1].counters.map(|(_, count)| count);
        assert_eq!(counts, [701_038, 186_560_278, 6017, 9922, 1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn disk_counters_are_in_bytes() {
        let devices = parse_diskstats(
            " 254       0 vda 39587 1913 2067834 18449 75734 8073 3979078 34466 0 35688 73408 0 0 0 0 17625 20492
   7       3 loop3 0 0
   8       1 sda1 1 2 99999999999999999999 0 1 1 1 1\n",
        );
        let expected = [39_587, 1913, 75_734, 8073, 2_067_834 * 512, 3_979_078 * 512];
        assert_eq!(devices, [DiskDevice { name: "vda".to_owned(), counters: expected }]);
    }

    #[test]
    fn pressure_is_named_by_share_and_window() {
        let text = "some avg10=1.42 avg60=5.29 avg300=3.58 total=2308132974\nfull avg10=0.00 odd avg60\n";
        let expected =
            [("some-avg10", "1.42"), ("some-avg60", "5.29"), ("some-avg300", "3.58"), ("full-avg10", "0.00")];
        assert_eq!(parse_pressure(text), expected.map(|(name, percent)| (name.to_owned(), percent.to_owned())));
        assert_eq!(parse_pressure("\n"), []);
    }

    #[test]
    fn users_threads_and_flags_are_found() {
        let users =
            parse_passwd("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n+\nme:x:1000:1000::/:/bin/sh\n");
        assert_eq!((users["0"].as_str(), users["1000"].as_str(), users.len()), ("root", "me", 2));
        assert_eq!(parse_threads("Name:\ttikv\nThreads:\t87\nSigQ:\t0/96365\n"), Some(87));
        assert_eq!(parse_threads("Threads:\tmany\n"), None);
        let set = |text| parse_net_flags(text).map(|flags| flags.map(|(_, set)| set));
        assert_eq!(set("0x1003\n"), Some([true, true, true, false, false]));
        assert_eq!(set("0x9"), Some([true, false, false, true, false]));
        assert_eq!(set("up"), None);
    }
}
