//! `chl export`: the read models as files for other tools.

use super::{
    commits::NOBODY,
    moment::{Moment, note, note_frozen},
    query::{known_view, unasked},
    refusals::{self, REFUSALS},
    rows::SCORECARDS,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Reading,
    output::{Sheet, Sink},
    place::absolute_folder,
};
use chl_export::{ExportError, Format, Listed, Wanted, export};
use chl_runtime::View;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::PathBuf;

/// Writes the read models into a folder, as Parquet or CSV, all as of one position.
///
/// Amounts are exact decimals, with the same in minor units beside; instants are in UTC. Postings
/// and days are cut by month, in folders that DuckDB, Spark and pandas read as one table
/// (`postings/month=2026-03/part.parquet`). The file export.json comes last and says what the folder
/// holds: without it, the export did not end.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct ExportViews {
    /// A folder that is empty or not there yet.
    #[arg(value_name = "FOLDER")]
    to: PathBuf,
    /// The read models; without one all. `scorecards` are those of every calendar month, quarter,
    /// half and year with facts; `refusals` are what this machine's journal has noted, as of now
    /// alone.
    #[arg(value_name = "VIEW", value_parser = known_view())]
    views: Vec<String>,
    /// The shape of the files.
    #[arg(long, value_name = "SHAPE", value_enum, default_value_t = Shape::Parquet)]
    format: Shape,
    #[command(flatten)]
    moment: Moment,
}

/// The shapes an export can have.
#[derive(Debug, Clone, Copy, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    /// Apache Parquet: typed columns, exact decimals.
    Parquet,
    /// Comma-separated values with a header (RFC 4180).
    Csv,
}

impl ExportViews {
    /// The same, with a folder that every process understands alike.
    pub(crate) fn absolute(self) -> Outcome<Self> {
        Ok(Self { to: absolute_folder(&self.to)?, ..self })
    }

    /// Writes them.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let mut past = self.moment.open(ledger)?;
        let asked = |of: &str| self.views.is_empty() || self.views.iter().any(|name| name == of);
        let views = View::ALL.iter().filter(|view| asked(view.name())).copied().collect();
        let of_now = self.moment.as_of.is_none() && self.moment.effective.is_none();
        if !of_now && self.views.iter().any(|name| name == REFUSALS) {
            return Err(Failure::usage("refusals are exported as of now alone"));
        }
        let listed = if of_now && asked(REFUSALS) { vec![refused(ledger)?] } else { Vec::new() };
        let wanted = Wanted { views, scorecards: asked(SCORECARDS), listed };
        let format = match self.format {
            Shape::Parquet => Format::Parquet,
            Shape::Csv => Format::Csv,
        };
        let manifest = export(past.reader(), wanted, &self.to, format).map_err(unexported)?;
        let sheet = Sheet::new("", &["view", "file", "rows", "bytes"]);
        sink.begin(&sheet)?;
        for part in &manifest.files {
            sink.row(sheet.values(json!({
                "view": part.view, "file": part.file, "rows": part.rows, "bytes": part.bytes,
            })))?;
        }
        let recorded_at = manifest.recorded_at.as_deref().and_then(|at| at.parse().ok());
        note(sink, manifest.position, recorded_at)?;
        note_frozen(sink, &past.reader().frozen(View::ALL).map_err(unasked)?)?;
        Ok(Exit::Success)
    }
}

pub(super) fn unexported(error: ExportError) -> Failure {
    let exit = match error {
        ExportError::Read(error) => return unasked(error),
        ExportError::Occupied(_) => Exit::Usage,
        ExportError::Io { .. } | ExportError::Parquet { .. } | ExportError::TooLarge { .. } => {
            Exit::Internal
        }
    };
    Failure::Told { exit, error: anyhow::Error::new(error) }
}

/// The journal of refused commands, its texts sealed.
fn refused(ledger: &Reading) -> Outcome<Listed> {
    let columns = refusals::COLUMNS;
    let rows = refusals::rows(ledger, &NOBODY)?.map(|row| {
        let mut row = row?;
        Ok(columns.iter().map(|name| row.remove(*name).unwrap_or_default()).collect())
    });
    let columns = columns.iter().map(|name| (*name, refusals::WHOLE.contains(name))).collect();
    Ok(Listed { name: REFUSALS, columns, rows: rows.collect::<Outcome<_>>()? })
}
