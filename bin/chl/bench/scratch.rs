//! The folder in which is measured, on the disk of the user's ledgers and gone at the end.

use super::unusable;
use crate::{failure::Outcome, place::Place, talk};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A scratch folder; dropping it removes it.
pub(super) struct Scratch {
    dir: PathBuf,
    /// The folder of ledgers, where there was none before.
    made: Option<PathBuf>,
}

impl Scratch {
    /// Makes one under the folder of ledgers.
    pub(super) fn make(data: &Path) -> Outcome<Self> {
        let made = (!data.exists()).then(|| data.to_owned());
        let dir = data.join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&dir).map_err(|error| unusable(&dir, error))?;
        Ok(Self { dir, made })
    }

    /// The place of the ledger of a measurement.
    pub(super) fn place(&self, in_flight: usize) -> Outcome<Place> {
        Place::new(&self.dir, &format!("in-flight-{in_flight}"))
    }

    /// The plain file.
    pub(super) fn file(&self) -> PathBuf {
        self.dir.join("raw")
    }

    /// Removes it, and says so when that fails.
    pub(super) fn remove(self) -> Outcome {
        self.gone().map_err(|error| unusable(&self.dir, error))
    }

    fn gone(&self) -> std::io::Result<()> {
        if self.dir.exists() {
            fs::remove_dir_all(&self.dir)?;
        }
        match &self.made {
            Some(data) if data.exists() => fs::remove_dir(data),
            _ => Ok(()),
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = self.gone() {
            talk::say(&format!("{} is left behind: {error}", self.dir.display()));
        }
    }
}
