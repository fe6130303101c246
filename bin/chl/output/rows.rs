//! Rows that are looked at here, and shown to nobody as they are.

use super::sink::{Sheet, Sink};
use crate::failure::Outcome;
use serde_json::{Map, Value};

/// Collects rows as objects.
#[derive(Default)]
pub(crate) struct Rows {
    columns: Vec<String>,
    /// The rows, of all tables.
    pub(crate) rows: Vec<Value>,
}

impl Sink for Rows {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.columns = sheet.columns.iter().map(ToString::to_string).collect();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        let cells = self.columns.iter().cloned().zip(values);
        self.rows.push(Value::Object(cells.collect::<Map<_, _>>()));
        Ok(())
    }
}
