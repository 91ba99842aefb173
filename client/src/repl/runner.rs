//! Doing one part after another: statements at a replica, meta commands here.
//!
//! The prompt and the scripts run the same way; only the prompt has a pager, an editor and repetitions.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use unum_proto::model::Value;

use super::meta::{self, Meta};
use super::split::{self, Part};
use super::{Format, editor, format, pager};
use crate::{Client, Error};

/// How deep files may read files.
const READS_NESTED_MAX: usize = 16;

/// Whether to go on after a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// With the next one.
    Continue,
    /// No more.
    Quit,
}

/// Runs parts and shows their results.
pub struct Runner<'a> {
    client: &'a Client,
    out: &'a mut (dyn Write + Send),
    format: Format,
    expanded: bool,
    timing: bool,
    /// Where results go instead of `out`.
    file: Option<File>,
    interactive: bool,
    pager: pager::Pager,
    last: Option<Statement>,
    /// Values for the parameters of the next statement.
    bound: Vec<Value>,
    reads: usize,
}

/// A statement, and the values of its parameters.
#[derive(Debug, Clone)]
struct Statement {
    sql: String,
    values: Vec<Value>,
}

impl<'a> Runner<'a> {
    /// A runner of scripts.
    pub fn of_script(client: &'a Client, format: Format, out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            client,
            out,
            format,
            expanded: false,
            timing: true,
            file: None,
            interactive: false,
            pager: pager::Pager::Off,
            last: None,
            bound: Vec::new(),
            reads: 0,
        }
    }

    /// A runner of what is typed.
    pub fn of_prompt(client: &'a Client, format: Format, out: &'a mut (dyn Write + Send)) -> Self {
        Self { interactive: true, pager: pager::Pager::from_environment(), ..Self::of_script(client, format, out) }
    }

    /// Results go to this file from now on.
    pub fn write_to(&mut self, path: &str) -> Result<(), Error> {
        self.file =
            Some(File::create(path).map_err(|e| Error::Refused(format!("the file {path} cannot be written: {e}")))?);
        Ok(())
    }

    /// Does one part.
    pub async fn run(&mut self, part: Part) -> Result<Flow, Error> {
        match part {
            Part::Statement { sql, vertical } => {
                let statement = Statement { sql, values: std::mem::take(&mut self.bound) };
                let shown = self.statement(&statement, vertical, true).await;
                self.last = Some(statement);
                shown.map(|()| Flow::Continue)
            }
            Part::Meta(line) => self.meta(meta::parse(&line)?).await,
        }
    }

    async fn statement(&mut self, statement: &Statement, vertical: bool, paged: bool) -> Result<(), Error> {
        let started = Instant::now();
        let result = self.client.query_with(&statement.sql, statement.values.iter().cloned()).await?;
        let took = self.timing.then(|| started.elapsed());
        let format = if vertical || self.expanded { Format::Vertical } else { self.format };
        let mut text = Vec::new();
        format::write(&result, took, format, &mut text)
            .map_err(|e| Error::Refused(format!("the result cannot be shown: {e}")))?;
        let written = match (&mut self.file, paged) {
            (Some(file), _) => file.write_all(&text).and_then(|()| file.flush()),
            (None, true) => self.pager.show(&text, self.out),
            (None, false) => self.out.write_all(&text).and_then(|()| self.out.flush()),
        };
        written.map_err(|e| Error::Refused(format!("the result cannot be written: {e}")))
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        writeln!(self.out, "{text}").map_err(|e| Error::Refused(format!("the terminal cannot be written: {e}")))
    }

    async fn meta(&mut self, meta: Meta) -> Result<Flow, Error> {
        match meta {
            Meta::Sql(sql) => self.statement(&Statement { sql, values: Vec::new() }, false, true).await?,
            Meta::Bind(values) => self.bound = values,
            Meta::Show(format) => self.format = format,
            Meta::Expanded => {
                self.expanded = !self.expanded;
                self.note(&format!("one value a line is {}", on_off(self.expanded)))?;
            }
            Meta::Timing(wanted) => {
                self.timing = wanted.unwrap_or(!self.timing);
                self.note(&format!("timing is {}", on_off(self.timing)))?;
            }
            Meta::Output(None) => self.file = None,
            Meta::Output(Some(path)) => self.write_to(&path)?,
            Meta::Read(path) => return self.read(&path).await,
            Meta::Status => self.status().await?,
            Meta::Help => self.say(&meta::help())?,
            Meta::Quit => return Ok(Flow::Quit),
            Meta::Watch(interval) if self.interactive => self.watch(interval).await?,
            Meta::Edit if self.interactive => {
                let edited = editor::edit(self.last.as_ref().map_or("", |last| &last.sql))?;
                return Box::pin(self.all(&edited)).await;
            }
            Meta::Pager(command) if self.interactive => self.pager = pager::Pager::new(command),
            Meta::Watch(_) | Meta::Edit | Meta::Pager(_) => {
                return Err(Error::Refused("this command needs the prompt; leave it out of scripts".into()));
            }
        }
        Ok(Flow::Continue)
    }

    /// What only somebody who types wants to hear.
    fn note(&mut self, text: &str) -> Result<(), Error> {
        if self.interactive { self.say(text) } else { Ok(()) }
    }

    /// Every part of a text, up to the first error.
    async fn all(&mut self, text: &str) -> Result<Flow, Error> {
        for part in split::split(text).parts {
            if self.run(part).await? == Flow::Quit {
                return Ok(Flow::Quit);
            }
        }
        Ok(Flow::Continue)
    }

    async fn read(&mut self, path: &str) -> Result<Flow, Error> {
        let refused = |why: String| Error::Refused(format!("the file {path} cannot be read: {why}"));
        if self.reads == READS_NESTED_MAX {
            return Err(refused(format!("files read files more than {READS_NESTED_MAX} deep")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| refused(e.to_string()))?;
        self.reads += 1;
        let flow = Box::pin(self.all(&text)).await;
        self.reads -= 1;
        flow
    }

    /// The statement before, until its caller drops this at Ctrl-C, or an error.
    async fn watch(&mut self, interval: Duration) -> Result<(), Error> {
        let Some(last) = self.last.clone() else {
            return Err(Error::Refused("\\watch repeats the statement before, and there is none".into()));
        };
        loop {
            self.statement(&last, false, false).await?;
            tokio::time::sleep(interval).await;
        }
    }

    async fn status(&mut self) -> Result<(), Error> {
        let result =
            self.client.query("SELECT DATABASE() AS db, USER() AS u, @@consistency AS level, VERSION() AS v").await?;
        let text =
            |column: &str| result.rows().next().and_then(|row| row.get::<String>(column).ok()).unwrap_or_default();
        let lines = [
            format!("replica      {}", result.replica),
            format!("revision     {}", result.revision),
            format!("schema       {}", text("db")),
            format!("user         {}", text("u")),
            format!("consistency  {}", text("level")),
            format!("version      {}", text("v")),
        ];
        self.say(&lines.join("\n"))
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
