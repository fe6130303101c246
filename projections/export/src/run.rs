//! One export, from an empty folder to its manifest.

use crate::{
    ExportError, Format, Manifest,
    cards::{SCORECARDS, card_fields, card_values},
    fields::{Type, fields, values},
    files::Files,
    manifest::Still,
};
use chl_projections::Table;
use chl_runtime::{Reader, SCHEMA_VERSION, View};
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
}

/// Writes views into a folder that is empty or not there yet, all as of one position.
pub fn export(
    reader: &Reader,
    wanted: &Wanted,
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
    let mut card = cards.as_mut().map(|files| |values| files.push(card_values(values)));
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
