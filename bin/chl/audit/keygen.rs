//! `chl audit keygen`: a key that signs the ledger's checkpoints.

use crate::{
    exit::Exit,
    failure::{Outcome, Step},
    ledger::{Reading, unsigned},
    output::{Sheet, Sink},
};
use chl_proofs::PrivateKey;
use rand::{TryRng, rngs::SysRng};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Makes a key that signs the ledger's checkpoints from now on, and shows its public half.
///
/// Give the public half to those who are to verify. The private half stays in the ledger's folder,
/// where its owner alone may read it; it is in no backup. While there are several keys, each signs:
/// make the new one, let everybody have its public half, then delete the old one's file. What the
/// old one signed stays verified by its public half.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct Keygen {}

impl Keygen {
    /// Makes it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let origin = ledger.proofs.origin()?;
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).or_exit(Exit::Internal, "no random numbers")?;
        let key = PrivateKey::new(&origin, secret)
            .or_exit(Exit::Usage, "the ledger's origin cannot sign checkpoints")?;
        let file = ledger.proofs.notary().add(&key).map_err(unsigned)?;
        let sheet = Sheet::new("", &["key", "private_file"]);
        sink.begin(&sheet)?;
        sink.row(sheet.values(json!({
            "key": key.public().to_string(), "private_file": file.display().to_string(),
        })))?;
        Ok(Exit::Success)
    }
}
