//! Values that a subquery has from the row that asks it.

use std::sync::{Mutex, PoisonError};

use datafusion::common::{Column, ScalarValue};

/// Which columns of the row a subquery asks for, and their values for the row that asks it now.
#[derive(Debug, Default)]
pub struct Slots {
    columns: Mutex<Vec<Column>>,
    values: Mutex<Vec<ScalarValue>>,
}

impl Slots {
    /// The columns, by slot.
    pub fn columns(&self) -> Vec<Column> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The slot of a column.
    pub fn slot(&self, column: &Column) -> usize {
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        match columns.iter().position(|known| known == column) {
            Some(slot) => slot,
            None => {
                columns.push(column.clone());
                columns.len() - 1
            }
        }
    }

    /// The values of the row that asks now.
    pub fn set(&self, values: Vec<ScalarValue>) {
        *self.values.lock().unwrap_or_else(PoisonError::into_inner) = values;
    }

    /// The value in a slot; none if no row asks.
    pub fn get(&self, slot: usize) -> Option<ScalarValue> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).get(slot).cloned()
    }
}
