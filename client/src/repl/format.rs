//! Showing a result.
//!
//! `table` and `vertical` are for people and end with a footer; the others are for programs and have nothing but
//! rows.

use std::io::Write;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use comfy_table::{CellAlignment, Table, presets};

use crate::QueryResult;

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

/// Writes a result.
pub fn write(result: &QueryResult, took: Duration, format: Format, out: &mut dyn Write) -> Result<(), ArrowError> {
    match format {
        Format::Table => {
            writeln!(out, "{}", aligned(result, presets::UTF8_FULL_CONDENSED)?)?;
            writeln!(out, "{}", footer(result, took))?;
        }
        Format::Vertical => {
            vertical(result, out)?;
            writeln!(out, "{}", footer(result, took))?;
        }
        Format::Markdown => writeln!(out, "{}", aligned(result, presets::ASCII_MARKDOWN)?)?,
        Format::Csv => separated(result, b',', out)?,
        Format::Tsv => separated(result, b'\t', out)?,
        Format::Json => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::JsonArray>(&mut *out);
            writer.write_batches(&result.batches.iter().collect::<Vec<_>>())?;
            writer.finish()?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            let mut writer = arrow::json::WriterBuilder::new()
                .with_explicit_nulls(true)
                .build::<_, arrow::json::writer::LineDelimited>(&mut *out);
            writer.write_batches(&result.batches.iter().collect::<Vec<_>>())?;
            writer.finish()?;
        }
    }
    Ok(out.flush()?)
}

/// `3 rows in 2.1 ms · replica 2 · revision 118 · 3 of 3 nodes up`
fn footer(result: &QueryResult, took: Duration) -> String {
    let rows = result.row_count();
    let mut footer = format!(
        "{rows} row{} in {:.1} ms · replica {} · revision {}",
        if rows == 1 { "" } else { "s" },
        took.as_secs_f64() * 1000.0,
        result.replica,
        result.revision,
    );
    if result.nodes_total > 0 {
        footer.push_str(&format!(" · {} of {} nodes up", result.nodes_up, result.nodes_total));
    }
    footer
}

fn options() -> FormatOptions<'static> {
    FormatOptions::default().with_null(NULL).with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.6f"))
}

fn texts(batch: &RecordBatch) -> Result<Vec<Vec<String>>, ArrowError> {
    let options = options();
    let columns = batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows()).map(|row| columns.iter().map(|column| column.value(row).to_string()).collect()).collect())
}

fn aligned(result: &QueryResult, preset: &str) -> Result<Table, ArrowError> {
    let mut table = Table::new();
    table.load_preset(preset);
    table.set_header(result.schema.fields().iter().map(|field| field.name()));
    for batch in &result.batches {
        for row in texts(batch)? {
            table.add_row(row);
        }
    }
    for (position, field) in result.schema.fields().iter().enumerate() {
        let numeric = field.data_type().is_numeric() || matches!(field.data_type(), DataType::Decimal128(..));
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
        for row in texts(batch)? {
            number += 1;
            writeln!(out, "*************************** {number}. row ***************************")?;
            for (field, value) in result.schema.fields().iter().zip(row) {
                writeln!(out, "{:>width$}: {value}", field.name())?;
            }
        }
    }
    Ok(())
}

fn separated(result: &QueryResult, delimiter: u8, out: &mut dyn Write) -> Result<(), ArrowError> {
    let mut writer = arrow::csv::WriterBuilder::new().with_header(true).with_delimiter(delimiter).build(&mut *out);
    if result.batches.is_empty() {
        return writer.write(&RecordBatch::new_empty(result.schema.clone()));
    }
    result.batches.iter().try_for_each(|batch| writer.write(batch))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, StringArray};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    fn result() -> QueryResult {
        let schema = Arc::new(Schema::new(vec![
            Field::new("id", DataType::Utf8, true),
            Field::new("cpu", DataType::Float64, true),
        ]));
        let ids = StringArray::from(vec![Some("tikv_1"), Some("a,b\"c")]);
        let cpu = Float64Array::from(vec![Some(12.5), None]);
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids), Arc::new(cpu)]).unwrap();
        QueryResult {
            schema,
            batches: vec![batch],
            revision: 118,
            replica: 2,
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
            write(&result(), Duration::from_micros(2100), format, &mut out).unwrap();
            format!("{format:?}\n{}", String::from_utf8(out).unwrap())
        };
        insta::assert_snapshot!([Table, Vertical, Csv, Tsv, Json, Ndjson, Markdown].map(show).join("\n"));
    }
}
