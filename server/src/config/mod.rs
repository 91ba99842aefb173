//! Every option of a replica, where its default stands, and the checks of them all.
//!
//! Modules have options without defaults; this is the one place that has them. What is not a flag of `unumd serve`
//! is in the file that `--config` names ([`File`]), and can be changed by SQL ([`settings`]).

mod file;
mod options;
pub mod settings;

pub use file::File;
pub use options::{Entry, Flags, OWN_NODE_TYPE, Options, Tunables, build};
