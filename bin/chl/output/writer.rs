//! Writes rows to standard output in the format asked for.

use super::{Format, Sheet, Sink, cell};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use std::io::{self, BufWriter, IsTerminal, Write};

/// A line under the header, and no other.
const LINED: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Standard output, in one format.
pub(crate) struct Output {
    to: BufWriter<Box<dyn Write + Send>>,
    format: Format,
    name: String,
    columns: Vec<String>,
    /// The places of the columns that people see.
    seen: Vec<usize>,
    /// The rows of a table that is not drawn yet.
    table: Option<Vec<Vec<Value>>>,
    /// Whether a piece of the table has been drawn.
    drawn: bool,
    tables: usize,
    rows: u64,
    /// The tables a CSV has no place for, since it holds one.
    left_out: Vec<String>,
}

/// A row as a JSON object with its fields in the order of the columns; a row of one of several
/// tables begins with the table's name.
struct Object<'a> {
    table: &'a str,
    columns: &'a [String],
    values: &'a [Value],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        if !self.table.is_empty() {
            map.serialize_entry("table", self.table)?;
        }
        for (column, value) in self.columns.iter().zip(self.values) {
            map.serialize_entry(column, value)?;
        }
        map.end()
    }
}

impl Output {
    /// Standard output in the format asked for.
    pub(crate) fn standard(asked: Option<Format>) -> Self {
        Self::new(Box::new(io::stdout()), Format::or_default(asked))
    }

    fn new(to: Box<dyn Write + Send>, format: Format) -> Self {
        Self {
            to: BufWriter::new(to),
            format,
            name: String::new(),
            columns: Vec::new(),
            seen: Vec::new(),
            table: None,
            drawn: false,
            tables: 0,
            rows: 0,
            left_out: Vec::new(),
        }
    }

    /// Whether people read it.
    pub(crate) fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Writes what is still held back, and closes what is open.
    pub(crate) fn end(mut self) -> Outcome {
        self.close_table()?;
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            self.note(&format!("CSV holds one table; left out: {names} (--output json has all)"))?;
        }
        if self.format == Format::Json && self.tables > 0 {
            let close: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
            self.to.write_all(close).map_err(Failure::output)?;
        }
        self.to.flush().map_err(Failure::output)
    }

    fn close_table(&mut self) -> Outcome {
        let Some(rows) = self.table.take() else { return Ok(()) };
        let text = match (rows.is_empty(), self.drawn) {
            (true, true) => return Ok(()),
            (true, false) => "(none)".into(),
            (false, _) => self.draw(&rows).to_string(),
        };
        self.drawn = true;
        writeln!(self.to, "{text}").map_err(Failure::output)
    }

    /// Draws the rows so far and goes on with an empty table of the same columns.
    fn close_piece(&mut self) -> Outcome {
        if self.table.as_ref().is_some_and(|rows| !rows.is_empty()) {
            self.close_table()?;
            self.table = Some(Vec::new());
        }
        Ok(())
    }

    /// Draws rows, leaving out the columns that hold nothing in any of them.
    fn draw(&self, rows: &[Vec<Value>]) -> Table {
        let mut drawn = Table::new();
        drawn.load_style(LINED);
        if io::stdout().is_terminal() {
            drawn.set_content_arrangement(ContentArrangement::Dynamic);
        }
        let holds = |at: &&usize| {
            rows.iter().any(|row| row.get(**at).is_some_and(|value| !cell::text(value).is_empty()))
        };
        let held: Vec<usize> = self.seen.iter().filter(holds).copied().collect();
        drawn.set_header(held.iter().filter_map(|at| self.columns.get(*at)));
        for row in rows {
            let values = held.iter().filter_map(|at| row.get(*at));
            drawn.add_row(values.map(|value| {
                let cell = comfy_table::Cell::new(cell::text(value));
                if is_figure(value) { cell.set_alignment(CellAlignment::Right) } else { cell }
            }));
        }
        drawn
    }

    fn object(&mut self, values: &[Value]) -> io::Result<()> {
        let object = Object { table: &self.name, columns: &self.columns, values };
        serde_json::to_writer(&mut self.to, &object).map_err(io::Error::from)
    }

    fn csv(&mut self, cells: impl Iterator<Item = String>) -> io::Result<()> {
        let mut writer = csv::Writer::from_writer(&mut self.to);
        writer.write_record(cells)?;
        writer.flush()
    }

    fn write_row(&mut self, values: &[Value]) -> io::Result<()> {
        match self.format {
            Format::Table => {
                self.table.get_or_insert_default().push(values.to_vec());
                Ok(())
            }
            Format::Jsonl => {
                self.object(values)?;
                self.to.write_all(b"\n")
            }
            Format::Json => {
                self.to.write_all(if self.rows == 0 { b"[\n  " } else { b",\n  " })?;
                self.object(values)
            }
            Format::Csv => self.csv(values.iter().map(cell::text)),
        }
    }
}

