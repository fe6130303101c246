//! What the decision journal has noted, read back: refused commands, to be tried again.

use crate::journal::files;
use chl_events::Instant;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

/// A refusal of the journal; of a malformed document only its digest and its length are noted.
#[derive(Debug, Deserialize)]
pub struct Noted {
    /// When its group was decided.
    pub at: Instant,
    /// The code it was refused with.
    pub code: String,
    /// The type of the command.
    pub r#type: Option<String>,
    /// The command's id.
    pub id: Option<String>,
    /// Where it was sent from.
    pub source: Option<String>,
    /// Who sent it.
    pub actor: Option<String>,
    /// In what role.
    pub role: Option<String>,
    /// In whose name.
    pub onbehalfof: Option<String>,
    /// The sender's partner.
    pub partner: Option<String>,
    /// The position of the commit that came next, where the command itself is noted.
    pub before: Option<u64>,
    /// Its document, as an export of commands has it.
    pub document: Option<Box<RawValue>>,
    /// The SHA-256 of a malformed document, in hexadecimal digits.
    pub sha256: Option<String>,
    /// How many bytes a malformed document had.
    pub bytes: Option<u64>,
}

/// Reads a journal from its oldest line on; none where there is no journal.
///
/// A line that cannot be read is passed over: the last one may be half written.
pub fn noted(dir: &Path) -> io::Result<impl Iterator<Item = io::Result<Noted>> + use<>> {
    let files = if dir.is_dir() { files(dir)? } else { Vec::new() };
    Ok(files.into_iter().flat_map(|path| lines(&path)))
}

fn lines(path: &Path) -> Box<dyn Iterator<Item = io::Result<Noted>>> {
    match File::open(path) {
        // The writer keeps only the newest files, and may have removed the oldest meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Box::new(std::iter::empty()),
        Err(error) => Box::new(std::iter::once(Err(error))),
        Ok(file) => Box::new(BufReader::new(file).split(b'\n').filter_map(|line| match line {
            Ok(line) => serde_json::from_slice(&line).ok().map(Ok),
            Err(error) => Some(Err(error)),
        })),
    }
}
