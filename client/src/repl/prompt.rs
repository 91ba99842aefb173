//! The prompt: lines until `;`, completion, colours, a history on disk.
//!
//! Ctrl-C ends the query that runs and stays in the prompt; on a line that is typed it takes the line away.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use reedline::{
    ColumnarMenu, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder, Prompt, PromptEditMode,
    PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, ValidationResult, Validator,
    default_emacs_keybindings,
};

use super::completer::LiveCompleter;
use super::highlighter::SqlHighlighter;
use super::names::LiveNames;
use super::runner::{Flow, Runner};
use super::{Format, report, split};
use crate::{Client, Error};

/// Statements that the history keeps.
const HISTORY_ENTRIES_MAX: usize = 10_000;

const MENU: &str = "completion";

/// Reads statements from the terminal and runs them until the user leaves. An error is shown and the prompt goes on.
/// With `rc`, what is in `~/.config/unum/sqlrc` runs first.
///
/// # Errors
/// When the terminal cannot be read or written.
pub async fn run_interactive(client: &Client, format: Format, rc: bool) -> Result<(), Error> {
    let mut out = std::io::stdout();
    let greeting = writeln!(out, "unum: many nodes, one SQL table. \\? for help, \\q to leave.");
    greeting.map_err(|e| Error::Refused(format!("the terminal cannot be written: {e}")))?;
    let names = LiveNames::new(client.clone());
    let mut editor = editor(names.clone());
    let mut runner = Runner::of_prompt(client, format, &mut out);
    if rc {
        startup(&mut runner).await;
    }
    loop {
        let refreshing = names.clone();
        // It ends by itself, with its deadline at the latest.
        tokio::spawn(async move { refreshing.refresh().await });
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
            Ok(Signal::CtrlD) => return Ok(()),
            Ok(_) => continue,
            Err(e) => return Err(Error::Refused(format!("the terminal cannot be read: {e}"))),
        };
        let text = if is_word(&text) { word(&text) } else { text };
        if run_all(&mut runner, &text).await == Flow::Quit {
            return Ok(());
        }
    }
}

/// `quit`, `exit` and `help` as they are, as mysql has them.
fn is_word(text: &str) -> bool {
    matches!(text.trim().trim_end_matches(';'), "quit" | "exit" | "help")
}

/// The meta command that such a word is.
fn word(text: &str) -> String {
    let help = text.trim().starts_with("help");
    if help { "\\?".into() } else { "\\q".into() }
}

/// Every part of what was typed, up to the first error or Ctrl-C.
async fn run_all(runner: &mut Runner<'_>, text: &str) -> Flow {
    for part in split::split(text).parts {
        let ran = tokio::select! {
            ran = runner.run(part) => ran,
            // From its first use on, Ctrl-C does not end the process any more.
            _ = tokio::signal::ctrl_c() => {
                // There is nowhere to say that stderr is gone.
                let _ = writeln!(std::io::stderr(), "cancelled");
                return Flow::Continue;
            }
        };
        match ran {
            Ok(Flow::Continue) => {}
            Ok(Flow::Quit) => return Flow::Quit,
            Err(error) => {
                report(&error);
                return Flow::Continue;
            }
        }
    }
    Flow::Continue
}

/// What the user wants at the start of each prompt. A mistake in it is told, and the prompt opens all the same.
async fn startup(runner: &mut Runner<'_>) {
    let Some(path) = user_path("XDG_CONFIG_HOME", ".config", "sqlrc") else { return };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
        Err(error) => return report(&Error::Refused(format!("{} cannot be read: {error}", path.display()))),
    };
    for part in split::split(&text).parts {
        let what = match &part {
            split::Part::Meta(line) => line.clone(),
            split::Part::Statement { sql, .. } => sql.clone(),
        };
        match runner.run(part).await {
            Ok(Flow::Continue) => {}
            Ok(Flow::Quit) => return,
            Err(error) => report(&Error::Refused(format!("{}: {what}: {error}", path.display()))),
        }
    }
}

fn editor(names: LiveNames) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let complete = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.into()), ReedlineEvent::MenuNext]);
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, complete);
    keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
    let menu = ColumnarMenu::default().with_name(MENU).with_columns(4).with_column_padding(2);
    let mut editor = Reedline::create()
        .with_validator(Box::new(UntilEnded))
        .with_completer(Box::new(LiveCompleter(names)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_edit_mode(Box::new(Emacs::new(keys)));
    editor = match std::env::var_os("NO_COLOR").is_none() && std::io::stdout().is_terminal() {
        true => editor.with_highlighter(Box::new(SqlHighlighter)),
        false => editor.with_ansi_colors(false),
    };
    let Some(path) = user_path("XDG_STATE_HOME", ".local/state", "history") else { return editor };
    match FileBackedHistory::with_file(HISTORY_ENTRIES_MAX, path.clone()) {
        Ok(history) => editor.with_history(Box::new(history)),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the history is not kept");
            editor
        }
    }
}

/// `unum/NAME` where the environment says that such files are, or else under the user's home.
fn user_path(variable: &str, in_home: &str, name: &str) -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute(variable).or_else(|| Some(absolute("HOME")?.join(in_home)))?;
    Some(base.join("unum").join(name))
}

/// A line is not done before its statement is, but a meta command is.
struct UntilEnded;

impl Validator for UntilEnded {
    fn validate(&self, line: &str) -> ValidationResult {
        match is_word(line) || split::split(line).complete {
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