/// Whether a value is a number or money, which stand at the right of their column.
fn is_figure(value: &Value) -> bool {
    let decimal = |text: &str| {
        !text.is_empty()
            && text.contains('.')
            && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-')
    };
    match value {
        Value::Number(_) => true,
        Value::String(text) => decimal(text),
        Value::Object(fields) => fields.contains_key("amount"),
        Value::Null | Value::Bool(_) | Value::Array(_) => false,
    }
}

impl Sink for Output {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.close_table()?;
        if self.format == Format::Csv && self.tables > 0 {
            self.left_out.push(sheet.name.to_owned());
            return Ok(());
        }
        self.tables += 1;
        self.drawn = false;
        self.name = sheet.name.to_owned();
        self.columns = sheet.columns.iter().map(ToString::to_string).collect();
        let sees = |name: &&str| sheet.people.is_none_or(|people| people.contains(name));
        let places = sheet.columns.iter().enumerate();
        self.seen = places.filter(|(_, name)| sees(name)).map(|(at, _)| at).collect();
        let later = self.tables > 1;
        let written = match self.format {
            Format::Table => {
                self.table = Some(Vec::new());
                let space = if later { "\n" } else { "" };
                if sheet.name.is_empty() {
                    Ok(())
                } else {
                    writeln!(self.to, "{space}{}", sheet.name)
                }
            }
            Format::Csv => {
                let columns = self.columns.clone();
                self.csv(columns.into_iter())
            }
            Format::Json | Format::Jsonl => Ok(()),
        };
        written.map_err(Failure::output)
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        if !self.left_out.is_empty() {
            return Ok(());
        }
        self.write_row(&values).map_err(Failure::output)?;
        self.rows += 1;
        Ok(())
    }

    fn document(&mut self, json: &str) -> Outcome {
        match self.format {
            Format::Jsonl => {
                self.rows += 1;
                self.line(json)
            }
            Format::Json => {
                let sign: &[u8] = if self.rows == 0 { b"[\n  " } else { b",\n  " };
                let written = self.to.write_all(sign);
                self.rows += 1;
                written.and_then(|()| self.to.write_all(json.as_bytes())).map_err(Failure::output)
            }
            Format::Table | Format::Csv => {
                let object: Value = serde_json::from_str(json)
                    .or_exit(Exit::Internal, "an answer cannot be shown as a row")?;
                let columns = self.columns.clone();
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                self.row(Sheet::new("", &columns).values(object))
            }
        }
    }

    fn line(&mut self, line: &str) -> Outcome {
        let written = self.to.write_all(line.as_bytes()).and_then(|()| self.to.write_all(b"\n"));
        written.map_err(Failure::output)
    }

    fn pass_on(&mut self) -> Outcome {
        if self.format == Format::Table {
            // A table that is followed is drawn in pieces.
            self.close_piece()?;
        }
        self.to.flush().map_err(Failure::output)
    }

    fn note(&mut self, text: &str) -> Outcome {
        crate::talk::say(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;
    use serde_json::json;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Held(Arc<Mutex<Vec<u8>>>);

    impl Write for Held {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, rows: &[Value]) -> String {
        let held = Held::default();
        let mut output = Output::new(Box::new(held.clone()), format);
        let sheet = Sheet::new("", &["partner", "paid"]);
        output.begin(&sheet).unwrap();
        for row in rows {
            output.row(sheet.values(row.clone())).unwrap();
        }
        output.end().unwrap();
        String::from_utf8(held.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn every_format_keeps_the_order_of_the_columns() {
        let rows = [json!({"paid": {"amount": "3.00", "currency": "EUR"}, "partner": "a, \"b\""})];
        let jsonl = written(Format::Jsonl, &rows);
        assert_eq!(
            jsonl,
            "{\"partner\":\"a, \\\"b\\\"\",\"paid\":{\"amount\":\"3.00\",\"currency\":\"EUR\"}}\n"
        );
        assert_eq!(written(Format::Json, &rows), format!("[\n  {}\n]\n", jsonl.trim_end()));
        assert_eq!(written(Format::Csv, &rows), "partner,paid\n\"a, \"\"b\"\"\",3.00 EUR\n");
        assert!(written(Format::Table, &rows).contains("3.00 EUR"));
    }

    #[test]
    fn csv_holds_the_first_of_several_tables() {
        let held = Held::default();
        let mut output = Output::new(Box::new(held.clone()), Format::Csv);
        for (name, column) in [("first", "a"), ("second", "b")] {
            let columns = [column];
            let sheet = Sheet::new(name, &columns);
            output.begin(&sheet).unwrap();
            output.row(sheet.values(json!({ column: 1 }))).unwrap();
        }
        output.end().unwrap();
        assert_eq!(held.0.lock().unwrap().as_slice(), b"a\n1\n");
    }

    #[test]
    fn nothing_is_still_an_answer() {
        assert_eq!(written(Format::Json, &[]), "[]\n");
        assert_eq!(written(Format::Jsonl, &[]), "");
        assert_eq!(written(Format::Csv, &[]), "partner,paid\n");
        assert_eq!(written(Format::Table, &[]), "(none)\n");
    }
}
