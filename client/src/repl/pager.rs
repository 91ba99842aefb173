//! Long results, through a pager.

use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

/// What shows a result that does not fit the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pager {
    /// Nothing: it scrolls by.
    Off,
    /// A command of the shell.
    Command(String),
}

/// Quits at once if it fits, shows colours, does not wrap, and leaves the text on the terminal.
const DEFAULT: &str = "less -SRFX";

impl Pager {
    /// `$PAGER`, or less.
    pub fn from_environment() -> Self {
        match std::env::var("PAGER") {
            Ok(command) if !command.trim().is_empty() => Self::Command(command),
            _ => Self::Command(DEFAULT.to_owned()),
        }
    }

    /// A command, `off`, or without either what the environment says.
    pub fn new(command: Option<String>) -> Self {
        match command {
            None => Self::from_environment(),
            Some(off) if off == "off" => Self::Off,
            Some(command) => Self::Command(command),
        }
    }

    /// Writes a text to `out`, or shows it with the pager if it is larger than the terminal.
    pub fn show(&self, text: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
        if let Self::Command(command) = self
            && let Ok((columns, lines)) = crossterm::terminal::size()
            && !fits(text, columns.into(), lines.into())
            && paged(command, text)?
        {
            return Ok(());
        }
        out.write_all(text)?;
        out.flush()
    }
}

/// Whether a text is seen at once, with a line left for the prompt.
fn fits(text: &[u8], columns: usize, lines: usize) -> bool {
    let text = String::from_utf8_lossy(text);
    let within = |line: &str| line.chars().count() <= columns;
    text.lines().count() < lines && text.lines().all(within)
}

/// Whether the pager has shown the text. It may be left before it has read it all.
fn paged(command: &str, text: &[u8]) -> std::io::Result<bool> {
    let started = Command::new("sh").args(["-c", command]).stdin(Stdio::piped()).spawn();
    let Ok(mut pager) = started else { return Ok(false) };
    if let Some(mut stdin) = pager.stdin.take() {
        match stdin.write_all(text) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    // The shell says 127 of a command that there is none of.
    const NOT_FOUND: i32 = 127;
    Ok(pager.wait()?.code() != Some(NOT_FOUND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_the_terminal_does_not_fit() {
        for (text, expected) in [("a\nb\n", true), ("a\nb\nc\n", false), ("12345\n", true), ("123456\n", false)] {
            assert_eq!(fits(text.as_bytes(), 5, 3), expected, "{text:?}");
        }
    }

    #[test]
    fn a_pager_that_is_not_there_lets_the_text_through() {
        assert!(!paged("exec no-such-pager-anywhere 2>/dev/null", b"x").unwrap());
        assert!(paged("cat > /dev/null", b"x").unwrap());
        assert!(paged("true", &vec![b'x'; 1 << 20]).unwrap());
    }
}
