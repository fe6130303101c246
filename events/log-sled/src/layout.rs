//! What lies where in a ledger's folder.

use chl_log_files::{SealedFolder, remove_unfinished};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The names in a ledger's folder.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

/// The states a head's folder goes through; its name says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It is being made and holds nothing.
    New,
    /// It holds blocks, or will.
    Head,
    /// Its blocks are sealed, and it is being removed.
    Gone,
}

impl Phase {
    fn prefix(self) -> &'static str {
        match self {
            Self::New => "new-",
            Self::Head => "head-",
            Self::Gone => "gone-",
        }
    }
}

const DAMAGED: &str = "damaged-";

impl Layout {
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn witness(&self) -> PathBuf {
        self.dir.join("witness")
    }

    /// The folder of the sealed files.
    pub(crate) fn sealed_folder(&self) -> SealedFolder {
        SealedFolder::new(&self.sealed_dir())
    }

    pub(crate) fn sealed_dir(&self) -> PathBuf {
        self.dir.join("sealed")
    }

    pub(crate) fn sealed(&self, first: u64) -> PathBuf {
        self.sealed_folder().path(first)
    }

    pub(crate) fn head(&self, phase: Phase, number: u64) -> PathBuf {
        self.dir.join(format!("{}{number:08}", phase.prefix()))
    }

    pub(crate) fn damaged(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{DAMAGED}{number:04}"))
    }

    pub(crate) fn repair(&self) -> PathBuf {
        self.dir.join("repair")
    }

    /// The numbers of the heads in a phase, rising.
    pub(crate) fn heads(&self, phase: Phase) -> io::Result<Vec<u64>> {
        self.numbered(phase.prefix())
    }

    /// The numbers of what repairs have set aside, rising.
    pub(crate) fn damages(&self) -> io::Result<Vec<u64>> {
        self.numbered(DAMAGED)
    }

    fn numbered(&self, prefix: &str) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let name = entry?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(prefix));
            numbers.extend(number.and_then(|digits| digits.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The sealed files, in the order of their first positions.
    pub(crate) fn sealed_files(&self) -> io::Result<Vec<PathBuf>> {
        self.sealed_folder().files()
    }

    /// Removes what a crash left of steps that had not come into force.
    pub(crate) fn sweep(&self) -> io::Result<()> {
        for phase in [Phase::New, Phase::Gone] {
            for number in self.heads(phase)? {
                fs::remove_dir_all(self.head(phase, number))?;
            }
        }
        remove_unfinished(&self.dir)?;
        remove_unfinished(&self.sealed_dir())
    }
}
