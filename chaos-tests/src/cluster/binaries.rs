//! Finding the binaries under test: beside the test's own.

use std::path::PathBuf;

use anyhow::{Context, bail};

/// The path of `unumd` or `unum` of the same build.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let test = std::env::current_exe()?;
    // target/<profile>/deps/<test>
    let profile = test.parent().and_then(|deps| deps.parent()).context("a test runs in target/<profile>/deps")?;
    let path = profile.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !path.is_file() {
        bail!("{} is missing: build it with `cargo build --workspace`", path.display());
    }
    Ok(path)
}
