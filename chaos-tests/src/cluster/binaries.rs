//! Finding the binaries under test: beside the test's own.

use std::path::PathBuf;

use anyhow::bail;

/// The path of `unumd` or `unum` of the same build.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe()?;
    // A test is in target/<profile>/deps, `unum-chaos` in target/<profile>.
    let dirs: Vec<_> = own.ancestors().skip(1).take(2).collect();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path = dirs.iter().map(|dir| dir.join(&file)).find(|path| path.is_file());
    let Some(path) = path else {
        bail!("{name} is missing beside {}: build it with `cargo build --workspace`", own.display());
    };
    Ok(path)
}
