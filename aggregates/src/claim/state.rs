//! States of claims: a row for each claim, and one for each invoice on a live claim.

use super::ClaimRejection;
use crate::{Facts, Refusal, RowsMut, Unavailable, coop, money, partner, programme, rows};
use chl_events::claim::{Part, PaymentMethod};
use chl_events::{
    ActorId, ClaimId, Code, Commit, Currency, Date, Fund, Instant, LotId, Money, PartnerId,
    ProgrammeId, RequestId,
};
use compact_str::CompactString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimState {
    /// Its money is held.
    Submitted,
    /// Its money is payable, in part or in full.
    Approved,
    /// All that was approved is paid.
    Paid,
    /// Rejected; may be disputed once.
    Rejected,
    /// Rejected for good.
    Final,
    /// Withdrawn.
    Withdrawn,
}

impl ClaimState {
    /// The word, as in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Paid => "paid",
            Self::Rejected => "rejected",
            Self::Final => "rejected for good",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The fund it draws on.
    pub fund: Fund,
    /// The partner.
    pub partner: PartnerId,
    /// The programme.
    pub programme: ProgrammeId,
    /// The version whose terms decide on it.
    pub programme_version: u32,
    /// What was done.
    pub activity: Code,
    /// When it was done.
    pub activity_date: Date,
    /// The vendor's share of its cost.
    pub requested: Money,
    /// MDF: its request, and whether it is the request's last claim.
    pub request: Option<(RequestId, bool)>,
    /// Where it stands.
    pub state: ClaimState,
    /// When it last changed.
    pub latest: Instant,
    /// Who sent it in, and who disputed it.
    pub authors: Vec<ActorId>,
    /// Who approved it; none before, and none where an import did not say.
    pub approved_by: Option<ActorId>,
    /// Whether its rejection was disputed.
    pub disputed: bool,
    /// Whether its outcome is reported.
    pub outcome: bool,
    /// How many proofs it has.
    pub proofs: usize,
    /// The keys of its invoices.
    pub invoices: Vec<CompactString>,
    /// Its money by lot; one part without a lot for MDF.
    pub parts: Vec<ClaimPart>,
    /// What was paid and did not come back, in order.
    pub payments: Vec<Payment>,
    /// What of the clawback was recovered or given up.
    pub settled: Money,
}

/// A claim's money of one lot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimPart {
    /// The lot; none for MDF.
    pub lot: Option<LotId>,
    /// On hold (HL).
    pub held: Money,
    /// Approved and not paid (PL).
    pub payable: Money,
    /// Paid, net of what came back.
    pub paid: Money,
    /// Clawed back of what was paid.
    pub clawed_back: Money,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// Of which lots, tax withheld included.
    pub parts: Vec<Part>,
    /// Tax withheld.
    pub withheld: Money,
    /// How.
    pub method: PaymentMethod,
}

/// An invoice on a live claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Invoice {
    /// The claim.
    pub claim: ClaimId,
}

impl ClaimPart {
    pub(super) fn held(part: &Part) -> Self {
        let zero = part.amount.currency().zero();
        let lot = part.lot.clone();
        Self { lot, held: part.amount, payable: zero, paid: zero, clawed_back: zero }
    }

    /// What was paid and not demanded back.
    pub(super) fn kept(&self) -> Money {
        money::less(self.paid, self.clawed_back)
    }
}

impl Claim {
    pub(super) fn currency(&self) -> Currency {
        self.requested.currency()
    }

    /// The sum of one kind of money over its parts.
    pub(super) fn sum(&self, of: fn(&ClaimPart) -> Money) -> Money {
        money::total(self.currency(), self.parts.iter().map(of))
    }

    /// One kind of money by lot.
    pub(super) fn by_lot(&self, of: fn(&ClaimPart) -> Money) -> Vec<Part> {
        let part = |part: &ClaimPart| Part { lot: part.lot.clone(), amount: of(part) };
        self.parts.iter().map(part).filter(|part| part.amount.is_positive()).collect()
    }

