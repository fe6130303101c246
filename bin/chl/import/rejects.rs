//! Rejects: rows that did not become commands, written beside with the reason.

use super::plan::Reject;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Says why rejects cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(crate) struct RejectsError {
    path: PathBuf,
    source: csv::Error,
}

/// Writes rejects into a folder, a file for each export that has any: `NAME.rejects.csv`.
///
/// The columns are `line`, `command` (empty when the whole row is outside), `reason`, and then
/// those of the export, so that a mended file is an export again once they are cut off.
pub(crate) struct Rejects {
    folder: PathBuf,
    files: BTreeMap<String, (PathBuf, csv::Writer<File>)>,
}

impl Rejects {
    /// Writes into a folder, which exists; nothing is made before the first reject.
    pub(crate) fn into_folder(folder: &Path) -> Self {
        Self { folder: folder.into(), files: BTreeMap::new() }
    }

    /// Writes a reject; `header` are the columns of its export.
    pub(crate) fn write(&mut self, reject: &Reject, header: &[String]) -> Result<(), RejectsError> {
        if !self.files.contains_key(&reject.file) {
            let writer = self.open(&reject.file, header)?;
            self.files.insert(reject.file.clone(), writer);
        }
        let Some((path, writer)) = self.files.get_mut(&reject.file) else { return Ok(()) };
        let line = reject.line.to_string();
        let own = [line.as_str(), reject.command.unwrap_or(""), &reject.reason];
        let fields = own.into_iter().chain(reject.fields.iter().map(String::as_str));
        writer.write_record(fields).map_err(|source| RejectsError { path: path.clone(), source })
    }

    fn open(
        &self,
        file: &str,
        header: &[String],
    ) -> Result<(PathBuf, csv::Writer<File>), RejectsError> {
        let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
        let path = self.folder.join(format!("{stem}.rejects.csv"));
        let failed = |source| RejectsError { path: path.clone(), source };
        // A row that could not be taken apart is longer or shorter than its header.
        let mut writer =
            csv::WriterBuilder::new().flexible(true).from_path(&path).map_err(failed)?;
        let own = ["line", "command", "reason"];
        let columns = own.into_iter().chain(header.iter().map(String::as_str));
        writer.write_record(columns).map_err(failed)?;
        Ok((path, writer))
    }

    /// Ends the files and tells where they are.
    pub(crate) fn finish(self) -> Result<Vec<PathBuf>, RejectsError> {
        let files = self.files.into_values().map(|(path, mut writer)| match writer.flush() {
            Ok(()) => Ok(path),
            Err(source) => Err(RejectsError { path, source: source.into() }),
        });
        files.collect()
    }
}
