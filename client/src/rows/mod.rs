//! Rows from text: a CSV or NDJSON file becomes a [`Table`] to push.
//!
//! 1. [`Format`] is named, or guessed from a file's name or its first character.
//! 2. `csv` or `ndjson` cuts the text into a `Sheet`: column names, and records of cells that are still text.
//! 3. `types` decides each column's type: the one that [`Columns`] names, or the narrowest that fits every value.
//! 4. Every cell is converted. A cell that does not fit is refused with its line, column and value.
//!
//! NULL is JSON's `null`, a key that an object lacks, or an empty CSV field, quoted or not: CSV cannot tell them apart.
//! Inferred types depend on the rows, and the type of a column in the catalog never changes: who pushes a file again
//! and again names its [`Columns`].
//!
//! Nothing here reads files or pushes, so nothing here waits.

mod csv;
mod ndjson;
mod schema;
mod types;

use std::path::Path;

use unum_proto::model::limits::{COLUMNS_MAX, SNAPSHOT_ROWS_MAX};
use unum_proto::model::{Column, ColumnName, Invalid, TableName, TableSchema, Value};

pub use schema::Columns;

use crate::Table;
use types::Cell;

/// Bytes of text that a table is read from. A push is at most half a megabyte, but NDJSON repeats every column's name
/// in every row.
pub const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// The format that a file's name tells: `.csv`, `.ndjson` or `.jsonl`.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    /// NDJSON, if the first character that is not blank is `{`. No other is a sign of anything.
    pub fn of_text(text: &str) -> Option<Self> {
        without_mark(text).trim_start().starts_with('{').then_some(Self::Ndjson)
    }
}

/// What a file says, before its types are known.
#[derive(Debug, Default)]
struct Sheet {
    columns: Vec<ColumnName>,
    records: Vec<Record>,
}

/// A line, counted from 1, and its cells in the order of the columns. A short record ends in NULLs.
#[derive(Debug)]
struct Record {
    line: u64,
    cells: Vec<Option<Cell>>,
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
    let name: TableName = table.parse()?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(Invalid::new(
            format!("the text has {} bytes", text.len()),
            format!("the limit is {TEXT_BYTES_MAX}: push fewer rows"),
        ));
    }
    let text = without_mark(text);
    let sheet = match format {
        Format::Csv => csv::read(text)?,
        Format::Ndjson => ndjson::read(text)?,
    };
    let columns = match columns {
        Some(columns) => sheet.held_to(columns)?,
        None => sheet.inferred()?,
    };
    let schema = TableSchema::new(name, columns)?;
    let rows = sheet.into_rows(&schema.columns)?;
    Ok(Table::of(schema, rows))
}

/// The text without the byte order mark that some editors write.
fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl Sheet {
    fn add_column(&mut self, line: u64, name: &str) -> Result<(), Invalid> {
        if self.columns.len() == COLUMNS_MAX {
            return Err(at(line, format!("{name:?} is a column too many"), format!("the limit is {COLUMNS_MAX}")));
        }
        let column = name.to_ascii_lowercase().parse().map_err(|e: Invalid| at(line, e.what, e.remedy))?;
        self.columns.push(column);
        Ok(())
    }

    fn add_record(&mut self, record: Record) -> Result<(), Invalid> {
        if self.records.len() == SNAPSHOT_ROWS_MAX {
            return Err(at(
                record.line,
                "this row is one too many",
                format!("the limit is {SNAPSHOT_ROWS_MAX} rows of one table on one node: push fewer"),
            ));
        }
        self.records.push(record);
        Ok(())
    }

    /// The named columns, if the file has no other.
    fn held_to(&self, Columns(columns): &Columns) -> Result<Vec<Column>, Invalid> {
        let names = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.columns.iter().find(|name| columns.iter().all(|column| column.name != **name)) {
            Some(name) => Err(Invalid::new(
                format!("the column {name} is not in the schema, which has {}", names()),
                "name it there with its type, or leave it out of the file",
            )),
            None => Ok(columns.clone()),
        }
    }

    /// Each column with the narrowest type that fits all its values.
    fn inferred(&self) -> Result<Vec<Column>, Invalid> {
        if self.records.is_empty() {
            return Err(Invalid::new("there are no rows to tell the types from", "name the columns with a schema"));
        }
        let column = |(position, name): (usize, &ColumnName)| Column {
            name: name.clone(),
            data_type: types::infer(self.records.iter().filter_map(|record| record.cell(position))),
            nullable: true,
            comment: String::new(),
        };
        Ok(self.columns.iter().enumerate().map(column).collect())
    }

    /// The values of all records, in the order of the columns.
    fn into_rows(self, columns: &[Column]) -> Result<Vec<Vec<Value>>, Invalid> {
        let position = |column: &Column| self.columns.iter().position(|name| *name == column.name);
        let positions: Vec<_> = columns.iter().map(|column| (column, position(column))).collect();
        let row = |record: &Record| {
            let value = |(column, position): &(&Column, Option<usize>)| {
                types::value(position.and_then(|position| record.cell(position)), column)
                    .map_err(|e| at(record.line, e.what, e.remedy))
            };
            positions.iter().map(value).collect()
        };
        self.records.iter().map(row).collect()
    }
}

impl Record {
    fn cell(&self, position: usize) -> Option<&Cell> {
        self.cells.get(position)?.as_ref()
    }
}

/// An error that begins with its line.
fn at(line: u64, what: impl std::fmt::Display, remedy: impl Into<String>) -> Invalid {
    Invalid::new(format!("line {line}: {what}"), remedy)
}

/// The start of a value that is quoted in an error, so that a huge one does not fill the message.
fn quoted(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut short: String = text.chars().take(CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests;
