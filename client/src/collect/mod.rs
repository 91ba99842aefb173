//! This host's facts as table snapshots.
//!
//! Collected by `sysinfo`, which works on every platform, and by `linux` where that has gaps. What the platform
//! cannot tell is NULL, never an error. Nothing here needs privileges, and nothing here pushes.

mod host;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(not(target_os = "linux"))]
use other as linux;

pub use host::HostCollector;
