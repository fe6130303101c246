//! The model of claims on either fund: held, payable, paid, clawed back.

use super::{Check, Model, RequestState, Verdict, exact};
use crate::model::sent::Sent;
use chl_commands::claim::{Claim as Asked, ClaimCoop, ClaimMdf};
use chl_events::{
    ActorId, ClaimId, Code, Date, Fund, LotId, Money, PartnerId, ProgrammeId, RequestId,
    claim::{Proof, RecoveryMethod},
    terms::{ActivityCap, CoopTerms, OverAvailable, ProofRule},
};
use std::collections::BTreeSet;

/// Where a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimState {
    Submitted,
    Approved,
    Paid,
    Rejected,
    Final,
    Withdrawn,
}

/// A part of a claim's money, by where it lies.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) lot: Option<LotId>,
    pub(crate) held: i128,
    pub(crate) payable: i128,
    pub(crate) paid: i128,
}

/// A claim.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) fund: Fund,
    pub(crate) programme: ProgrammeId,
    pub(crate) partner: PartnerId,
    pub(crate) activity: Code,
    pub(crate) activity_date: Date,
    pub(crate) request: Option<RequestId>,
    /// Whether it is its request's last.
    pub(crate) last: bool,
    pub(crate) state: ClaimState,
    /// The vendor's share of the cost, and what of it was held.
    pub(crate) requested: i128,
    pub(crate) granted: i128,
    pub(crate) parts: Vec<Part>,
    pub(crate) submitter: ActorId,
    pub(crate) approver: Option<ActorId>,
    pub(crate) invoices: BTreeSet<String>,
    pub(crate) outcome: bool,
    pub(crate) disputed: bool,
    /// How many payments stand; a failure is one's, and the model does not tell them apart.
    pub(crate) payments: u32,
    /// Clawed back, and neither recovered nor written off.
    pub(crate) owed: i128,
    /// Clawed back in all.
    pub(crate) clawed_back: i128,
}

impl Claim {
    /// The sum of one column of its parts.
    pub(crate) fn sum(&self, column: fn(&Part) -> i128) -> i128 {
        self.parts.iter().map(column).sum()
    }

    /// Whether it keeps its invoices to itself.
    pub(crate) fn is_live(&self) -> bool {
        !matches!(self.state, ClaimState::Rejected | ClaimState::Final | ClaimState::Withdrawn)
    }
}

/// What makes an invoice the same: issuer and number, or the document's digest.
fn invoices(proof: &[Proof]) -> BTreeSet<String> {
    let invoices = proof.iter().filter(|one| one.kind.as_str() == "invoice");
    let keys = invoices.flat_map(|one| {
        let number = one.issuer.as_ref().zip(one.number.as_ref());
        [Some(one.sha256.clone()), number.map(|(issuer, number)| format!("{issuer}/{number}"))]
    });
    keys.flatten().collect()
}

fn lacks(rules: &[ProofRule], activity: &Code, proof: &[Proof]) -> bool {
    let mine = |rule: &&ProofRule| rule.activity.as_ref().is_none_or(|one| one == activity);
    let needed = rules.iter().filter(mine).flat_map(|rule| &rule.kinds);
    needed.into_iter().any(|kind| proof.iter().all(|one| &one.kind != kind))
}

fn caps<'a>(caps: &'a [ActivityCap], activity: &'a Code) -> impl Iterator<Item = &'a ActivityCap> {
    caps.iter().filter(move |cap| cap.activity.as_ref().is_none_or(|one| one == activity))
}

