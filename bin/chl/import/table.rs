//! Exports: rows of a CSV file, kept end to end so that a million of them fit in memory.

use super::template::{Fields, Row};
use std::io;

/// Says why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    /// It cannot be opened or read.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// What the system says.
        source: io::Error,
    },
    /// Its structure cannot be followed.
    #[error("{file}: {source}")]
    Csv {
        /// The file.
        file: String,
        /// What the reader says.
        source: csv::Error,
    },
    /// Two of its columns have one name, or one has none.
    #[error("{file}: the header names the column {column:?} twice, or not at all")]
    Header {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// It is larger than four gigabytes.
    #[error("{file} is larger than 4 GiB; split it")]
    TooLarge {
        /// The file.
        file: String,
    },
}

/// A row that could not be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    /// The line it begins on.
    pub(super) line: u32,
    /// What is wrong with it.
    pub(super) reason: String,
    /// Its fields as far as they could be read.
    pub(super) fields: Vec<String>,
}

/// An export in memory.
#[derive(Debug)]
pub(super) struct Table {
    /// The file's name.
    pub(super) file: String,
    /// The columns.
    pub(super) header: Vec<String>,
    /// Rows that could not be taken apart.
    pub(super) broken: Vec<Broken>,
    text: String,
    ends: Vec<u32>,
    lines: Vec<u32>,
}

impl Table {
    /// A table of one row without columns, for what comes from the map alone.
    pub(super) fn single() -> Self {
        Self {
            file: String::new(),
            header: Vec::new(),
            broken: Vec::new(),
            text: String::new(),
            ends: Vec::new(),
            lines: vec![1],
        }
    }

    /// Reads an export whole; a row that is not as long as the header, or not UTF-8, is set aside.
    pub(super) fn read(file: &str, from: impl io::Read, delimiter: u8) -> Result<Self, TableError> {
        let csv = |source| TableError::Csv { file: file.into(), source };
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(from);
        let header = header(file, reader.headers().map_err(csv)?)?;
        let mut table = Self { file: file.into(), header, ..Self::single() };
        table.lines.clear();
        let mut record = csv::ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(csv)? {
            table.push(&record)?;
        }
        Ok(table)
    }

    fn push(&mut self, record: &csv::ByteRecord) -> Result<(), TableError> {
        let line = record.position().map_or(0, csv::Position::line);
        let line = u32::try_from(line).map_err(|_| self.too_large())?;
        let texts: Option<Vec<&str>> =
            record.iter().map(|field| std::str::from_utf8(field).ok()).collect();
        let reason = match &texts {
            None => Some("it is not UTF-8".into()),
            Some(texts) if texts.len() != self.header.len() => {
                Some(format!("it has {} fields, the header {}", texts.len(), self.header.len()))
            }
            Some(_) => None,
        };
        if let Some(reason) = reason {
            let fields = record.iter().map(|f| String::from_utf8_lossy(f).into_owned()).collect();
            self.broken.push(Broken { line, reason, fields });
            return Ok(());
        }
        for text in texts.unwrap_or_default() {
            self.text.push_str(text);
            let end = u32::try_from(self.text.len()).map_err(|_| self.too_large())?;
            self.ends.push(end);
        }
        self.lines.push(line);
        Ok(())
    }

    fn too_large(&self) -> TableError {
        TableError::TooLarge { file: self.file.clone() }
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> u32 {
        // Every row has a line and takes a byte at least, and the text is below 4 GiB.
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    /// A row by its number, from 0.
    pub(super) fn row(&self, row: u32) -> Row<'_> {
        let at = row as usize;
        let width = self.header.len();
        let first = at * width;
        let before = first.checked_sub(1).and_then(|end| self.ends.get(end));
        Row {
            line: self.lines.get(at).copied().unwrap_or(0),
            fields: Fields {
                text: &self.text,
                start: before.copied().unwrap_or(0),
                ends: self.ends.get(first..first + width).unwrap_or(&[]),
            },
        }
    }

    /// The fields of a row as they stand in the export.
    pub(super) fn fields(&self, row: u32) -> impl Iterator<Item = &str> {
        let fields = self.row(row).fields;
        (0..self.header.len()).map(move |column| fields.get(column))
    }
}

fn header(file: &str, record: &csv::StringRecord) -> Result<Vec<String>, TableError> {
    let mut header: Vec<String> = Vec::with_capacity(record.len());
    for name in record {
        let name = name.trim_start_matches('\u{feff}').trim();
        if name.is_empty() || header.iter().any(|known| known == name) {
            return Err(TableError::Header { file: file.into(), column: name.into() });
        }
        header.push(name.into());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn rows_are_kept_and_broken_ones_set_aside() {
        let csv = b"\xef\xbb\xbfid,name\n1,\"A, b\"\n2\n3,\"two\nlines\"\n4,\xff\n5,x\n";
        let table = Table::read("t.csv", csv.as_slice(), b',').unwrap();
        assert_eq!(table.header, ["id", "name"]);
        assert_eq!(table.rows(), 3);
        let fields: Vec<Vec<&str>> = (0..3).map(|row| table.fields(row).collect()).collect();
        assert_eq!(fields, [["1", "A, b"], ["3", "two\nlines"], ["5", "x"]]);
        assert_eq!(table.row(2).line, 7);
        let broken: Vec<(u32, &str)> =
            table.broken.iter().map(|b| (b.line, b.reason.as_str())).collect();
        assert_eq!(broken, [(3, "it has 1 fields, the header 2"), (6, "it is not UTF-8")]);
    }

    #[test]
    fn a_header_is_unambiguous() {
        for csv in ["a,a\n", "a,,b\n"] {
            let error = Table::read("t.csv", csv.as_bytes(), b',').unwrap_err();
            assert!(matches!(error, TableError::Header { .. }), "{error}");
        }
    }
}
