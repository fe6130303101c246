//! Data on standard output: tables for people, lines for programs.

mod cell;
mod rows;
mod sink;
mod writer;

pub(crate) use cell::text as cell_text;
pub(crate) use rows::Rows;
pub(crate) use sink::{Sheet, Sink};
pub(crate) use writer::Output;

use std::io::IsTerminal;

/// The shapes in which data leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns, for people.
    Table,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header (RFC 4180); of several tables the first.
    Csv,
}

impl Format {
    /// The format asked for; else a table on a terminal and JSON lines in a pipe.
    pub(crate) fn or_default(asked: Option<Self>) -> Self {
        let terminal = std::io::stdout().is_terminal();
        asked.unwrap_or(if terminal { Self::Table } else { Self::Jsonl })
    }
}
