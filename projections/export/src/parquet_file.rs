//! One Parquet file: rows become columns, a row group at a time.

use crate::{
    ExportError,
    fields::{PLACES, Type, Value},
    files::ended,
};
use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, ListBuilder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use parquet::{
    arrow::ArrowWriter, basic::Compression, errors::ParquetError,
    file::properties::WriterProperties,
};
use std::{fs::File, path::PathBuf, sync::Arc};

/// So many rows are turned into columns at a time.
const ROWS_AT_ONCE: usize = 8192;
/// The digits of an amount.
const DIGITS: u8 = 38;

/// A file on its way.
pub(crate) struct ParquetFile {
    path: PathBuf,
    types: Vec<Type>,
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
    rows: Vec<Vec<Value>>,
}

impl ParquetFile {
    pub(crate) fn new(
        path: PathBuf,
        file: File,
        fields: &[(String, Type)],
    ) -> Result<Self, ExportError> {
        let schema = fields.iter().map(|(name, of)| Field::new(name, data_type(*of), true));
        let schema = Arc::new(Schema::new(schema.collect::<Vec<_>>()));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        let writer = writer.map_err(ExportError::parquet(&path))?;
        let types = fields.iter().map(|(_, of)| *of).collect();
        Ok(Self { path, types, schema, writer, rows: Vec::new() })
    }

    pub(crate) fn push(&mut self, row: Vec<Value>) -> Result<(), ExportError> {
        self.rows.push(row);
        if self.rows.len() < ROWS_AT_ONCE { Ok(()) } else { self.turn() }
    }

    /// Turns the rows that wait into columns.
    fn turn(&mut self) -> Result<(), ExportError> {
        let rows = std::mem::take(&mut self.rows);
        let columns = self.types.iter().enumerate().map(|(at, of)| {
            let values = rows.iter().map(move |row| row.get(at).unwrap_or(&Value::None));
            column(*of, values)
        });
        let written = columns
            .collect::<Result<Vec<_>, _>>()
            .and_then(|columns| RecordBatch::try_new(Arc::clone(&self.schema), columns))
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch));
        written.map_err(ExportError::parquet(&self.path))
    }

    /// Ends the file, durably; says how long it is.
    pub(crate) fn finish(mut self) -> Result<u64, ExportError> {
        if !self.rows.is_empty() {
            self.turn()?;
        }
        let file = self.writer.into_inner().map_err(ExportError::parquet(&self.path))?;
        ended(&file).map_err(ExportError::io(&self.path))
    }
}

fn amount_type() -> DataType {
    DataType::Decimal128(DIGITS, PLACES.cast_signed())
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Utf8, true))
}

fn data_type(of: Type) -> DataType {
    match of {
        Type::Whole => DataType::Int64,
        Type::Flag => DataType::Boolean,
        Type::Text => DataType::Utf8,
        Type::List => DataType::List(item()),
        Type::Day => DataType::Date32,
        Type::Moment => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::Amount => amount_type(),
        Type::Minor => DataType::Decimal128(DIGITS, 0),
    }
}

/// The values of one column; one that is none of its type is null.
fn column<'a>(
    of: Type,
    values: impl Iterator<Item = &'a Value>,
) -> Result<ArrayRef, arrow_schema::ArrowError> {
    let whole = |value: &Value| if let Value::Whole(one) = value { Some(*one) } else { None };
    Ok(match of {
        Type::Whole => {
            let mut builder = Int64Builder::new();
            values.for_each(|value| builder.append_option(whole(value)));
            Arc::new(builder.finish())
        }
        Type::Flag => {
            let mut builder = BooleanBuilder::new();
            values.for_each(|value| builder.append_option(whole(value).map(|one| one != 0)));
            Arc::new(builder.finish())
        }
        Type::Text => {
            let mut builder = StringBuilder::new();
            values.for_each(|value| builder.append_option(text(value)));
            Arc::new(builder.finish())
        }
        Type::List => {
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(item());
            for value in values {
                let words = text(value);
                for word in words.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
                    builder.values().append_value(word);
                }
                builder.append(words.is_some());
            }
            Arc::new(builder.finish())
        }
        Type::Day => {
            let mut builder = Date32Builder::new();
            for value in values {
                builder.append_option(if let Value::Day(d) = value {
                    Some(d.days())
                } else {
                    None
                });
            }
            Arc::new(builder.finish())
        }
        Type::Moment => {
            let mut builder = TimestampMicrosecondBuilder::new().with_timezone("UTC");
            for value in values {
                let at = if let Value::Moment(at) = value { Some(at.micros()) } else { None };
                builder.append_option(at);
            }
            Arc::new(builder.finish())
        }
        Type::Amount | Type::Minor => {
            let mut builder = Decimal128Builder::new().with_data_type(data_type(of));
            values.for_each(|value| builder.append_option(scaled(value)));
            Arc::new(builder.finish())
        }
    })
}

fn text(value: &Value) -> Option<&str> {
    if let Value::Text(text) = value { Some(text) } else { None }
}

fn scaled(value: &Value) -> Option<i128> {
    match value {
        Value::Amount(scaled, _) | Value::Minor(scaled) => Some(*scaled),
        Value::None | Value::Whole(_) | Value::Text(_) | Value::Day(_) | Value::Moment(_) => None,
    }
}
