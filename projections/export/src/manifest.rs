//! The manifest: what an export holds and which position it stands for.

use crate::{ExportError, files::ended};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

/// Its file's name.
const NAME: &str = "export.json";

/// What an export holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The ledger.
    pub ledger: String,
    /// As many commits are folded into the rows.
    pub position: u64,
    /// When the last of them was recorded.
    pub recorded_at: Option<String>,
    /// The version of the tables.
    pub schema_version: u32,
    /// The read models that were frozen, and stand for less.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frozen: Vec<Still>,
    /// The files.
    pub files: Vec<Part>,
}

/// A read model that was frozen when it was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// The read model.
    pub view: String,
    /// As many commits are folded into its rows.
    pub position: u64,
    /// At which event it failed, and why.
    pub reason: String,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The read model.
    pub view: String,
    /// Its name, from the export's folder on.
    pub file: String,
    /// How many rows it has.
    pub rows: u64,
    /// How long it is.
    pub bytes: u64,
}

impl Manifest {
    /// Writes it as the last of an export's files.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), ExportError> {
        let (draft, path) = (folder.join(format!("{NAME}.new")), folder.join(NAME));
        let written = || {
            let mut file = File::create(&draft)?;
            serde_json::to_writer_pretty(&file, self)?;
            file.write_all(b"\n")?;
            ended(&file)?;
            fs::rename(&draft, &path)?;
            File::open(folder)?.sync_all()
        };
        written().map_err(ExportError::io(&path))
    }
}
