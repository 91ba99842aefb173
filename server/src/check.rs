//! `unumd check`: a look at the directory of a replica that does not run.
//!
//! It reads everything as a start would, with every check that a start makes, and says what is there. It joins nothing
//! and decides nothing.

use std::path::Path;

use anyhow::Context;

use crate::consensus::Contents;
use crate::storage::DataDir;

/// What is in the directory, one fact a line.
pub async fn run(path: &Path) -> anyhow::Result<String> {
    anyhow::ensure!(path.is_dir(), "{} is not a directory; name a replica's --data-dir", path.display());
    let dir = DataDir::open(path).await?;
    let identity = dir.identity().with_context(|| format!("{} holds no replica yet", path.display()))?;
    let contents = Contents::read(identity.replica, identity.store_id, dir.store.clone()).await?;
    dir.close().await?;
    Ok(format!("cluster {:016x}\nreplica {}\n{contents}", identity.cluster_id, identity.replica))
}
