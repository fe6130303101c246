//! Proof of performance: what is well formed, what the terms ask for, and invoices that stand on
//! one live claim in the whole ledger.

use super::ClaimRejection;
use super::state::Invoice;
use crate::rejection::AnyRejection;
use crate::{Facts, Refusal, RowsMut, money, rows};
use chl_events::claim::{Outcome, Proof};
use chl_events::terms::ProofRule;
use chl_events::{ClaimId, Code};
use compact_str::CompactString;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The most proofs of one claim, as many as one command may bring (schema of `ClaimCoop`).
const MAX_PROOFS: usize = 32;
/// The longest issuer, number or reference, in characters (schema of `Proof` and `PayClaim`).
const MAX_TEXT: usize = 128;
/// The kind of proof whose document pays for one claim only (contract).
const INVOICE: &str = "invoice";

/// Checks what the types of a proof cannot: digests, lengths, amounts.
pub(super) fn check(proofs: &[Proof], present: usize) -> Result<(), AnyRejection> {
    let wrong = |field: String, problem: &str| Err(AnyRejection::data(field, problem));
    if proofs.len().saturating_add(present) > MAX_PROOFS {
        return wrong("proof".into(), "a claim has at most 32 proofs");
    }
    for (at, proof) in proofs.iter().enumerate() {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if proof.sha256.len() != 64 || !proof.sha256.bytes().all(hex) {
            return wrong(format!("proof[{at}].sha256"), "is no SHA-256 in lowercase hexadecimal");
        }
        for (name, text) in [("issuer", &proof.issuer), ("number", &proof.number)] {
            check_text(&format!("proof[{at}].{name}"), text.as_deref())?;
        }
        if let Some(amount) = proof.amount {
            money::positive(amount, &format!("proof[{at}].amount"))?;
        }
    }
    Ok(())
}

/// Checks a reference of the outside: not empty, not too long.
pub(super) fn check_text(field: &str, text: Option<&str>) -> Result<(), AnyRejection> {
    let Some(text) = text else { return Ok(()) };
    if text.trim().is_empty() || text.chars().count() > MAX_TEXT {
        let problem = "must have 1 to 128 characters";
        return Err(AnyRejection::data(field, problem));
    }
    Ok(())
}

/// Checks what an activity is said to have brought.
pub(super) fn check_outcome(outcome: Option<&Outcome>) -> Result<(), AnyRejection> {
    match outcome.and_then(|outcome| outcome.revenue) {
        Some(revenue) if revenue.minor() < 0 => {
            let problem = "must not be negative";
            Err(AnyRejection::data("outcome.revenue", problem))
        }
        Some(_) | None => Ok(()),
    }
}

/// The first kind of proof that the terms ask for and that is missing.
pub(super) fn missing(
    rules: &[ProofRule],
    activity: &Code,
    proofs: &[Proof],
) -> Result<(), ClaimRejection> {
    let asked = rules
        .iter()
        .filter(|rule| rule.activity.as_ref().is_none_or(|of| of == activity))
        .flat_map(|rule| &rule.kinds);
    let has = |kind: &Code| proofs.iter().any(|proof| proof.kind == *kind);
    match asked.into_iter().find(|kind| !has(kind)) {
        Some(kind) => Err(ClaimRejection::ProofMissing { kind: kind.clone() }),
        None => Ok(()),
    }
}

/// The keys under which a proof may stand on one live claim only; none for other documents.
///
/// An invoice is a proof of kind `invoice`, and any document with an issuer and a number, so that
/// another word for the same paper does not pay twice. Its keys: `d` and its digest; `n` and the
/// SHA-256 of issuer, a zero byte and number, without outer white space.
fn keys_of(proof: &Proof) -> Vec<CompactString> {
    let named = proof.issuer.as_deref().zip(proof.number.as_deref()).map(|(issuer, number)| {
        let mut hash = Sha256::new();
        hash.update(issuer.trim());
        hash.update([0]);
        hash.update(number.trim());
        CompactString::from(format!("n{}", HEXLOWER.encode(&hash.finalize())))
    });
    if named.is_none() && proof.kind.as_str() != INVOICE {
        return Vec::new();
    }
    let digest = CompactString::from(format!("d{}", proof.sha256));
    std::iter::once(digest).chain(named).collect()
}

/// The keys of the invoices among some proofs, each once.
pub(super) fn invoices(proofs: &[Proof]) -> Vec<CompactString> {
    let keys: BTreeSet<_> = proofs.iter().flat_map(keys_of).collect();
    keys.into_iter().collect()
}

/// Checks that invoices stand on no live claim.
pub(super) fn check_free(facts: Facts<'_>, keys: &[CompactString]) -> Result<(), Refusal> {
    for key in keys {
        if facts.get::<Invoice>(key)?.is_some() {
            return Err(ClaimRejection::InvoiceTaken { invoice: key.to_string() }.into());
        }
    }
    Ok(())
}

/// Puts invoices on a claim.
pub(super) fn take(rows: &mut dyn RowsMut, keys: &[CompactString], claim: &ClaimId) {
    for key in keys {
        rows::put(rows, key, Invoice { claim: claim.clone() });
    }
}

/// Frees a claim's invoices.
pub(super) fn free(rows: &mut dyn RowsMut, keys: &[CompactString]) {
    for key in keys {
        rows::remove::<Invoice>(rows, key);
    }
}
