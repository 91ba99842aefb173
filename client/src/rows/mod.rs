//! Rows from text: a CSV or NDJSON file becomes a [`Table`] to push.
//!
//! 1. [`Format`] is named, or told by a file's name or its first line.
//! 2. `csv` or `ndjson` cuts the text into a `Sheet`: column names, and records of cells that are still text.
//! 3. `types` decides each column's type: the one that [`Columns`] names, or the narrowest that fits every value.
//! 4. Every cell is converted. A cell that does not fit is refused with its line, column and value.
//!
//! NULL is JSON's `null`, a key that an object lacks, or an empty CSV field, quoted or not: CSV cannot tell them apart.
//! Inferred types depend on the rows; in the catalog a column becomes as wide as its values need it.
//!
//! Nothing here reads files or pushes, so nothing here waits.

mod csv;
mod error;
mod ndjson;
mod schema;
mod sheet;
mod types;

use std::path::Path;

use unum_proto::model::{ColumnName, Invalid, TableName, TableSchema};

pub use schema::Columns;

use crate::Table;

/// Bytes of text that a table is read from. A push is at most half a megabyte, but NDJSON repeats every column's name
/// in every row.
pub const TEXT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// One JSON object a line.
    Ndjson,
}

impl Format {
    /// The format that a file's name tells: `.csv`, `.tsv`, `.tab`, `.ndjson` or `.jsonl`.
    pub fn of_file(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }

    /// The format that the first line of a text tells: an object is NDJSON, a header with tabs TSV, one with commas or of one
    /// column CSV. None where it has both, or is no header.
    pub fn of_text(text: &str) -> Option<Self> {
        let first = without_mark(text).trim_start().lines().next()?;
        match (first.starts_with('{'), first.contains('\t'), first.contains(',')) {
            (true, ..) => Some(Self::Ndjson),
            (_, true, true) => None,
            (_, true, false) => Some(Self::Tsv),
            (_, false, true) => Some(Self::Csv),
            (_, false, false) => first.trim().to_ascii_lowercase().parse::<ColumnName>().is_ok().then_some(Self::Csv),
        }
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
    let name: TableName = table.parse()?;
    if text.len() > TEXT_BYTES_MAX {
        return Err(Invalid::new(
            format!("the text has {} bytes", text.len()),
            format!("the limit is {TEXT_BYTES_MAX}: push fewer rows"),
        ));
    }
    let text = without_mark(text);
    let sheet = match format {
        Format::Csv => csv::read(text, csv::COMMA)?,
        Format::Tsv => csv::read(text, csv::TAB)?,
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

#[cfg(test)]
mod tests;
