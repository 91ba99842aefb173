//! Showing a result.
//!
//! `table` and `vertical` are for people and end with a footer; the others are for programs and have nothing but
//! rows.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use comfy_table::{CellAlignment, Table, presets};

use crate::QueryResult;
use crate::result::shown;

/// How a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns.
    #[default]
    Table,
    /// One line a value.
    Vertical,
    /// Comma-separated, with a header.
    Csv,
    /// Tab-separated, with a header.
    Tsv,
    /// One array of objects.
    Json,
    /// One object a line.
    Ndjson,
    /// A Markdown table.
    Markdown,
}

/// What NULL looks like in formats for people.
const NULL: &str = "NULL";

/// Writes a result; people also see how long it took, if that is to be shown.
pub fn write(
    result: &QueryResult,
    took: Option<Duration>,
    format: Format,
    out: &mut dyn Write,
) -> Result<(), ArrowError> {
    // USE, SET and KILL have no rows to show.
    if result.schema.fields().is_empty() {
        if matches!(format, Format::Table | Format::Vertical) {
            writeln!(out, "ok{}", footer(result, took))?;
        }
        return Ok(out.flush()?);
    }
    let rows = result.row_count();
    let count = format!("{rows} row{}", if rows == 1 { "" } else { "s" });
    match format {
        Format::Table => {
            writeln!(out, "{}", aligned(result, presets::UTF8_FULL_CONDENSED, for_terminal)?)?;
            writeln!(out, "{count}{}", footer(result, took))?;
        }
        Format::Vertical => {
            vertical(result, out)?;
            writeln!(out, "{count}{}", footer(result, took))?;
        }
        Format::Markdown => writeln!(out, "{}", aligned(result, presets::ASCII_MARKDOWN, for_markdown)?)?,
        Format::Csv => comma_separated(result, out)?,
        Format::Tsv => tab_separated(result, out)?,
        Format::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut *out);
            writer.write_batches(&timed(result)?.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(&mut *out);
            writer.write_batches(&timed(result)?.iter().collect::<Vec<_>>())?;
            writer.finish()?;
        }
    }
    Ok(out.flush()?)
}

/// ` in 2.1 ms · replica 2 · revision 118 · 3 of 3 nodes up`, and how many warnings there are, if any
fn footer(result: &QueryResult, took: Option<Duration>) -> String {
    let mut footer = took.map_or_else(String::new, |took| format!(" in {:.1} ms", took.as_secs_f64() * 1000.0));
    footer.push_str(&format!(" · replica {} · revision {}", result.replica, result.revision));
    if result.nodes_total > 0 {
        footer.push_str(&format!(" · {} of {} nodes up", result.nodes_up, result.nodes_total));
    }
    match result.warnings.len() {
        0 => {}
        1 => footer.push_str(" · 1 warning"),
        many => footer.push_str(&format!(" · {many} warnings")),
    }
    footer
}

/// A value as a terminal may get it: a control character in it could do anything there.
fn for_terminal(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' => vec!['\n'],
        '\t' => vec![' ', ' '],
        c if c.is_control() => c.escape_default().collect(),
        c => vec![c],
    };
    text.chars().flat_map(shown).collect()
}

fn for_markdown(text: &str) -> String {
    for_terminal(text).replace('|', "\\|").replace('\n', "<br>")
}

/// A value as every format shows it; none of NULL.
fn text(column: &ArrayRef, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    // A type that nothing can show is none that a server sends.
    Some(shown(column.as_ref(), row).unwrap_or_default())
}

fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let of_row = |row: usize| {
        let value = |column: &ArrayRef| text(column, row).unwrap_or_else(|| NULL.to_owned());
        batch.columns().iter().map(value).collect()
    };
    (0..batch.num_rows()).map(of_row).collect()
}

/// The same rows with text in the place of what Arrow's writers would show in another way than all formats do.
fn in_texts(batch: &RecordBatch, is_text: fn(&DataType) -> bool) -> Result<RecordBatch, ArrowError> {
    let column = |column: &ArrayRef| match is_text(column.data_type()) {
        true => Arc::new((0..column.len()).map(|row| text(column, row)).collect::<StringArray>()) as ArrayRef,
        false => Arc::clone(column),
    };
    let columns: Vec<ArrayRef> = batch.columns().iter().map(column).collect();
    let field = |(field, column): (&Arc<Field>, &ArrayRef)| Field::new(field.name(), column.data_type().clone(), true);
    let fields: Vec<Field> = batch.schema_ref().fields().iter().zip(&columns).map(field).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..))
}

