//! Commands on claims of either fund.

use crate::catalog::area;
use chl_events::{
    ClaimId, Code, Date, FreeText, Fund, Money, PartnerId, ProgrammeId, RequestId, Stream,
    claim::{Outcome, PaymentMethod, Proof, RecoveryMethod},
};

/// The stream of a claim: its fund's.
fn fund(fund: Fund, programme: &ProgrammeId, partner: &PartnerId) -> Stream {
    let of = match fund {
        Fund::Coop => Stream::Coop,
        Fund::Mdf => Stream::Mdf,
        Fund::Rebate => Stream::Rebate,
    };
    of(programme.clone(), partner.clone())
}

area! {
    /// Commands on claims.
    Claim = "claim" {
        /// Claims co-op for an activity carried out.
        110, 1 => ClaimCoop by [Partner, Service]
            on |c| Some(fund(Fund::Coop, &c.programme, &c.partner)); of |c| Some(&c.partner);
            seals [] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What was done.
            activity: Code,
            /// What it cost.
            cost: Money,
            /// When it was done.
            activity_date: Date,
            /// Its proof.
            #[schemars(length(max = 32))]
            proof: Vec<Proof>,
        }
        /// Claims against an approved MDF request.
        111, 1 => ClaimMdf by [Partner, Service]
            on |c| Some(fund(Fund::Mdf, &c.programme, &c.partner)); of |c| Some(&c.partner);
            seals [] {
            /// The claim.
            claim: ClaimId,
            /// The request.
            request: RequestId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// What it cost.
            cost: Money,
            /// When it was done.
            activity_date: Date,
            /// Its proof.
            #[schemars(length(max = 32))]
            proof: Vec<Proof>,
            /// What the activity brought.
            #[serde(default)]
            outcome: Option<Outcome>,
            /// Whether it is the request's last claim; absent: yes.
            #[serde(default)]
            r#final: Option<bool>,
        }
        /// Adds proof, or the outcome, to an open claim.
        112, 1 => AddProof by [Partner, Service]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| Some(&c.partner);
            seals [] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// What to add.
            #[serde(default)]
            #[schemars(length(max = 32))]
            proof: Vec<Proof>,
            /// What the activity brought.
            #[serde(default)]
            outcome: Option<Outcome>,
        }
        /// Withdraws a submitted claim; its invoices are free again.
        113, 1 => WithdrawClaim by [Partner, Service]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| Some(&c.partner);
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Approves a submitted claim, in full or in part; never one's own.
        114, 1 => ApproveClaim by [ChannelManager, Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Rejects a submitted claim.
        115, 1 => RejectClaim by [ChannelManager, Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Disputes a rejection, once.
        116, 1 => DisputeClaim by [Partner, Service]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| Some(&c.partner);
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Pays an approved claim; never one that the payer approved.
        117, 1 => PayClaim by [Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// When it was paid; absent: the day of the command's time.
            #[serde(default)]
            paid_on: Option<Date>,
            /// How; absent: cash.
            #[serde(default)]
            method: Option<PaymentMethod>,
            /// Tax withheld, for cash.
            #[serde(default)]
            withheld: Option<Money>,
            /// The payment's reference.
            #[serde(default)]
            #[schemars(length(max = 128))]
            reference: Option<String>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Records that a payment failed or came back; the claim is payable again.
        118, 1 => FailPayment by [Finance, Service]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much of the last payment; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Demands back what was paid, or part of it.
        119, 1 => ClawbackClaim by [Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Records that money clawed back was recovered.
        120, 1 => RecoverClawback by [Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// How; absent: cash.
            #[serde(default)]
            method: Option<RecoveryMethod>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Gives up money that was clawed back.
        121, 1 => WriteOffClawback by [Finance]
            on |c| Some(fund(c.fund, &c.programme, &c.partner)); of |c| None;
            seals [note] {
            /// The claim.
            claim: ClaimId,
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The fund.
            fund: Fund,
            /// How much; absent: all of it.
            #[serde(default)]
            amount: Option<Money>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
    }
}