impl Model {
    pub(super) fn claim_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        match asked {
            Asked::ClaimCoop(c) => self.claim_coop(c, sent),
            Asked::ClaimMdf(c) => self.claim_mdf(c, sent),
            Asked::AddProof(c) => {
                self.deny(c.proof.is_empty() && c.outcome.is_none(), &[1])?;
                let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
                let added = invoices(&c.proof);
                self.unsure(!added.is_empty())?;
                let open = matches!(claim.state, ClaimState::Submitted | ClaimState::Approved);
                self.unsure(claim.state == ClaimState::Rejected)?;
                self.deny(!open, &[5])?;
                self.claim_mut(&c.claim, |claim| claim.outcome |= c.outcome.is_some());
                Ok(())
            }
            Asked::WithdrawClaim(c) => {
                let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
                self.deny(claim.state != ClaimState::Submitted, &[5])?;
                self.release(&c.claim);
                self.reopen(&claim);
                self.claim_mut(&c.claim, |claim| claim.state = ClaimState::Withdrawn);
                Ok(())
            }
            Asked::ApproveClaim(c) => self.approve_claim(c, sent),
            Asked::RejectClaim(c) => {
                let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
                self.unsure(claim.submitter == sent.sender.actor)?;
                self.deny(claim.state != ClaimState::Submitted, &[5])?;
                self.release(&c.claim);
                self.reopen(&claim);
                let last = claim.disputed;
                self.claim_mut(&c.claim, |claim| {
                    claim.state = if last { ClaimState::Final } else { ClaimState::Rejected };
                });
                Ok(())
            }
            Asked::DisputeClaim(c) => {
                self.dispute(&c.claim, c.fund, &c.programme, &c.partner, sent)
            }
            Asked::PayClaim(c) => self.pay(c, sent),
            Asked::FailPayment(c) => {
                let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
                let standing = claim.sum(|part| part.paid) - claim.clawed_back;
                self.deny(claim.sum(|part| part.paid) == 0, &[5])?;
                let amount = c.amount.map_or(standing, Money::minor);
                self.unsure(claim.clawed_back > 0 || claim.payments > 1)?;
                self.currency(&c.programme, c.amount)?;
                self.deny(amount > standing, &[7])?;
                self.move_parts(&c.claim, amount, |part| (&mut part.paid, &mut part.payable));
                self.claim_mut(&c.claim, |claim| {
                    claim.state = ClaimState::Approved;
                    claim.payments = u32::from(claim.sum(|part| part.paid) > 0);
                });
                Ok(())
            }
            Asked::ClawbackClaim(c) => {
                let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
                let standing = claim.sum(|part| part.paid) - claim.clawed_back;
                self.deny(standing == 0, &[4, 5])?;
                let amount = c.amount.map_or(standing, Money::minor);
                self.currency(&c.programme, c.amount)?;
                self.deny(amount > standing, &[7])?;
                self.claim_mut(&c.claim, |claim| {
                    claim.owed += amount;
                    claim.clawed_back += amount;
                });
                // Within the tail it goes back to the partner, after it to the budget.
                if c.fund == Fund::Mdf && self.within_tail(&claim, sent) {
                    self.fund_mut(&c.programme, &c.partner, |fund| fund.available += amount);
                }
                Ok(())
            }
            Asked::RecoverClawback(c) => {
                let netting = c.method == Some(RecoveryMethod::Netting);
                self.owes_less(&c.claim, c.fund, &c.programme, &c.partner, c.amount, netting)
            }
            Asked::WriteOffClawback(c) => {
                self.owes_less(&c.claim, c.fund, &c.programme, &c.partner, c.amount, false)
            }
        }
    }

    pub(super) fn claim(
        &self,
        id: &ClaimId,
        fund: Fund,
        programme: &ProgrammeId,
        partner: &PartnerId,
    ) -> Check<Claim> {
        self.known(programme, partner)?;
        let mine = |claim: &&Claim| {
            claim.fund == fund && &claim.programme == programme && &claim.partner == partner
        };
        self.claims.get(id).filter(mine).cloned().ok_or(Verdict::Refused(vec![3]))
    }

    pub(super) fn claim_mut(&mut self, id: &ClaimId, change: impl FnOnce(&mut Claim)) {
        if let Some(claim) = self.claims.get_mut(id) {
            change(claim);
        }
    }

    pub(super) fn currency(&self, programme: &ProgrammeId, amount: Option<Money>) -> Check {
        let versions = self.programmes.get(programme).map(Vec::as_slice).unwrap_or_default();
        let other = |money: Money| versions.iter().all(|one| one.currency != money.currency());
        self.deny(amount.is_some_and(other), &[7])
    }

    pub(super) fn taken(&self, invoices: &BTreeSet<String>) -> bool {
        let live = self.claims.values().filter(|claim| claim.is_live());
        live.into_iter().any(|claim| !claim.invoices.is_disjoint(invoices))
    }

    fn claim_coop(&mut self, c: &ClaimCoop, sent: &Sent) -> Check {
        self.known(&c.programme, &c.partner)?;
        let invoices = invoices(&c.proof);
        let mine =
            |key: &(ProgrammeId, PartnerId, LotId)| key.0 == c.programme && key.1 == c.partner;
        self.deny(!self.lots.keys().any(mine), &[3])?;
        self.deny(self.claims.contains_key(&c.claim) || self.taken(&invoices), &[4])?;
        self.active(&c.programme, &c.partner)?;
        let zone = self.zone(&c.programme);
        let (today, on) = (exact::day(&zone, sent.time()), c.activity_date);
        let version = self.terms_at(&c.programme, on)?;
        let Some(terms) = version.terms.coop.clone() else { return self.deny(true, &[3, 5, 6]) };
        self.deny(on > today || today > exact::later(on, terms.claim_days), &[6])?;
        self.deny(Self::excluded(&terms.excluded_activities, &c.activity), &[6])?;
        self.deny(lacks(&terms.proofs, &c.activity, &c.proof), &[6])?;
        // That no lot pays for the day comes before what currency it is in.
        self.deny(c.cost.currency() != version.currency, &[6, 7])?;
        let requested =
            exact::share(c.cost.minor(), terms.match_rate).round(version.terms.rounding);
        self.unsure(requested == 0)?;
        let mut wanted = requested;
        for amount in caps(&terms.caps, &c.activity).filter_map(|cap| cap.amount) {
            wanted = wanted.min(amount.minor());
        }
        let parts = self.draw(&c.programme, &c.partner, &c.activity, &terms, on, today, wanted);
        let granted: i128 = parts.iter().map(|part| part.held).sum();
        self.deny(granted == 0, &[3, 6, 7])?;
        let shared = caps(&terms.caps, &c.activity).any(|cap| cap.share_of_lot.is_some());
        self.unsure(shared && granted < wanted && terms.over_available == OverAvailable::Refuse)?;
        self.deny(granted < wanted && terms.over_available == OverAvailable::Refuse, &[7])?;
        let claim = Claim {
            fund: Fund::Coop,
            programme: c.programme.clone(),
            partner: c.partner.clone(),
            activity: c.activity.clone(),
            activity_date: on,
            request: None,
            last: false,
            state: ClaimState::Submitted,
            requested,
            granted,
            parts,
            submitter: sent.sender.actor.clone(),
            approver: None,
            invoices,
            outcome: false,
            disputed: false,
            payments: 0,
            owed: 0,
            clawed_back: 0,
        };
        self.take(&claim);
        self.claims.insert(c.claim.clone(), claim);
        Ok(())
    }

    /// Takes what a claim holds out of its lots.
    pub(super) fn take(&mut self, claim: &Claim) {
        for part in &claim.parts {
            let Some(lot) = &part.lot else { continue };
            let key = (claim.programme.clone(), claim.partner.clone(), lot.clone());
            if let Some(lot) = self.lots.get_mut(&key) {
                lot.available -= part.held;
            }
        }
    }

    /// What the lots that pay for a day give, earliest expiry first.
    #[expect(clippy::too_many_arguments, reason = "a plain rule with many inputs")]
    pub(super) fn draw(
        &self,
        programme: &ProgrammeId,
        partner: &PartnerId,
        activity: &Code,
        terms: &CoopTerms,
        on: Date,
        today: Date,
        mut wanted: i128,
    ) -> Vec<Part> {
        let claims = &self.claims;
        let drawn = |id: &LotId| -> i128 {
            let mine = claims.values().filter(|claim| {
                claim.is_live()
                    && &claim.programme == programme
                    && &claim.partner == partner
                    && &claim.activity == activity
            });
            let parts = mine.flat_map(|claim| &claim.parts);
            let parts = parts.filter(|part| part.lot.as_ref() == Some(id));
            parts.map(|part| part.held + part.payable + part.paid).sum()
        };
        let mine = self.lots.iter().filter(|(key, lot)| {
            &key.0 == programme && &key.1 == partner && lot.pays_for(on, today) && lot.available > 0
        });
        let mut lots: Vec<_> = mine.collect();
        lots.sort_by_key(|(key, lot)| (lot.expires_at, key.2.clone()));
        let mut parts = Vec::new();
        for (key, lot) in lots {
            let mut most = lot.available.min(wanted);
            for share in caps(&terms.caps, activity).filter_map(|cap| cap.share_of_lot) {
                let earned = lot.accrued - lot.reversed - lot.converted;
                let cap = exact::share(earned, share).round(lot.version.terms.rounding);
                most = most.min((cap - drawn(&key.2)).max(0));
            }
            if most > 0 {
                wanted -= most;
                let lot = Some(key.2.clone());
                parts.push(Part { lot, held: most, payable: 0, paid: 0 });
            }
        }
        parts
    }

    fn claim_mdf(&mut self, c: &ClaimMdf, sent: &Sent) -> Check {
        self.known(&c.programme, &c.partner)?;
        let request = self.request_of(&c.request, &c.programme, &c.partner)?;
        let invoices = invoices(&c.proof);
        self.deny(self.claims.contains_key(&c.claim) || self.taken(&invoices), &[4])?;
        self.active(&c.programme, &c.partner)?;
        let version = request.version.clone();
        let terms = version.terms.mdf.clone().unwrap_or_default();
        let (today, on) = (exact::day(&version.zone, sent.time()), c.activity_date);
        // A final claim that was rejected leaves its request as it is: the domain is silent.
        self.unsure(request.state == RequestState::Claimed)?;
        self.deny(request.state != RequestState::Approved, &[5, 6])?;
        self.deny(on > today || today > exact::later(on, terms.claim_days), &[6])?;
        self.unsure(on < request.start || on > request.end)?;
        self.deny(Self::excluded(&terms.excluded_activities, &request.activity), &[6])?;
        self.deny(lacks(&terms.proofs, &request.activity, &c.proof), &[6])?;
        self.deny(c.cost.currency() != version.currency, &[7])?;
        let requested =
            exact::share(c.cost.minor(), terms.match_rate).round(version.terms.rounding);
        self.unsure(requested == 0)?;
        let mut wanted = requested;
        for amount in caps(&terms.caps, &request.activity).filter_map(|cap| cap.amount) {
            wanted = wanted.min(amount.minor());
        }
        let granted = wanted.min(request.reserved - self.held_of(&c.request));
        self.deny(granted <= 0, &[7])?;
        self.deny(granted < wanted && terms.over_available == OverAvailable::Refuse, &[7])?;
        let claim = Claim {
            fund: Fund::Mdf,
            programme: c.programme.clone(),
            partner: c.partner.clone(),
            activity: request.activity.clone(),
            activity_date: on,
            request: Some(c.request.clone()),
            last: c.r#final.unwrap_or(true),
            state: ClaimState::Submitted,
            requested,
            granted,
            parts: vec![Part { lot: None, held: granted, payable: 0, paid: 0 }],
            submitter: sent.sender.actor.clone(),
            approver: None,
            invoices,
            outcome: c.outcome.is_some(),
            disputed: false,
            payments: 0,
            owed: 0,
            clawed_back: 0,
        };
        self.claims.insert(c.claim.clone(), claim);
        if c.r#final.unwrap_or(true) {
            self.request_mut(&c.request, |request| request.state = RequestState::Claimed);
        }
        Ok(())
    }

    /// What the claims of a request hold.
    pub(super) fn held_of(&self, request: &RequestId) -> i128 {
        let mine = self.claims.values().filter(|claim| claim.request.as_ref() == Some(request));
        mine.map(|claim| claim.sum(|part| part.held)).sum()
    }
}
