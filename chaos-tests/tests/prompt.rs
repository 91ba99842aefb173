//! The prompt in a real terminal: keys go in, and what is on the screen is a golden file.

// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use unum_chaos_tests::cluster::{Cluster, binary, until};
use unum_client::{DataType, NodeDescription, NodeKey, Table};

/// A terminal of its own, ended with the test.
struct Terminal {
    socket: String,
}

impl Terminal {
    fn tmux(&self, args: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("tmux").args(["-L", &self.socket, "-f", "/dev/null"]).args(args).output()?;
        anyhow::ensure!(output.status.success(), "tmux {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    fn start(command: &str) -> anyhow::Result<Self> {
        let terminal = Self { socket: format!("unum-test-{}", std::process::id()) };
        terminal.tmux(&["new-session", "-d", "-s", "p", "-x", "160", "-y", "50", command])?;
        Ok(terminal)
    }

    fn send(&self, text: &str, key: &str) -> anyhow::Result<()> {
        // For tmux a semicolon at the end is one of its own.
        self.tmux(&["send-keys", "-t", "p", "-l", &text.replace(';', "\\;")])?;
        self.tmux(&["send-keys", "-t", "p", key])?;
        Ok(())
    }

    /// Types a text and a key, and waits until the screen shows, below where it was, what that leads to: another
    /// prompt, unless the line goes on.
    async fn type_in(&self, text: &str, key: &str, expected: &str) -> anyhow::Result<()> {
        let before = self.screen()?.matches(expected).count();
        self.send(text, key)?;
        let line_goes_on = key == "Tab" || expected == "   ->";
        let shown = async || {
            let screen = self.screen().ok()?;
            let at_prompt = screen.lines().next_back()? == "unum>";
            (screen.matches(expected).count() > before && (at_prompt || line_goes_on)).then_some(())
        };
        let what = format!("{text:?} leads to {expected:?}");
        until(&what, shown).await.map_err(|error| error.context(self.screen().unwrap_or_default()))
    }

    /// All that was shown, without blank lines.
    fn screen(&self) -> anyhow::Result<String> {
        // With lines that were wrapped as one.
        let all = self.tmux(&["capture-pane", "-J", "-t", "p", "-p", "-S", "-"])?;
        Ok(all.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended with what ran in it.
        let _ = self.tmux(&["kill-server"]);
    }
}

/// The text with the numbers after these words replaced: they differ from run to run.
fn steady(text: &str) -> String {
    let mut steady = text.to_owned();
    for (before, name) in [(" in ", "T"), ("revision ", "R"), ("revision     ", "R")] {
        let mut rest = std::mem::take(&mut steady);
        while let Some(at) = rest.find(before) {
            let number_at = at + before.len();
            let digits =
                rest[number_at..].find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len() - number_at);
            steady.push_str(&rest[..number_at]);
            if digits > 0 {
                steady.push_str(name);
            }
            rest = rest[number_at + digits..].to_owned();
        }
        steady.push_str(&rest);
    }
    steady
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prompt_does_what_is_typed() -> anyhow::Result<()> {
    if Command::new("tmux").arg("-V").output().is_err() {
        println!("not run: there is no tmux");
        return Ok(());
    }
    let cluster = Cluster::start(1).await?;
    let client = cluster.client(1)?;
    let node = NodeDescription::new(NodeKey::parse("tikv", "tikv_1")?);
    let table = Table::new("backlog", &[("queue", DataType::Text, "which"), ("depth", DataType::Int64, "jobs")])?;
    let table = table.row(["mail".into(), 3i64.into()]).row(["a\tb\u{1b}[31m".into(), Option::<i64>::None.into()]);
    client.publisher(node).push_whole(vec![table.snapshot()]).await?;

    let home = cluster.dir().join("home");
    std::fs::create_dir_all(home.join(".config/unum"))?;
    std::fs::write(home.join(".config/unum/sqlrc"), "SET @rc = 42;\nSELEC 1;\n\\pager off\n")?;
    let out = cluster.dir().join("out.csv");
    let command = format!(
        "env -u XDG_CONFIG_HOME -u XDG_STATE_HOME -u NO_COLOR HOME={} USER=dba PS1= {} sql --endpoints {}",
        home.display(),
        binary("unum")?.display(),
        cluster.member(1).addr,
    );
    let terminal = Terminal::start(&command)?;
    until("the prompt", async || terminal.screen().ok()?.lines().next_back()?.eq("unum>").then_some(())).await?;
    let hostile = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
                   SELECT count(*) FROM n a, n b, n c WHERE a.i + b.i * c.i = -1;";
    for (text, key, shown) in [
        ("SELECT @rc, DATABASE(), USER();", "Enter", "dba"),
        ("SELECT * FROM unum.cluster_b", "Tab", "cluster_backlog"),
        ("", "C-c", "unum>"),
        ("SELECT queue, depth FROM cluster_backlog ORDER BY depth\\G", "Enter", "2. row"),
        ("\\d backlog", "Enter", "jobs"),
        ("SELECT depth", "Enter", "   ->"),
        ("FROM cluster_backlo;", "Enter", "did you mean cluster_backlog?"),
        (".mode csv", "Enter", "unum>"),
        (&format!("\\o {}", out.display()), "Enter", "unum>"),
        ("SELECT queue FROM cluster_backlog WHERE depth = 3;", "Enter", "unum>"),
        ("\\o", "Enter", "unum>"),
        ("SELECT queue FROM cluster_backlog WHERE depth = 3;", "Enter", "mail"),
        ("\\x", "Enter", "one value a line is on"),
        ("USE information_schema;", "Enter", "ok in"),
        ("\\s", "Enter", "schema       information_schema"),
        ("\\frob", "Enter", "there is no command \\frob"),
    ] {
        terminal.type_in(text, key, shown).await?;
    }
    // Ctrl-C ends a query that runs, and the prompt stays.
    terminal.send(hostile, "Enter")?;
    let running = "SELECT id FROM information_schema.processlist WHERE info LIKE 'WITH RECURSIVE%'";
    let count = async || client.query(running).await.ok().map(|result| result.row_count());
    until("the query runs", async || count().await.filter(|count| *count == 1)).await?;
    terminal.type_in("", "C-c", "cancelled").await?;
    until("it has ended", async || count().await.filter(|count| *count == 0)).await?;

    let screen = terminal.screen()?.replace(&*out.to_string_lossy(), "OUT").replace(&*home.to_string_lossy(), "HOME");
    insta::assert_snapshot!(steady(&screen));
    assert_eq!(std::fs::read_to_string(&out)?, "queue\nmail\n");
    let ended = async || terminal.tmux(&["has-session", "-t", "p"]).is_err().then_some(());
    terminal.send("\\q", "Enter")?;
    until("\\q leaves", ended).await?;
    assert!(std::fs::read_to_string(home.join(".local/state/unum/history"))?.contains("cluster_backlog"));
    Ok(())
}
