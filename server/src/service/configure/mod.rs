//! Changes of the nodes' configuration: what their [authors](author) ask for, and what [nodes](nodes) hear and say.

pub mod author;
pub mod nodes;

pub use nodes::{ConfigService, WatchCursor};
