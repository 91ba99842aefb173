//! What a file says, before its types are known.

use std::collections::HashMap;

use unum_proto::model::limits::{COLUMNS_MAX, SNAPSHOT_ROWS_MAX};
use unum_proto::model::{Column, ColumnName, Invalid, Value};

use super::error::at;
use super::names;
use super::schema::Columns;
use super::types::{self, Cell};

/// What a file says, before its types are known.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) columns: Vec<ColumnName>,
    pub(super) records: Vec<Record>,
    /// Where each column is.
    positions: HashMap<ColumnName, usize>,
    /// Which names are not as the file has them, in words.
    pub(super) renamed: Vec<String>,
}

/// A line, counted from 1, and its cells in the order of the columns. A short record ends in NULLs.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) cells: Vec<Option<Cell>>,
}

impl Sheet {
    pub(super) fn add_column(&mut self, line: u64, name: &str) -> Result<(), Invalid> {
        if self.columns.len() == COLUMNS_MAX {
            return Err(at(line, format!("{name:?} is a column too many"), format!("the limit is {COLUMNS_MAX}")));
        }
        let column = names::legal(name, self.columns.len(), &self.positions);
        if column.as_str() != name.trim().to_ascii_lowercase() {
            self.renamed.push(format!("{name} is {column}"));
        }
        self.positions.insert(column.clone(), self.columns.len());
        self.columns.push(column);
        Ok(())
    }

    pub(super) fn add_record(&mut self, record: Record) -> Result<(), Invalid> {
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
    pub(super) fn held_to(&self, Columns(columns): &Columns) -> Result<Vec<Column>, Invalid> {
        let names = || columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.columns.iter().find(|name| columns.iter().all(|column| column.name != **name)) {
            Some(name) => Err(Invalid::new(
                format!("the column {name} is not in the schema, which has {}", names()),
                "name it there with its type, or leave it out of the file",
            )),
            None => Ok(columns.clone()),
        }
    }

    /// Each column with the narrowest type that fits all its values. Where there are none, the catalog takes it for unknown.
    pub(super) fn inferred(&self) -> Result<Vec<Column>, Invalid> {
        if self.columns.is_empty() && self.records.is_empty() {
            return Err(Invalid::new("there are no rows to tell the columns from", "name them with a schema"));
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
    pub(super) fn into_rows(self, columns: &[Column]) -> Result<Vec<Vec<Value>>, Invalid> {
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
    pub(super) fn cell(&self, position: usize) -> Option<&Cell> {
        self.cells.get(position)?.as_ref()
    }
}
