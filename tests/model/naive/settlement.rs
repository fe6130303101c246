//! The model of what becomes of claims: approval, payment, dispute, clawback.

use super::claims::{Claim, ClaimState, Part};
use super::{Check, Model, PartnerState, RequestState, exact};
use crate::model::sent::Sent;
use chl_commands::claim::{ApproveClaim, PayClaim};
use chl_events::{ClaimId, Date, Fund, Money, PartnerId, ProgrammeId, claim::PaymentMethod};

impl Model {
    pub(super) fn approve_claim(&mut self, c: &ApproveClaim, sent: &Sent) -> Check {
        let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
        self.run_off(&c.partner)?;
        let own = claim.submitter == sent.sender.actor;
        self.unsure(own && claim.state != ClaimState::Submitted)?;
        self.deny(own, &[2])?;
        self.deny(claim.state != ClaimState::Submitted, &[5])?;
        self.currency(&c.programme, c.amount)?;
        let held = claim.sum(|part| part.held);
        let amount = c.amount.map_or(held, Money::minor);
        self.deny(amount > held, &[6, 7])?;
        self.move_parts(&c.claim, amount, |part| (&mut part.held, &mut part.payable));
        if let Some(request) = &claim.request {
            self.request_mut(request, |request| request.reserved -= amount);
        }
        self.release(&c.claim);
        self.claim_mut(&c.claim, |claim| {
            claim.state = ClaimState::Approved;
            claim.approver = Some(sent.sender.actor.clone());
        });
        // Only the last releases what was reserved and not claimed.
        if let Some(request) = &claim.request {
            if claim.last {
                self.request_mut(request, |request| request.state = RequestState::Over);
            }
            if self.requests.get(request).is_some_and(|one| one.state == RequestState::Over) {
                self.give_back_unheld(request);
            }
        }
        Ok(())
    }

    /// Of a terminated partner only what was open runs off, for the programme's tail.
    fn run_off(&self, partner: &PartnerId) -> Check {
        let state = self.partners.get(partner).map(|one| one.state);
        self.unsure(state == Some(PartnerState::Terminated))
    }

    /// Gives what is still held back to where it came from.
    pub(super) fn release(&mut self, id: &ClaimId) {
        let Some(claim) = self.claims.get_mut(id) else { return };
        for part in &mut claim.parts {
            let held = std::mem::take(&mut part.held);
            let Some(lot) = &part.lot else { continue };
            let key = (claim.programme.clone(), claim.partner.clone(), lot.clone());
            // What comes back to an expired lot expires at once.
            if let Some(lot) = self.lots.get_mut(&key).filter(|lot| !lot.expired) {
                lot.available += held;
            }
        }
        let over = |one: &super::Request| one.state == RequestState::Over;
        if let Some(request) = claim.request.clone()
            && self.requests.get(&request).is_some_and(over)
        {
            self.give_back_unheld(&request);
        }
    }

    /// A last claim that came to nothing leaves its request to another.
    pub(super) fn reopen(&mut self, claim: &Claim) {
        if let Some(request) = claim.request.as_ref().filter(|_| claim.last) {
            self.request_mut(request, |request| {
                if request.state == RequestState::Claimed {
                    request.state = RequestState::Approved;
                }
            });
        }
    }

    /// What the lots that pay for a day still hold.
    fn offers(&self, programme: &ProgrammeId, partner: &PartnerId, on: Date, today: Date) -> i128 {
        let mine = self.lots.iter().filter(|(key, lot)| {
            &key.0 == programme && &key.1 == partner && lot.pays_for(on, today)
        });
        mine.map(|(_, lot)| lot.available).sum()
    }

    /// Moves an amount between two columns of a claim's parts, first part first.
    pub(super) fn move_parts(
        &mut self,
        id: &ClaimId,
        mut amount: i128,
        columns: fn(&mut Part) -> (&mut i128, &mut i128),
    ) {
        let Some(claim) = self.claims.get_mut(id) else { return };
        for part in &mut claim.parts {
            let (from, to) = columns(part);
            let moved = amount.min(*from);
            *from -= moved;
            *to += moved;
            amount -= moved;
        }
    }

