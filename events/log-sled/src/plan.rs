//! The plan of a repair: once it is written, a repair that is interrupted goes on where it was.

use crate::layout::Layout;
use chl_events::LedgerId;
use chl_log_files::Draft;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

const NAME: &str = "plan";

/// What a repair is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) ledger: LedgerId,
    /// Where the sealed files end that stay.
    pub(crate) whole_to: u64,
    /// Where the log will end.
    pub(crate) position: u64,
    /// The number of the new head; older ones are set aside.
    pub(crate) head: u64,
    /// The number of the folder for what is set aside.
    pub(crate) damaged: u64,
    /// The generation of the new witness.
    pub(crate) generation: u64,
}

impl Plan {
    fn path(layout: &Layout) -> PathBuf {
        layout.repair().join(NAME)
    }

    pub(crate) fn exists(layout: &Layout) -> bool {
        Self::path(layout).exists()
    }

    /// What was salvaged, until it is put in its place.
    pub(crate) fn salvaged(layout: &Layout) -> PathBuf {
        layout.repair().join("salvaged.blocks")
    }

    pub(crate) fn write(&self, layout: &Layout) -> io::Result<()> {
        let mut draft = Draft::create(&Self::path(layout))?;
        let ledger = u128::from_be_bytes(self.ledger.0);
        let Self { whole_to, position, head, damaged, generation, .. } = self;
        writeln!(draft, "{ledger} {whole_to} {position} {head} {damaged} {generation}")?;
        draft.publish()
    }

    pub(crate) fn read(layout: &Layout) -> io::Result<Self> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "the plan does not read");
        let text = fs::read_to_string(Self::path(layout))?;
        let mut words = text.split_whitespace();
        let ledger: u128 = words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong)?;
        let mut number = || words.next().and_then(|word| word.parse().ok()).ok_or_else(wrong);
        Ok(Self {
            ledger: LedgerId(ledger.to_be_bytes()),
            whole_to: number()?,
            position: number()?,
            head: number()?,
            damaged: number()?,
            generation: number()?,
        })
    }
}

/// Removes a folder that may not be there.
pub(crate) fn remove_if_there(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