fn is_time_or_double(data_type: &DataType) -> bool {
    is_time(data_type) || *data_type == DataType::Float64
}

fn timed(result: &QueryResult) -> Result<Vec<RecordBatch>, ArrowError> {
    result.batches.iter().map(|batch| in_texts(batch, is_time)).collect()
}

fn aligned(result: &QueryResult, preset: &str, shown: fn(&str) -> String) -> Result<Table, ArrowError> {
    let mut table = Table::new();
    table.load_preset(preset);
    table.set_header(result.schema.fields().iter().map(|field| shown(field.name())));
    for batch in &result.batches {
        for row in texts(batch) {
            table.add_row(row.iter().map(|value| shown(value)));
        }
    }
    for (position, field) in result.schema.fields().iter().enumerate() {
        let numeric = field.data_type().is_numeric()
            || matches!(field.data_type(), DataType::Decimal128(..) | DataType::Decimal256(..));
        if let Some(column) = table.column_mut(position).filter(|_| numeric) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table)
}

fn vertical(result: &QueryResult, out: &mut dyn Write) -> Result<(), ArrowError> {
    let width = result.schema.fields().iter().map(|field| field.name().chars().count()).max().unwrap_or(0);
    let mut number = 0;
    for batch in &result.batches {
        for row in texts(batch) {
            number += 1;
            writeln!(out, "*************************** {number}. row ***************************")?;
            for (field, value) in result.schema.fields().iter().zip(row) {
                writeln!(out, "{:>width$}: {}", for_terminal(field.name()), for_terminal(&value))?;
            }
        }
    }
    Ok(())
}

/// As RFC 4180 has it; NULL is an empty field.
fn comma_separated(result: &QueryResult, out: &mut dyn Write) -> Result<(), ArrowError> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(&mut *out);
    if result.batches.is_empty() {
        return writer.write(&RecordBatch::new_empty(result.schema.clone()));
    }
    result.batches.iter().try_for_each(|batch| writer.write(&in_texts(batch, is_time_or_double)?))
}

/// As `mysql --batch` has it: nothing is quoted; tabs, line ends and backslashes are escaped.
fn tab_separated(result: &QueryResult, out: &mut dyn Write) -> Result<(), ArrowError> {
    let escaped = |text: &str| {
        text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\0', "\\0").replace('\r', "\\r")
    };
    let line = |values: Vec<String>| values.join("\t");
    writeln!(out, "{}", line(result.schema.fields().iter().map(|field| escaped(field.name())).collect()))?;
    for batch in &result.batches {
        for row in texts(batch) {
            writeln!(out, "{}", line(row.iter().map(|value| escaped(value)).collect()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::array::Float64Array;

    use super::*;

    fn result() -> QueryResult {
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Utf8, true),
            Field::new("cpu", DataType::Float64, true),
        ]));
        let ids = StringArray::from(vec![Some("tikv_1"), Some("a,b\"c"), Some("tab\tline\nend|\u{1b}[31m")]);
        let cpu = Float64Array::from(vec![Some(12.5), None, Some(0.0)]);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(cpu)]).unwrap();
        QueryResult {
            schema,
            batches: vec![batch],
            revision: 118,
            replica: 2.into(),
            nodes_up: 2,
            nodes_total: 2,
            elapsed: Duration::ZERO,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn every_format_shows_the_same_rows() {
        use Format::{Csv, Json, Markdown, Ndjson, Table, Tsv, Vertical};
        let show = |format| {
            let mut out = Vec::new();
            write(&result(), Some(Duration::from_micros(2100)), format, &mut out).unwrap();
            format!("{format:?}\n{}", String::from_utf8(out).unwrap())
        };
        insta::assert_snapshot!([Table, Vertical, Csv, Tsv, Json, Ndjson, Markdown].map(show).join("\n"));
    }
}
