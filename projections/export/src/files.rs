//! The files of one view: one, or one a month.

use crate::{
    ExportError, Part,
    fields::{Type, Value},
    parquet_file::ParquetFile,
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
};

/// The shape of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

impl Format {
    /// What its files' names end with.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// A view on its way into files.
pub(crate) struct Files<'a> {
    folder: &'a Path,
    format: Format,
    name: &'static str,
    fields: &'a [(String, Type)],
    /// The column by whose month it is cut.
    cut: Option<usize>,
    open: BTreeMap<Option<String>, Open>,
}

struct Open {
    relative: String,
    rows: u64,
    file: Kind,
}

enum Kind {
    Parquet(Box<ParquetFile>),
    Csv { path: PathBuf, writer: Box<csv::Writer<BufWriter<File>>> },
}

impl<'a> Files<'a> {
    pub(crate) fn new(
        folder: &'a Path,
        format: Format,
        name: &'static str,
        fields: &'a [(String, Type)],
        cut: Option<&str>,
    ) -> Result<Self, ExportError> {
        let cut = cut.and_then(|cut| fields.iter().position(|(name, _)| name == cut));
        let mut files = Self { folder, format, name, fields, cut, open: BTreeMap::new() };
        if files.cut.is_none() {
            // A view without rows has its columns all the same.
            files.file(None)?;
        }
        Ok(files)
    }

    /// Writes a row into the file it belongs to.
    pub(crate) fn push(&mut self, row: Vec<Value>) -> Result<(), ExportError> {
        let month = self.cut.map(|cut| match row.get(cut) {
            Some(Value::Day(day)) => day.to_string().get(..7).unwrap_or_default().to_owned(),
            _ => "none".to_owned(),
        });
        let open = self.file(month)?;
        open.rows += 1;
        match &mut open.file {
            Kind::Parquet(file) => file.push(row),
            Kind::Csv { path, writer } => {
                let row = row.into_iter().map(text);
                writer.write_record(row).map_err(|error| ExportError::io(path)(error.into()))
            }
        }
    }

    fn file(&mut self, month: Option<String>) -> Result<&mut Open, ExportError> {
        use std::collections::btree_map::Entry;
        match self.open.entry(month) {
            Entry::Occupied(open) => Ok(open.into_mut()),
            Entry::Vacant(vacant) => {
                let (name, extension) = (self.name, self.format.extension());
                let relative = match vacant.key() {
                    Some(month) => format!("{name}/month={month}/part.{extension}"),
                    None => format!("{name}.{extension}"),
                };
                let path = self.folder.join(&relative);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent).map_err(ExportError::io(parent))?;
                }
                let file = File::create_new(&path).map_err(ExportError::io(&path))?;
                let file = match self.format {
                    Format::Parquet => {
                        Kind::Parquet(Box::new(ParquetFile::new(path, file, self.fields)?))
                    }
                    Format::Csv => csv_file(path, file, self.fields)?,
                };
                Ok(vacant.insert(Open { relative, rows: 0, file }))
            }
        }
    }

    /// Ends all files, durably.
    pub(crate) fn finish(self) -> Result<Vec<Part>, ExportError> {
        let name = self.name;
        let ended = self.open.into_values().map(|Open { relative, rows, file }| {
            let bytes = match file {
                Kind::Parquet(file) => file.finish()?,
                Kind::Csv { path, writer } => {
                    let io = ExportError::io(&path);
                    let file = writer.into_inner().map_err(|error| error.into_error());
                    let file = file.and_then(|file| file.into_inner().map_err(|e| e.into_error()));
                    file.and_then(|file| ended(&file)).map_err(io)?
                }
            };
            Ok(Part { view: name.to_owned(), file: relative, rows, bytes })
        });
        ended.collect()
    }
}

/// Makes a file durable and says how long it is.
pub(crate) fn ended(file: &File) -> std::io::Result<u64> {
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

fn csv_file(path: PathBuf, file: File, fields: &[(String, Type)]) -> Result<Kind, ExportError> {
    let mut writer = Box::new(csv::Writer::from_writer(BufWriter::new(file)));
    let header = writer.write_record(fields.iter().map(|(name, _)| name));
    header.map_err(|error| ExportError::io(&path)(error.into()))?;
    Ok(Kind::Csv { path, writer })
}

fn text(value: Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Whole(whole) => whole.to_string(),
        Value::Text(text) | Value::Amount(_, text) => text,
        Value::Day(day) => day.to_string(),
        Value::Moment(at) => at.to_string(),
        Value::Minor(minor) => minor.to_string(),
    }
}
