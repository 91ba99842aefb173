//! Black-box tests of Unum: real `unumd` and `unum` processes, real disk, real sockets on loopback.
//!
//! It uses the client SDK and never the server's code.
//!
//! - `scenarios` are what `unum-chaos` runs: `traffic` loads a `cluster`, `faults` hurt it, `check` judges the `history`
//!   that the clients made, `report` says what came of it.
//! - `sandbox` is where what needs root happens.
//! - `trials` are what `unum-trial` runs: one promise each, where it takes load, luck, root or minutes to see it.
//! - `judge` holds Unum's SQL against a real MariaDB.
//! - `counter`, `load`, `promise`, `host`, `namespace` and `hung_mount` serve them, and the tests that look at one promise each.

pub mod check;
pub mod cluster;
pub mod counter;
pub mod faults;
pub mod history;
pub mod host;
pub mod hung_mount;
pub mod judge;
pub mod load;
pub mod namespace;
pub mod packets;
pub mod promise;
pub mod report;
pub mod sandbox;
pub mod scenarios;
pub mod traffic;
pub mod trials;
