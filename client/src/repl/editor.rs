//! The statement before, in the user's editor.

use std::io::{Read, Seek, Write};
use std::process::Command;

use crate::Error;

/// What the user made of a text in `$VISUAL`, `$EDITOR` or vi.
pub fn edit(text: &str) -> Result<String, Error> {
    let failed = |what: &str, e: &dyn std::fmt::Display| Error::Refused(format!("the editor {what}: {e}"));
    let chosen = ["VISUAL", "EDITOR"].iter().filter_map(|name| std::env::var(name).ok()).find(|e| !e.trim().is_empty());
    let editor = chosen.unwrap_or_else(|| "vi".to_owned());
    let mut file = tempfile::Builder::new()
        .prefix("unum-")
        .suffix(".sql")
        .tempfile()
        .map_err(|e| failed("has no temporary file", &e))?;
    writeln!(file, "{text};").map_err(|e| failed("has no temporary file", &e))?;
    // The shell, as an editor may be a command with options.
    let line = format!("{editor} \"$1\"");
    let status = Command::new("sh").args(["-c", &line, "sh"]).arg(file.path()).status();
    let status = status.map_err(|e| failed("does not start", &e))?;
    if !status.success() {
        return Err(failed(&format!("{editor} was left"), &status));
    }
    // An editor may have put another file in its place.
    let mut edited = String::new();
    match std::fs::read_to_string(file.path()) {
        Ok(text) => edited = text,
        Err(_) => {
            file.rewind().and_then(|()| file.read_to_string(&mut edited)).map_err(|e| failed("left no file", &e))?;
        }
    }
    Ok(edited)
}