    pub(super) fn dispute(
        &mut self,
        id: &ClaimId,
        fund: Fund,
        programme: &ProgrammeId,
        partner: &PartnerId,
        sent: &Sent,
    ) -> Check {
        let claim = self.claim(id, fund, programme, partner)?;
        let again = claim.disputed || claim.state == ClaimState::Final;
        self.deny(again, &[4, 5])?;
        self.deny(claim.state != ClaimState::Rejected, &[5])?;
        self.deny(self.taken(&claim.invoices), &[4])?;
        let state = self.partners.get(partner).map(|one| one.state);
        self.unsure(state != Some(PartnerState::Active))?;
        // Whether a dispute lifts a claim above what it was capped to the domain does not say.
        self.unsure(claim.granted < claim.requested)?;
        let granted = match &claim.request {
            Some(request) => {
                let held = self.held_of(request);
                let one = self.requests.get(request);
                self.unsure(one.is_none_or(|one| one.state != RequestState::Approved))?;
                let granted = claim.granted.min(one.map_or(0, |one| one.reserved) - held);
                self.unsure(granted <= 0)?;
                self.claim_mut(id, |claim| {
                    claim.parts = vec![Part { lot: None, held: granted, payable: 0, paid: 0 }];
                });
                if claim.last {
                    self.request_mut(request, |one| one.state = RequestState::Claimed);
                }
                granted
            }
            None => {
                let on = claim.activity_date;
                let version = self.terms_at(programme, on)?;
                let today = exact::day(&version.zone, sent.time());
                let terms = version.terms.coop.clone().unwrap_or_default();
                // Late, or with little left, the domain does not say how a dispute ends.
                self.unsure(today > exact::later(on, terms.claim_days))?;
                self.unsure(self.offers(programme, partner, on, today) < claim.granted)?;
                let wanted = claim.granted;
                let of = &claim.activity;
                let parts = self.draw(programme, partner, of, &terms, on, today, wanted);
                let granted = parts.iter().map(|part| part.held).sum();
                self.unsure(granted < wanted)?;
                self.claim_mut(id, |claim| claim.parts = parts);
                if let Some(claim) = self.claims.get(id).cloned() {
                    self.take(&claim);
                }
                granted
            }
        };
        self.claim_mut(id, |claim| {
            claim.state = ClaimState::Submitted;
            claim.disputed = true;
            claim.granted = granted;
        });
        Ok(())
    }

    pub(super) fn pay(&mut self, c: &PayClaim, sent: &Sent) -> Check {
        let claim = self.claim(&c.claim, c.fund, &c.programme, &c.partner)?;
        self.run_off(&c.partner)?;
        let own = claim.approver.as_ref() == Some(&sent.sender.actor);
        let payable = claim.sum(|part| part.payable);
        self.unsure(own && payable == 0)?;
        self.deny(own, &[2])?;
        self.deny(payable == 0, &[4, 5])?;
        let zone = self.zone(&c.programme);
        let future = c.paid_on.is_some_and(|day| day > exact::day(&zone, sent.at));
        self.deny(future, &[6])?;
        let report = c.fund == Fund::Mdf && self.needs_report(&claim);
        self.deny(report && !claim.outcome, &[6])?;
        self.currency(&c.programme, c.amount)?;
        self.currency(&c.programme, c.withheld)?;
        let amount = c.amount.map_or(payable, Money::minor);
        self.deny(amount > payable, &[7])?;
        let withheld = c.withheld.map_or(0, Money::minor);
        self.unsure(withheld >= amount || (withheld > 0 && c.method.is_some()))?;
        self.unsure(c.method == Some(PaymentMethod::Netting))?;
        self.move_parts(&c.claim, amount, |part| (&mut part.payable, &mut part.paid));
        self.claim_mut(&c.claim, |claim| claim.payments += 1);
        if amount == payable {
            self.claim_mut(&c.claim, |claim| claim.state = ClaimState::Paid);
        }
        Ok(())
    }

    fn needs_report(&self, claim: &Claim) -> bool {
        let request = claim.request.as_ref().and_then(|id| self.requests.get(id));
        let terms = request.and_then(|request| request.version.terms.mdf.as_ref());
        terms.is_some_and(|terms| terms.roi_report)
    }

    /// Whether money clawed back from an MDF claim still returns to the partner.
    pub(super) fn within_tail(&self, claim: &Claim, sent: &Sent) -> bool {
        let request = claim.request.as_ref().and_then(|id| self.requests.get(id));
        request.is_some_and(|request| {
            let days = request.version.terms.mdf.as_ref().map_or(0, |terms| terms.tail_days);
            let until = exact::later(request.claims_until, days);
            sent.time() < exact::after_day(&request.version.zone, until)
        })
    }

    /// Less is owed of a clawback: recovered, or given up.
    pub(super) fn owes_less(
        &mut self,
        id: &ClaimId,
        fund: Fund,
        programme: &ProgrammeId,
        partner: &PartnerId,
        amount: Option<Money>,
        netting: bool,
    ) -> Check {
        let claim = self.claim(id, fund, programme, partner)?;
        self.deny(claim.owed == 0, &[4, 5])?;
        // What of it another payment set off already, only the ledger knows.
        self.unsure(netting)?;
        self.currency(programme, amount)?;
        let amount = amount.map_or(claim.owed, Money::minor);
        self.deny(amount > claim.owed, &[7])?;
        self.claim_mut(id, |claim| claim.owed -= amount);
        Ok(())
    }
}
