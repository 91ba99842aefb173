//! CSV, and TSV: a header, then a record a line, as RFC 4180 has it. A quoted field may span lines; blank lines do not count.

use csv::{ErrorKind, ReaderBuilder};
use unum_proto::model::Invalid;

use super::error::at;
use super::sheet::{Record, Sheet};
use super::types::Cell;

/// The header is line 1 unless blank lines come before it, which nobody writes.
const HEADER_LINE: u64 = 1;

/// What stands between the fields of CSV.
pub(super) const COMMA: u8 = b',';
/// What stands between the fields of TSV.
pub(super) const TAB: u8 = b'\t';

pub(super) fn read(text: &str, between: u8) -> Result<Sheet, Invalid> {
    let mut reader = ReaderBuilder::new().delimiter(between).from_reader(text.as_bytes());
    let mut sheet = Sheet::default();
    let header = reader.headers().map_err(|e| refused(&e))?;
    if header.is_empty() {
        return Err(Invalid::new("the CSV text is empty", "begin with a header: the names of the columns"));
    }
    for (position, name) in header.iter().enumerate() {
        sheet
            .add_column(HEADER_LINE, name.trim())
            .map_err(|e| Invalid::new(format!("{} (field {} of the header)", e.what, position + 1), e.remedy))?;
    }
    for record in reader.records() {
        let record = record.map_err(|e| refused(&e))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().map(|field| (!field.is_empty()).then(|| Cell::untyped(field))).collect();
        sheet.add_record(Record { line, cells })?;
    }
    Ok(sheet)
}

fn refused(error: &csv::Error) -> Invalid {
    let line = |pos: &Option<csv::Position>| pos.as_ref().map_or(0, csv::Position::line);
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => at(
            line(pos),
            format!("the record has {len} fields, but the header has {expected_len}"),
            "write a field for every column, and quote a field that has a comma or a tab in it",
        ),
        _ => Invalid::new(format!("the CSV text is not readable: {error}"), "write it as RFC 4180 has it"),
    }
}