    /// What was clawed back and neither recovered nor given up.
    pub(super) fn outstanding(&self) -> Money {
        money::less(self.sum(|part| part.clawed_back), self.settled)
    }

    /// Whether it still has such parts of what was paid: not demanded back meanwhile.
    pub(super) fn keeps(&self, parts: &[Part]) -> bool {
        parts.iter().all(|part| {
            let of = self.parts.iter().find(|of| of.lot == part.lot);
            of.is_some_and(|of| part.amount.minor() <= of.kept().minor())
        })
    }

    fn part_of(&mut self, lot: Option<&LotId>) -> Option<&mut ClaimPart> {
        self.parts.iter_mut().find(|part| part.lot.as_ref() == lot)
    }

    pub(super) fn wrong_state(&self, claim: &ClaimId) -> Refusal {
        ClaimRejection::WrongState { claim: claim.clone(), state: self.state.as_str() }.into()
    }
}

/// Takes an amount from the front of some parts: what is taken, and the rest.
pub(super) fn take_from(parts: &[Part], amount: Money) -> (Vec<Part>, Vec<Part>) {
    let mut left = amount;
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for part in parts {
        let now = money::min(part.amount, left);
        left = money::less(left, now);
        let of = |amount| Part { lot: part.lot.clone(), amount };
        taken.extend(now.is_positive().then(|| of(now)));
        let over = money::less(part.amount, now);
        rest.extend(over.is_positive().then(|| of(over)));
    }
    (taken, rest)
}

/// The sum of parts.
pub(super) fn sum(currency: Currency, parts: &[Part]) -> Money {
    money::total(currency, parts.iter().map(|part| part.amount))
}

/// The claim of a partner's fund, or the rejection that it is unknown there (class 3).
pub(super) fn named(
    facts: Facts<'_>,
    id: &ClaimId,
    partner: &PartnerId,
    programme: &ProgrammeId,
    fund: Fund,
) -> Result<Arc<Claim>, Refusal> {
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    let claim = facts.get::<Claim>(id)?.filter(|claim| {
        claim.partner == *partner && claim.programme == *programme && claim.fund == fund
    });
    Ok(claim.ok_or_else(|| ClaimRejection::UnknownClaim { claim: id.clone() })?)
}

/// Changes a claim, and says when.
pub(super) fn change(
    rows: &mut dyn RowsMut,
    claim: &ClaimId,
    commit: &Commit,
    change: impl FnOnce(&mut Claim),
) -> Result<(), Unavailable> {
    rows::update::<Claim>(rows, claim, |claim| {
        change(claim);
        claim.latest = claim.latest.max(commit.time());
    })
}

/// Moves money of a claim's parts.
pub(super) fn move_parts(claim: &mut Claim, parts: &[Part], change: fn(&mut ClaimPart, Money)) {
    for part in parts {
        if let Some(of) = claim.part_of(part.lot.as_ref()) {
            change(of, part.amount);
        }
    }
}

/// Who sent a commit's command.
pub(super) fn author(commit: &Commit) -> ActorId {
    let origin = &commit.origin;
    origin.on_behalf_of.as_ref().unwrap_or(&origin.actor).clone()
}

/// Holds money of lots for a claim.
pub(super) fn held_claim(
    rows: &mut dyn RowsMut,
    (programme, partner): (&ProgrammeId, &PartnerId),
    activity: &Code,
    parts: &[Part],
) -> Result<(), Unavailable> {
    for part in parts {
        if let Some(lot) = &part.lot {
            coop::held(rows, (programme, partner, lot), activity, part.amount)?;
        }
    }
    Ok(())
}

/// A claim that a fact speaks of.
pub(super) fn of_fact(rows: &dyn RowsMut, id: &ClaimId) -> Result<Arc<Claim>, Unavailable> {
    let missing = || Unavailable(format!("no claim {id}, which a fact names").into());
    rows::get::<Claim>(rows, id)?.ok_or_else(missing)
}
