//! One export, from an empty folder to its manifest.

use crate::{
    ExportError, Format, Manifest, Part,
    cards::{SCORECARDS, card_fields, json_values},
    fields::{Type, fields, values},
    files::Files,
    manifest::Still,
};
use chl_projections::Table;
use chl_runtime::{Reader, SCHEMA_VERSION, View};
use serde_json::Value as Json;
use std::{fs, path::Path};

/// The views that are cut by the month of a date.
fn cut(view: View) -> Option<&'static str> {
    match view {
        View::Postings => Some("posted_on"),
        View::Days => Some("day"),
        View::Balances
        | View::Deals
        | View::Conflicts
        | View::Customers
        | View::Figures
        | View::Claims
        | View::Requests
        | View::Lots
        | View::Partners
        | View::Tiers
        | View::Certifications
        | View::Measures
        | View::Programmes => None,
    }
}

/// A view on its way, and what its rows are made of.
struct Writing<'a> {
    view: View,
    table: &'static Table,
    files: Files<'a>,
}

/// What is exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The views.
    pub views: Vec<View>,
    /// Whether scorecards of every calendar period with facts are made from them.
    pub scorecards: bool,
    /// Tables that are no read models.
    pub listed: Vec<Listed>,
}

/// A table that is no read model, as JSON; what is no number is text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// Its columns, with whether they hold whole numbers.
    pub columns: Vec<(&'static str, bool)>,
    /// Its rows, a value for each column.
    pub rows: Vec<Vec<Json>>,
}

impl Listed {
    /// Writes it into a file of its own.
    fn write(self, folder: &Path, format: Format) -> Result<Vec<Part>, ExportError> {
        let typed = |(name, whole): &(&str, bool)| {
            ((*name).to_owned(), if *whole { Type::Whole } else { Type::Text })
        };
        let columns: Vec<(String, Type)> = self.columns.iter().map(typed).collect();
        let mut files = Files::new(folder, format, self.name, &columns, None)?;
        self.rows.into_iter().try_for_each(|row| files.push(json_values(row)))?;
        files.finish()
    }
}

/// Writes views into a folder that is empty or not there yet, all as of one position.
pub fn export(
    reader: &Reader,
    wanted: Wanted,
    folder: &Path,
    format: Format,
) -> Result<Manifest, ExportError> {
    let views = wanted.views.as_slice();
    fs::create_dir_all(folder).map_err(ExportError::io(folder))?;
    let mut inside = fs::read_dir(folder).map_err(ExportError::io(folder))?;
    if inside.next().is_some() {
        return Err(ExportError::Occupied(folder.to_owned()));
    }
    let columns: Vec<Vec<(String, Type)>> = views.iter().map(|view| fields(view.table())).collect();
    let begun = views.iter().zip(&columns).map(|(view, columns)| {
        let files = Files::new(folder, format, view.name(), columns, cut(*view))?;
        Ok(Writing { view: *view, table: view.table(), files })
    });
    let mut begun = begun.collect::<Result<Vec<_>, ExportError>>()?;
    let of_cards = card_fields();
    let cards = wanted.scorecards.then(|| Files::new(folder, format, SCORECARDS, &of_cards, None));
    let mut cards = cards.transpose()?;
    let mut card = cards.as_mut().map(|files| |values| files.push(json_values(values)));
    let checkpoint = reader.dump(
        views,
        |view, cells| {
            let Some(writing) = begun.iter_mut().find(|writing| writing.view == view) else {
                return Ok(());
            };
            writing.files.push(values(writing.table, cells)?)
        },
        card.as_mut().map(|card| card as _),
    )?;
    let mut files = Vec::new();
    for writing in begun.into_iter().map(|writing| writing.files).chain(cards) {
        files.extend(writing.finish()?);
    }
    for listed in wanted.listed {
        files.extend(listed.write(folder, format)?);
    }
    let frozen = reader.frozen(View::ALL)?.into_iter().map(|one| Still {
        view: one.view.to_owned(),
        position: one.position,
        reason: one.to_string(),
    });
    let manifest = Manifest {
        ledger: checkpoint.ledger.to_string(),
        position: checkpoint.position,
        recorded_at: checkpoint.recorded_at.map(|at| at.to_string()),
        schema_version: SCHEMA_VERSION,
        frozen: frozen.collect(),
        files,
    };
    manifest.write(folder)?;
    Ok(manifest)
}
