//! Opens a map and the exports it names.

use super::plan::{self, Plan};
use super::source::{self, MapError, Source};
use super::table::{Table, TableError};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Says why an import cannot begin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportError {
    /// The map cannot be read.
    #[error("{}: {source}", map.display())]
    MapFile {
        /// The map.
        map: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Something is wrong in the map.
    #[error(transparent)]
    Map(#[from] MapError),
    /// An export cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// No file given is the export the map names.
    #[error(
        "the map reads {file:?} as {name:?}, and no such file is given; add its path, or \
        {name}=PATH where it has another name"
    )]
    Missing {
        /// The map's name of it.
        name: String,
        /// Its file name in the map.
        file: String,
    },
    /// A file given is not in the map.
    #[error("{}: the map reads no file of this name; it reads {known}", path.display())]
    Extra {
        /// The file.
        path: PathBuf,
        /// What the map reads.
        known: String,
    },
}

/// Reads a map and the exports it names, and plans the import.
///
/// An export is found by its file name, or given as `NAME=PATH` with the map's name of it.
pub(crate) fn open(map: &Path, files: &[PathBuf]) -> Result<Plan, ImportError> {
    let unread = |source| ImportError::MapFile { map: map.into(), source };
    let text = std::fs::read_to_string(map).map_err(unread)?;
    let name = map.display().to_string();
    let source = Source { name: &name, text: &text };
    let spec = source::parse(&source)?;
    let mut given: Vec<Option<&PathBuf>> = files.iter().map(Some).collect();
    let mut tables = BTreeMap::new();
    for (name, file) in &spec.files {
        let found = given.iter_mut().find_map(|path| {
            let file = path.and_then(|path| matching(path, name, file.file.get_ref()))?;
            *path = None;
            Some(file)
        });
        let path = found.ok_or_else(|| ImportError::Missing {
            name: name.clone(),
            file: file.file.get_ref().clone(),
        })?;
        let delimiter = match &file.delimiter {
            None => b',',
            Some(sign) => u8::try_from(*sign.get_ref()).map_err(|_| {
                let key = format!("files.{name}.delimiter");
                source.value(sign.span().start, &key, "one ASCII character separates fields")
            })?,
        };
        let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let reader = File::open(&path)
            .map_err(|source| TableError::Io { file: path.display().to_string(), source })?;
        tables.insert(name.clone(), Table::read(&shown, reader, delimiter)?);
    }
    if let Some(path) = given.into_iter().flatten().next() {
        let known: Vec<&str> =
            spec.files.values().map(|file| file.file.get_ref().as_str()).collect();
        return Err(ImportError::Extra { path: path.clone(), known: known.join(", ") });
    }
    Ok(plan::plan(&spec, &source, tables)?)
}

/// The path of a file given, when it is the one the map calls `name`.
fn matching(given: &Path, name: &str, file: &str) -> Option<PathBuf> {
    let text = given.to_str().unwrap_or("");
    match text.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
        Some(path) => Some(path.into()),
        None => (given.file_name() == Some(OsStr::new(file))).then(|| given.into()),
    }
}
