//! What a table looks like.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::invalid::{at_most, quoted};
use super::limits::{COLUMNS_MAX, DESCRIPTION_CHARS_MAX};
use super::{ColumnName, DataType, Invalid, Row, TableName};

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: ColumnName,
    /// The type of its values.
    pub data_type: DataType,
    /// Whether a row may leave it out.
    pub nullable: bool,
    /// What it means, with its unit.
    pub comment: String,
}

/// A table's name and columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSchema {
    /// The table's name.
    pub name: TableName,
    /// The columns in the order that `SELECT *` shows.
    pub columns: Vec<Column>,
}

impl TableSchema {
    /// A schema with at least one column, and no column twice.
    pub fn new(name: TableName, columns: Vec<Column>) -> Result<Self, Invalid> {
        if columns.is_empty() {
            return Err(Invalid::new(format!("table {name} has no columns"), "name at least one"));
        }
        at_most(format_args!("table {name}"), columns.len(), COLUMNS_MAX, "columns")?;
        let mut seen = BTreeSet::new();
        for column in &columns {
            if !seen.insert(&column.name) {
                return Err(Invalid::new(
                    format!("table {name} names the column {} twice", column.name),
                    "give every column a name of its own",
                ));
            }
            at_most(
                format_args!("the comment of {name}.{}", column.name),
                column.comment.chars().count(),
                DESCRIPTION_CHARS_MAX,
                "characters",
            )?;
        }
        Ok(Self { name, columns })
    }

    /// A schema from literals: `("cpu", DataType::Float64, "percent busy")`, every column nullable.
    pub fn of(name: &str, columns: &[(&str, DataType, &str)]) -> Result<Self, Invalid> {
        let columns = columns.iter().map(|(name, data_type, comment)| {
            Ok(Column { name: name.parse()?, data_type: *data_type, nullable: true, comment: (*comment).to_owned() })
        });
        Self::new(name.parse()?, columns.collect::<Result<_, Invalid>>()?)
    }

    /// The position of a column.
    pub fn position(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name.as_str() == column)
    }

    /// Whether a row has a value of the right type for every column.
    pub fn check_row(&self, row: &Row) -> Result<(), Invalid> {
        if row.len() != self.columns.len() {
            return Err(Invalid::new(
                format!("a row of table {} has {} values", self.name, row.len()),
                format!("its schema has {} columns: send one value for each", self.columns.len()),
            ));
        }
        for (column, value) in self.columns.iter().zip(row) {
            let place = || format!("{}.{}", self.name, column.name);
            match value.data_type() {
                None if column.nullable => {}
                None => return Err(Invalid::new(format!("{} is NULL", place()), "the column is declared NOT NULL")),
                Some(actual) if actual == column.data_type => {}
                Some(actual) => {
                    return Err(Invalid::new(
                        format!(
                            "{} is {} but the row has a {actual}: {}",
                            place(),
                            column.data_type,
                            quoted(&format!("{value:?}"))
                        ),
                        "send the declared type",
                    ));
                }
            }
        }
        Ok(())
    }
}
