//! This host's facts as table snapshots.
//!
//! [`HostCollector`] reads `node_info`, one row; [`HostTables`] reads it and all that an agent publishes besides, each
//! table in a file under `tables`, and knows which of them have to go out.
//!
//! Collected by `sysinfo`, which works on every platform, and where that has gaps by `linux` and from the kernel's own
//! files, which are read by `files` and parsed by `proc`. What the platform cannot tell is NULL or a row less, never an
//! error. Nothing here needs privileges, and nothing here pushes.

mod files;
mod host;
mod host_tables;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
mod proc;
mod tables;
#[cfg(not(target_os = "linux"))]
use other as linux;

pub use host::HostCollector;
pub use host_tables::{HostTables, PROCESSES_DEFAULT, PROCESSES_MAX};
pub use tables::PublishedTable;

/// The tables that an agent publishes about its host.
pub const PUBLISHED_TABLES: [PublishedTable; 5] =
    [host::TABLE, tables::hardware::TABLE, tables::load::TABLE, tables::systeminfo::TABLE, tables::processes::TABLE];
