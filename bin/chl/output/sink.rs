//! Where the rows of an answer go: to standard output, or through the owner's socket.

use crate::failure::Outcome;
use serde_json::Value;

/// The head of a table of rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sheet<'a> {
    /// Its name; empty when the call gives only one.
    pub(crate) name: &'a str,
    /// Its columns, in order.
    pub(crate) columns: &'a [&'a str],
    /// Those that people see, where that is not all; programs see all.
    pub(crate) people: Option<&'a [&'a str]>,
}

impl<'a> Sheet<'a> {
    /// A table of which everybody sees all columns.
    pub(crate) fn new(name: &'a str, columns: &'a [&'a str]) -> Self {
        Self { name, columns, people: None }
    }

    /// The same table, of which people see some columns.
    pub(crate) fn people(self, people: &'a [&'a str]) -> Self {
        Self { people: Some(people), ..self }
    }

    /// The values of an object in the order of the columns; null where it has none.
    pub(crate) fn values(&self, mut object: Value) -> Vec<Value> {
        let value = |column: &&str| object.get_mut(*column).map_or(Value::Null, Value::take);
        self.columns.iter().map(value).collect()
    }
}

/// Takes tables of rows, one after the other, and lines of text; what it does not ask for it passes
/// over.
pub(crate) trait Sink {
    /// Begins a table.
    fn begin(&mut self, _sheet: &Sheet<'_>) -> Outcome {
        Ok(())
    }

    /// Adds a row to the table that was begun; a value a column.
    fn row(&mut self, _values: Vec<Value>) -> Outcome {
        Ok(())
    }

    /// Adds a JSON document whose fields are its own; in a table or CSV it is a row of the columns.
    fn document(&mut self, _json: &str) -> Outcome {
        Ok(())
    }

    /// Adds a line that is data in a form of its own.
    fn line(&mut self, _line: &str) -> Outcome {
        Ok(())
    }

    /// Sends on what is held back: nothing more comes for a while.
    fn pass_on(&mut self) -> Outcome {
        Ok(())
    }

    /// Says something about the data, which is not data.
    fn note(&mut self, _text: &str) -> Outcome {
        Ok(())
    }
}
