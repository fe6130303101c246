//! One export, from an empty folder to its manifest.

use crate::{
    ExportError, Format, Manifest,
    fields::{Type, fields, values},
    files::Files,
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

/// Writes views into a folder that is empty or not there yet, all as of one position.
pub fn export(
    reader: &Reader,
    views: &[View],
    folder: &Path,
    format: Format,
) -> Result<Manifest, ExportError> {
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
    let checkpoint = reader.dump(views, |view, cells| {
        let Some(writing) = begun.iter_mut().find(|writing| writing.view == view) else {
            return Ok(());
        };
        writing.files.push(values(writing.table, cells)?)
    })?;
    let mut files = Vec::new();
    for writing in begun {
        files.extend(writing.files.finish()?);
    }
    let manifest = Manifest {
        ledger: checkpoint.ledger.to_string(),
        position: checkpoint.position,
        recorded_at: checkpoint.recorded_at.map(|at| at.to_string()),
        schema_version: SCHEMA_VERSION,
        files,
    };
    manifest.write(folder)?;
    Ok(manifest)
}
