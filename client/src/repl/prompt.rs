//! The prompt: lines until `;`, a history on disk, and a few meta commands.

use std::borrow::Cow;
use std::io::Write;
use std::path::PathBuf;

use reedline::{
    FileBackedHistory, Prompt, PromptEditMode, PromptHistorySearch, Reedline, Signal, ValidationResult, Validator,
};

use super::{Format, run_statement, split};
use crate::{Client, Error};

/// Statements that the history keeps.
const HISTORY_ENTRIES_MAX: usize = 10_000;

const HELP: &str = "\
A statement ends with ; and may take several lines.
  SHOW TABLES;               the tables there are
  DESC cluster_node_infos;   the columns of one
  \\q or Ctrl-D               leave
  \\?                         this help";

/// Reads statements from the terminal and runs them until the user leaves. An error is shown and the prompt goes on.
pub async fn run_interactive(client: &Client, format: Format) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let show = |out: &mut std::io::Stdout, text: &str| {
        writeln!(out, "{text}").map_err(|e| Error::Refused(format!("the terminal cannot be written: {e}")))
    };
    show(&mut out, "unum: many nodes, one SQL table. \\? for help, \\q to leave.")?;
    let mut editor = editor();
    loop {
        // Reading the terminal blocks; nothing else runs on this thread meanwhile.
        let (back, signal) = tokio::task::spawn_blocking(move || {
            let signal = editor.read_line(&UnumPrompt);
            (editor, signal)
        })
        .await
        .map_err(|e| Error::Refused(format!("the terminal cannot be read: {e}")))?;
        editor = back;
        let text = match signal {
            Ok(Signal::Success(text)) => text,
            Ok(Signal::CtrlC) => continue,
            Ok(Signal::CtrlD) => return Ok(()),
            Ok(_) => continue,
            Err(e) => return Err(Error::Refused(format!("the terminal cannot be read: {e}"))),
        };
        match text.trim().trim_end_matches(';') {
            "\\q" | "quit" | "exit" => return Ok(()),
            "\\?" | "help" => show(&mut out, HELP)?,
            _ => run_all(client, &text, format, &mut out).await,
        }
    }
}

async fn run_all(client: &Client, text: &str, format: Format, out: &mut std::io::Stdout) {
    let statements = split::statements(text).unwrap_or_else(|error| {
        report(&error);
        Vec::new()
    });
    for statement in statements {
        if let Err(error) = run_statement(client, &statement, format, out).await {
            return report(&error);
        }
    }
}

fn report(error: &Error) {
    // There is nowhere to say that stderr is gone.
    let _ = writeln!(std::io::stderr(), "error: {error}");
}

fn editor() -> Reedline {
    let editor = Reedline::create().with_validator(Box::new(UntilSemicolon));
    let Some(path) = history_path() else { return editor };
    match FileBackedHistory::with_file(HISTORY_ENTRIES_MAX, path.clone()) {
        Ok(history) => editor.with_history(Box::new(history)),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the history is not kept");
            editor
        }
    }
}

/// `$XDG_STATE_HOME/unum/history`, or the same under `~/.local/state`.
fn history_path() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
    Some(state.join("unum/history"))
}

/// A line is not done before its `;`, but a meta command is.
struct UntilSemicolon;

impl Validator for UntilSemicolon {
    fn validate(&self, line: &str) -> ValidationResult {
        let trimmed = line.trim();
        let meta = trimmed.starts_with('\\') || matches!(trimmed, "quit" | "exit" | "help");
        match meta || split::is_complete(line) {
            true => ValidationResult::Complete,
            false => ValidationResult::Incomplete,
        }
    }
}

struct UnumPrompt;

impl Prompt for UnumPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        "unum".into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "   -> ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(history: {}) ", search.term).into()
    }
}
