//! Bytes that survive: ordered trees of records, on sled or in memory.
//!
//! - [`Engine`] is what a key-value store has to do. [`SledEngine`] and [`MemoryEngine`] are held to the same tests.
//! - [`Batch`] changes one tree at once. Its records may be of any length: they are split over keys, because sled
//!   keeps values past some 6 KiB in files of their own that nothing syncs, and each part carries a checksum.
//! - [`Store`] owns the writer thread, the only place that writes. What is acknowledged was synced before.
//! - A high-water mark outside the trees tells what they must at least hold: sled loses its end without a word.
//! - [`keys`] has every key, [`DataDir`] the directory with its lock and identity.
//!
//! It does not know what the records mean: that is the business of `consensus`.

mod batch;
mod data_dir;
mod engine;
mod high_water;
pub mod keys;
mod memory;
mod record;
mod sled;
mod store;

pub use self::sled::SledEngine;
pub use batch::Batch;
pub use data_dir::{DataDir, Identity, StoreId};
pub use engine::{Engine, Error, Pairs, Tree};
pub use memory::MemoryEngine;
pub use store::{Durability, Store};
