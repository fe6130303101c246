//! Public keys and checkpoints as a user gives them.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use chl_proofs::{Checkpoint, Note, PublicKey};
use std::{fs, path::PathBuf};

/// By which keys signatures are verified.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Keys {
    /// A public key that is believed, as `chl audit keygen` shows it, or a file with such keys, one
    /// a line; may be given several times.
    #[arg(long = "key", value_name = "KEY|FILE")]
    keys: Vec<String>,
}

impl Keys {
    /// The keys.
    pub(super) fn read(&self) -> Outcome<Vec<PublicKey>> {
        let mut read = Vec::new();
        for given in &self.keys {
            if let Ok(key) = given.parse() {
                read.push(key);
                continue;
            }
            let file = fs::read_to_string(given).or_exit(
                Exit::Usage,
                format_args!("--key {given}: it is no key, and no file that can be read"),
            )?;
            for line in file.lines().map(str::trim).filter(|line| !line.is_empty()) {
                read.push(line.parse().or_exit(Exit::Usage, format_args!("--key {given}"))?);
            }
        }
        Ok(read)
    }

    /// The keys, of which there must be one.
    pub(super) fn some(&self) -> Outcome<Vec<PublicKey>> {
        let keys = self.read()?;
        if keys.is_empty() {
            return Err(Failure::usage(
                "--key is missing: without the ledger's public key nothing is proved",
            ));
        }
        Ok(keys)
    }
}

/// Reads the texts of signed checkpoints.
pub(super) fn texts(files: &[PathBuf]) -> Outcome<Vec<String>> {
    let read = |file: &PathBuf| {
        fs::read_to_string(file).or_exit(Exit::Usage, format_args!("--against {}", file.display()))
    };
    files.iter().map(read).collect()
}

/// The checkpoints of their texts, each vouched for by one of the keys.
pub(super) fn checkpoints(texts: &[String], keys: &[PublicKey]) -> Outcome<Vec<Checkpoint>> {
    let open = |text: &String| {
        let note: Note = text.parse().or_exit(Exit::Verification, "--against")?;
        Checkpoint::open(&note, keys).or_exit(Exit::Verification, "--against")
    };
    texts.iter().map(open).collect()
}
