//! Rows from text: what a program prints or writes becomes a [`Table`] to push.
//!
//! 1. `decode` makes text of the bytes.
//! 2. [`Format`] is named, or told by a file's name or by how the text begins (`detect`).
//! 3. A file a format cuts the text into a `Sheet`: column names, made legal, and records of cells that are still text.
//! 4. `types` decides each column's type: the one that [`Columns`] names, or the narrowest that fits every value.
//! 5. Every cell is converted. A cell that does not fit is refused with its line, column and value.
//!
//! NULL is JSON's `null`, a key that an object lacks, an empty field, quoted or not, as CSV cannot tell them apart, and whatever
//! else is said to be. Inferred types depend on the rows; in the catalog a column becomes as wide as its values need it.
//!
//! Nothing here reads files or pushes, so nothing here waits.

mod columns;
mod csv;
mod decode;
mod detect;
mod error;
mod format;
mod json;
mod logfmt;
mod names;
mod ndjson;
mod prometheus;
mod schema;
mod sheet;
mod slow_log;
mod types;

use std::path::Path;

use unum_proto::model::{Invalid, TableName, TableSchema};

pub use format::Format;
pub use json::Path as RowsPath;
pub use schema::Columns;

use crate::Table;

/// Bytes of text that a table is read from. A push is at most half a megabyte, but NDJSON repeats every column's name
/// in every row.
pub const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How a table is to be read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// How it is written, if that is known.
    pub format: Option<Format>,
    /// Of JSON: which objects are the rows.
    pub path: Option<RowsPath>,
    /// Texts that are NULL, besides the empty one.
    pub nulls: Vec<String>,
    /// The columns and their types; inferred if they are not named.
    pub columns: Option<Columns>,
}

/// A table that was read.
#[derive(Debug)]
pub struct Rows {
    /// What is to be pushed.
    pub table: Table,
    /// How it was written.
    pub format: Format,
    /// What was not taken as it is written, in words: names of columns, lines around a table.
    pub notes: Vec<String>,
}

impl Reading {
    /// The table that some bytes describe; `file` is where they are from, if its name may tell the format.
    ///
    /// # Errors
    /// Says the line, the column and the value that is wrong, or the bound that is passed.
    pub fn table(&self, table: &str, file: Option<&Path>, bytes: &[u8]) -> Result<Rows, Invalid> {
        let name: TableName = table.parse()?;
        if bytes.len() > TEXT_BYTES_MAX {
            return Err(Invalid::new(
                format!("the text has {} bytes", bytes.len()),
                format!("the limit is {TEXT_BYTES_MAX}: push fewer rows"),
            ));
        }
        let text = decode::text(bytes)?;
        let told = self.format.or_else(|| Format::of_file(file?)).or_else(|| Format::of_text(&text));
        let unknown = || {
            let remedy = "name it: --format csv, tsv, ndjson, json, columns, prometheus, slow-log or logfmt";
            Invalid::new("how the text begins does not tell its format", remedy)
        };
        // Where rows are named by a path, a line is one document of several.
        let format = match told {
            Some(Format::Ndjson) if self.path.is_some() => Format::Json,
            Some(format) => format,
            None if text.trim().is_empty() && self.columns.is_some() => Format::Ndjson,
            None => return Err(unknown()),
        };
        let mut notes = Vec::new();
        let sheet = match format {
            Format::Csv => csv::read(&text, None, &self.nulls)?,
            Format::Tsv => csv::read(&text, Some(csv::TAB), &self.nulls)?,
            Format::Ndjson => ndjson::read(&text)?,
            Format::Json => json::read(&text, self.path.as_ref(), &mut notes)?,
            Format::Columns => columns::read(&text, &self.nulls, &mut notes)?,
            Format::Prometheus => prometheus::read(&text)?,
            Format::SlowLog => slow_log::read(&text)?,
            Format::Logfmt => logfmt::read(&text)?,
        };
        notes.extend(sheet.renamed.iter().map(|renamed| format!("column {renamed}")));
        let columns = match &self.columns {
            Some(columns) => sheet.held_to(columns)?,
            None => sheet.inferred()?,
        };
        let schema = TableSchema::new(name, columns)?;
        let rows = sheet.into_rows(&schema.columns)?;
        Ok(Rows { table: Table::of(schema, rows), format, notes })
    }
}

/// The table that the text describes, its columns typed as named or, without names, as narrow as the values allow.
///
/// ```
/// # use unum_client::rows::{self, Format};
/// let table = rows::parse("backlog", "queue,depth\na,0.25\nb,\n", Format::Csv, None)?;
/// assert_eq!(table.snapshot().rows.len(), 2);
/// # Ok::<(), unum_client::Invalid>(())
/// ```
///
/// # Errors
/// Says the line, the column and the value that is wrong, or the bound that is passed.
pub fn parse(table: &str, text: &str, format: Format, columns: Option<&Columns>) -> Result<Table, Invalid> {
    let reading = Reading { format: Some(format), columns: columns.cloned(), ..Reading::default() };
    Ok(reading.table(table, None, text.as_bytes())?.table)
}

#[cfg(test)]
mod tests;
