//! This host's facts as table snapshots.
//!
//! [`HostTables`] reads `node_info`, one row, and all that an agent publishes besides, each table in a file under `tables`, and
//! knows which of them have to go out.
//!
//! What is asked here may never answer: a mount whose server is gone stops whoever looks at it, for good. So nothing is read in
//! this process. `reader` and `spaces` have the child processes that read, and whoever asks is told what did not answer.
//!
//! Collected by `sysinfo`, which works on every platform, and where that has gaps by `linux` and from the kernel's own
//! files, which are read by `files` and parsed by `proc`, `mounts`, `network` and `cgroup`. What the platform cannot tell is NULL
//! or a row less, never an error and never 0. Nothing here needs privileges, and nothing here pushes.

mod address;
mod cgroup;
mod files;
mod host;
mod host_tables;
#[cfg(target_os = "linux")]
mod linux;
mod mounts;
mod network;
#[cfg(not(target_os = "linux"))]
mod other;
mod proc;
pub(crate) mod reader;
pub(crate) mod spaces;
mod tables;
#[cfg(not(target_os = "linux"))]
use other as linux;

pub use address::host_ip;
pub use host_tables::{Collected, HostTables, PROCESSES_DEFAULT, PROCESSES_MAX};
pub use tables::PublishedTable;

/// The tables that an agent publishes about its host.
pub const PUBLISHED_TABLES: [PublishedTable; 5] =
    [host::TABLE, tables::hardware::TABLE, tables::load::TABLE, tables::systeminfo::TABLE, tables::processes::TABLE];
