//! `chl audit prove`: a receipt of one commit, which its holder verifies without the ledger.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step, StepToOwnExit},
    ledger::{Reading, decoded},
    output::Sink,
};
use chl_bus::{Concern, concern};
use chl_events::{ClaimId, Commit, DealId, Event, RecordedEvent};
use chl_proofs::{Checkpoint, Note, Receipt, TreeHead, prove_inclusion};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Writes a receipt: a commit with its proof, in one small text.
///
/// The form is C2SP tlog-proof with the entry in it. Of a claim or a deal it is the newest commit
/// that concerns nobody else; --position takes any. Whoever has the file and the ledger's public key
/// verifies it with `chl audit check`, or with a program of their own.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
#[group(required = true, multiple = false)]
pub(crate) struct Prove {
    /// The newest commit of this claim.
    #[arg(long)]
    claim: Option<ClaimId>,
    /// The newest commit of this deal.
    #[arg(long)]
    deal: Option<DealId>,
    /// The commit at this position, whomever it concerns.
    #[arg(long, value_name = "N")]
    position: Option<u64>,
}

impl Prove {
    /// Writes it.
    pub(crate) fn answer(&self, ledger: &Reading, sink: &mut dyn Sink) -> Outcome<Exit> {
        let (position, entry) = self.entry(ledger)?;
        let note = vouching(ledger, position)?;
        let text = note.unverified_text();
        let checkpoint: Checkpoint = text.parse().or_exit(Exit::Verification, "the checkpoint")?;
        let TreeHead { size, .. } = checkpoint.tree;
        let proof = ledger.proofs.with(|hashes| {
            prove_inclusion(hashes, size, position)
                .or_exit(Exit::Internal, format_args!("position {position} cannot be proved"))
        })?;
        let receipt = Receipt { entry, position, proof, note };
        // What does not convince us convinces nobody.
        let checked = receipt.verify(&ledger.proofs.keys(&[])?);
        checked.or_exit(Exit::Verification, "the receipt does not hold")?;
        receipt.to_string().lines().try_for_each(|line| sink.line(line))?;
        Ok(Exit::Success)
    }

    /// The commit that is meant, as its exact bytes.
    fn entry(&self, ledger: &Reading) -> Outcome<(u64, Vec<u8>)> {
        match (&self.claim, &self.deal, self.position) {
            (Some(claim), _, _) => newest(ledger, claim.as_str(), "claim"),
            (_, Some(deal), _) => newest(ledger, deal.as_str(), "deal"),
            (_, _, Some(position)) => {
                let found = ledger.log.commit_at(position).or_own_exit("the log cannot be read")?;
                let end = ledger.log.head().next;
                let none = || Failure::usage(format_args!("the log ends before position {end}"));
                Ok((position, found.ok_or_else(none)?))
            }
            (None, None, None) => Err(Failure::usage("which commit?")),
        }
    }
}

/// The newest commit of a claim or deal that concerns nobody else.
fn newest(ledger: &Reading, id: &str, field: &str) -> Outcome<(u64, Vec<u8>)> {
    let unread = "the log cannot be read";
    let mut newest = None;
    for block in ledger.log.read(0).or_own_exit(unread)? {
        let block = block.or_own_exit(unread)?;
        for (position, bytes) in (block.first()..).zip(block.commits()) {
            // Decoding every commit of a long history would take a minute for a million.
            if !holds(bytes, id.as_bytes()) {
                continue;
            }
            let commit = decoded(position, bytes)?;
            if is_of(&commit, id, field)? && concerns_one(&commit) {
                newest = Some((position, bytes.to_vec()));
            }
        }
    }
    newest.ok_or_else(|| {
        Failure::usage(format_args!(
            "no commit is of {field} {id} alone; `chl explain {field} {id}` lists the positions, and \
             --position proves any of them"
        ))
    })
}

fn holds(bytes: &[u8], id: &[u8]) -> bool {
    bytes.windows(id.len()).any(|window| window == id)
}

/// Whether every event of a commit names this claim or deal as its own.
fn is_of(commit: &Commit, id: &str, field: &str) -> Outcome<bool> {
    for RecordedEvent { event, .. } in &commit.events {
        let shown = serde_json::to_value(event).or_exit(Exit::Internal, "an event")?;
        let named = shown.get("data").and_then(|data| data.get(field)).and_then(Value::as_str);
        if named != Some(id) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether no event of a commit shows anything of a second partner.
fn concerns_one(commit: &Commit) -> bool {
    let own = |event: &Event| matches!(concern(event), Concern::Partner(_) | Concern::Deal(_));
    commit.events.iter().all(|recorded| own(&recorded.event))
}

/// A signed checkpoint that covers a position: the newest one, or a new one.
fn vouching(ledger: &Reading, position: u64) -> Outcome<Note> {
    let latest = ledger.proofs.notary().latest().ok().flatten();
    let keys = ledger.proofs.keys(&[])?;
    let covers = |note: &Note| {
        Checkpoint::open(note, &keys).is_ok_and(|checkpoint| checkpoint.tree.size > position)
    };
    match latest.filter(covers) {
        Some(note) => Ok(note),
        None => Ok(ledger.proofs.sign()?.0),
    }
}
