//! `chl audit check`: receipts verified without any ledger.

use super::keys::Keys;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::decoded,
    output::{Sheet, Sink},
    reads::{COMMIT_COLUMNS, NOBODY, commit_json},
};
use chl_proofs::{PublicKey, Receipt};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

/// Verifies receipts, and shows what was proved.
///
/// It needs the ledger's public key and no ledger: that a key of the ledger signed the checkpoint,
/// that the commit stands at its position in the signed history, and what the commit's bytes say.
/// Ends with 6 when one does not hold; nothing of that one is shown.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Check {
    /// Files that `chl audit prove` has written.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

const PROOF_COLUMNS: &[&str] = &["file", "holds", "why_not", "origin", "commits", "root"];
/// What of it fits on a terminal.
const PEOPLE: &[&str] = &["file", "holds", "why_not", "position", "recorded_at", "events"];

impl Check {
    /// Verifies each.
    pub(super) fn answer(&self, sink: &mut dyn Sink) -> Outcome<Exit> {
        let keys = self.keys.some()?;
        let columns = [PROOF_COLUMNS, COMMIT_COLUMNS].concat();
        let sheet = Sheet::new("", &columns).people(PEOPLE);
        sink.begin(&sheet)?;
        let mut exit = Exit::Success;
        for file in &self.files {
            let bytes = fs::read(file).or_exit(Exit::Usage, file.display())?;
            let mut row = match proved(&bytes, &keys) {
                Ok(row) => row,
                Err(failure) => {
                    exit = exit.worse(Exit::Verification);
                    json!({ "holds": false, "why_not": failure.to_string() })
                }
            };
            if let Some(fields) = row.as_object_mut() {
                fields.insert("file".to_owned(), file.display().to_string().into());
            }
            sink.row(sheet.values(row))?;
        }
        Ok(exit)
    }
}

/// What a receipt proves.
fn proved(bytes: &[u8], keys: &[PublicKey]) -> Outcome<Value> {
    let unbelieved = "it is not believed";
    let text = str::from_utf8(bytes).or_exit(Exit::Verification, unbelieved)?;
    let receipt: Receipt = text.parse().or_exit(Exit::Verification, unbelieved)?;
    let checkpoint = receipt.verify(keys).or_exit(Exit::Verification, unbelieved)?;
    let commit = decoded(receipt.position, &receipt.entry)?;
    if commit.position != receipt.position {
        return Err(Failure::new(
            Exit::Verification,
            format_args!("it says of itself that it stands at position {}", commit.position),
        ));
    }
    let mut row = commit_json(&commit, &NOBODY)?;
    if let Some(fields) = row.as_object_mut() {
        fields.insert("holds".to_owned(), true.into());
        fields.insert("origin".to_owned(), checkpoint.origin.into());
        fields.insert("commits".to_owned(), checkpoint.tree.size.into());
        fields.insert("root".to_owned(), checkpoint.tree.root.to_string().into());
    }
    Ok(row)
}
