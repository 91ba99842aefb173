//! Black-box tests of Unum: real `unumd` and `unum` processes, real disk, real sockets on loopback.
//!
//! It uses the client SDK and never the server's code.

pub mod cluster;
pub mod counter;
pub mod host;
pub mod load;
