//! unumd: a replica of Unum.
//!
//! Floors, upper ones use lower ones and never the other way: [`base`] 0, [`catalog`] and [`storage`] 1 (which never
//! see each other), [`consensus`] and [`sql`] 2 (nor do these), [`service`] 3, [`frontend`] 4, [`config`], [`node`],
//! [`check`], [`demo`], `join`, `publish` and `main` 5. A test holds it.

pub mod base;
pub mod catalog;
pub mod check;
pub mod config;
pub mod consensus;
pub mod demo;
pub mod frontend;
mod join;
pub mod node;
mod publish;
pub mod service;
pub mod sql;
pub mod storage;
