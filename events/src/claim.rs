//! Facts of claims on a co-op or MDF fund.

use crate::{
    ClaimId, Code, Date, Exact, LotId, Money, PartnerId, ProgrammeId, Rate, RequestId, Sealed,
    event::area,
    posting::{Fund, vocabulary},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// How a claim is paid.
    PaymentMethod {
        /// Cash.
        Cash = 1 => "cash",
        /// A credit memo.
        CreditMemo = 2 => "credit_memo",
        /// Set off against what the partner owes.
        Netting = 3 => "netting",
    }
}

vocabulary! {
    /// How money clawed back is recovered.
    RecoveryMethod {
        /// Cash.
        Cash = 1 => "cash",
        /// Set off against what is payable to the partner.
        Netting = 2 => "netting",
    }
}

/// Proof of performance: the document lives elsewhere, its digest is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// What it is: `invoice`, `screenshot`, `attendee_list` and so on, as the terms name it.
    pub kind: Code,
    /// Who issued it.
    #[serde(default)]
    #[schemars(length(max = 128))]
    pub issuer: Option<String>,
    /// The issuer's number of it.
    #[serde(default)]
    #[schemars(length(max = 128))]
    pub number: Option<String>,
    /// SHA-256 of the document, 64 lowercase hexadecimal digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// The amount it shows.
    #[serde(default)]
    pub amount: Option<Money>,
}

/// A part of a claim's money and the lot it is from; without a lot for MDF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// The lot.
    pub lot: Option<LotId>,
    /// How much.
    pub amount: Money,
}

/// What an activity brought, as the partner reports it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Leads.
    #[serde(default)]
    pub leads: Option<u32>,
    /// Revenue attributed to it.
    #[serde(default)]
    pub revenue: Option<Money>,
}

area! {
    /// Facts of claims.
    ClaimEvent {
        /// A claim on co-op was submitted and its money held.
        110, 1 => CoopClaimed {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The version of the terms that decided.
            programme_version: u32,
            /// What was done.
            activity: Code,
            /// What it cost.
            cost: Money,
            /// When it was done.
            activity_date: Date,
            /// Its proof.
            proof: Vec<Proof>,
            /// The vendor's share of the cost.
            match_rate: Rate,
            /// The vendor's share before rounding, in units of the currency.
            unrounded: Exact,
            /// The vendor's share.
            requested: Money,
            /// What is held: the share, capped by the terms and by what is available.
            granted: Money,
            /// From which lots.
            parts: Vec<Part>,
        }
        /// A claim on an approved MDF request was submitted and its money held.
        111, 1 => MdfClaimed {
            /// The claim.
            claim: ClaimId,
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The version of the terms that decided.
            programme_version: u32,
            /// What was done.
            activity: Code,
            /// What it cost.
            cost: Money,
            /// When it was done.
            activity_date: Date,
            /// Its proof.
            proof: Vec<Proof>,
            /// The vendor's share of the cost.
            match_rate: Rate,
            /// The vendor's share before rounding, in units of the currency.
            unrounded: Exact,
            /// The vendor's share.
            requested: Money,
            /// What is held: the share, capped by what is reserved.
            granted: Money,
            /// What the activity brought.
            outcome: Option<Outcome>,
            /// Whether it is the request's last.
            is_final: bool,
        }
        /// Proof was added to a claim.
        112, 1 => ProofAdded {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What was added.
            proof: Vec<Proof>,
            /// What the activity brought, when it is reported now.
            outcome: Option<Outcome>,
        }
        /// A claim was withdrawn; its invoices are free again.
        113, 1 => ClaimWithdrawn {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What is no longer held.
            released: Vec<Part>,
            /// What of it expired at once, because its lot had.
            expired: Vec<Part>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A claim was approved, in full or in part.
        114, 1 => ClaimApproved {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What is payable.
            amount: Money,
            /// From which lots.
            parts: Vec<Part>,
            /// What is no longer held.
            released: Vec<Part>,
            /// What of it expired at once, because its lot had.
            expired: Vec<Part>,
            /// MDF: what of the reservation went back to the partner's allocation.
            unreserved: Option<Money>,
            /// Whether the approval was brought in without the names of those who gave it.
            imported: bool,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A claim was rejected; its invoices are free again.
        115, 1 => ClaimRejected {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What is no longer held.
            released: Vec<Part>,
            /// What of it expired at once, because its lot had.
            expired: Vec<Part>,
            /// Whether it was disputed before, so that this is the last word.
            is_final: bool,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A rejection was disputed, once; what is available then is held anew.
        116, 1 => ClaimDisputed {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What is held now.
            granted: Money,
            /// From which lots.
            parts: Vec<Part>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// A claim was paid.
        117, 1 => ClaimPaid {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much, tax withheld included.
            amount: Money,
            /// From which lots.
            parts: Vec<Part>,
            /// How.
            method: PaymentMethod,
            /// Tax withheld.
            withheld: Money,
            /// When.
            paid_on: Date,
            /// The payment's reference.
            reference: Option<String>,
        }
        /// A payment failed or came back; the claim is payable again.
        118, 1 => PaymentFailed {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much.
            amount: Money,
            /// To which lots.
            parts: Vec<Part>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// What was paid, or part of it, was demanded back.
        119, 1 => ClaimClawedBack {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much.
            amount: Money,
            /// Of which lots.
            parts: Vec<Part>,
            /// MDF: whether it went back to the partner's allocation; else to the budget.
            restored: bool,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// Money clawed back was recovered.
        120, 1 => ClawbackRecovered {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much.
            amount: Money,
            /// How.
            method: RecoveryMethod,
            /// The lots whose payable was set off, for netting.
            parts: Vec<Part>,
            /// In the sender's words.
            note: Option<Sealed>,
        }
        /// Money clawed back was given up.
        121, 1 => ClawbackWrittenOff {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much.
            amount: Money,
            /// In the sender's words.
            note: Option<Sealed>,
        }
    }
}
