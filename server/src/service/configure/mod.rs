//! The nodes' side of changes of their configuration: what [nodes] hear of them, and say. Their authors' side is
//! [`super::change::config`].

pub mod nodes;

pub use nodes::{ConfigService, WatchCursor};
