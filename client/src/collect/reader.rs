//! The child processes that read this host: one for all but its processes, and one for those.
//!
//! They keep what rates are since. One that is left behind takes that along: its successor's rates start anew.

use serde::{Deserialize, Serialize};
use unum_proto::model::{NodeDescription, Row};

use super::host::HostCollector;
use super::linux;
use super::mounts::Mount;
use super::spaces::MountSpace;
use super::tables::{Bounds, hardware, load, processes, systeminfo};
use crate::helper::Kind;

/// Reads all but the processes.
#[derive(Debug)]
pub(crate) struct HostReader {
    host: HostCollector,
    load: load::Reader,
    hardware: hardware::Reader,
    systeminfo: systeminfo::Reader,
}

/// What of the host is wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum HostQuestion {
    /// Which mounts have space.
    Mounts,
    /// Its tables.
    Tables {
        node: NodeDescription,
        started_at_us: i64,
        /// Whether it is the whole host that counts, and not what bounds this process.
        whole: bool,
        spaces: Vec<MountSpace>,
        wanted: Wanted,
    },
}

/// Which tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// `node_info`.
    Info,
    /// It, and `load`.
    Moving,
    /// Them, `hardware` and `systeminfo`.
    All,
}

/// What was found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum HostAnswer {
    Mounts(Vec<Mount>),
    Tables(Tables),
}

/// The rows of tables; none of those that were not wanted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(super) info: Row,
    pub(super) load: Option<Vec<Row>>,
    pub(super) hardware: Option<Vec<Row>>,
    pub(super) systeminfo: Option<Vec<Row>>,
    /// What was too much, in words.
    pub(super) cut: Vec<String>,
}

impl Kind for HostReader {
    const NAME: &'static str = "host";
    type Question = HostQuestion;
    type Answer = HostAnswer;

    fn start() -> Self {
        Self {
            host: HostCollector::new(),
            load: load::Reader::new(),
            hardware: hardware::Reader::new(),
            systeminfo: systeminfo::Reader::default(),
        }
    }

    fn answer(&mut self, question: HostQuestion) -> HostAnswer {
        match question {
            HostQuestion::Mounts => HostAnswer::Mounts(linux::mounts()),
            HostQuestion::Tables { node, started_at_us, whole, spaces, wanted } => {
                let info = self.host.read(&node, started_at_us, whole, &spaces);
                let moving = wanted != Wanted::Info;
                let all = wanted == Wanted::All;
                let load = moving.then(|| self.load.read(&self.host, &spaces));
                let hardware = all.then(|| self.hardware.read(&self.host, &spaces));
                let systeminfo = all.then(|| self.systeminfo.read());
                let bounds = [&self.load.bounds, &self.hardware.bounds, &self.systeminfo.bounds];
                let cut = bounds.into_iter().flat_map(Bounds::told).collect();
                HostAnswer::Tables(Tables { info, load, hardware, systeminfo, cut })
            }
        }
    }
}

/// Reads the processes. What one of them maps may be on a mount that does not answer, and so is its command line.
#[derive(Debug)]
pub(crate) struct ProcessReader(Option<processes::Reader>);

/// The busiest, this many.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Busiest(pub(super) usize);

impl Kind for ProcessReader {
    const NAME: &'static str = "processes";
    type Question = Busiest;
    type Answer = Vec<Row>;

    fn start() -> Self {
        Self(None)
    }

    fn answer(&mut self, Busiest(most): Busiest) -> Vec<Row> {
        let reader = self.0.get_or_insert_with(|| {
            let reader = processes::Reader::new(most);
            // In less, the share of busy CPU time is noise.
            std::thread::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL);
            reader
        });
        reader.read()
    }
}

#[cfg(test)]
mod tests {
    use unum_proto::model::NodeKey;

    use super::*;

    #[test]
    fn two_reads_of_what_hardly_changes_are_the_same() {
        let mut reader = HostReader::start();
        let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1").unwrap());
        let mut read = || {
            let (node, spaces) = (node.clone(), Vec::new());
            let question = HostQuestion::Tables { node, started_at_us: 0, whole: false, spaces, wanted: Wanted::All };
            let HostAnswer::Tables(tables) = reader.answer(question) else { panic!("tables were wanted") };
            (tables.hardware.unwrap(), tables.systeminfo.unwrap())
        };
        // A setting may change between two reads, as anybody may change it; a measure changes between any two.
        let mut first = read();
        let alike = (0..5).any(|_| {
            let second = read();
            std::mem::replace(&mut first, second.clone()) == second
        });
        assert!(alike, "something here is no setting: {first:?}");
        // On this platform, whichever it is, there is something to tell.
        assert!(!first.0.is_empty() && !first.1.is_empty());
    }
}
