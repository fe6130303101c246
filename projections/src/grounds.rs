//! Grounds: by which rules of which terms an amount was computed, and from what, before it was
//! rounded.
//!
//! No read model: it is told when somebody asks for it, of the events that moved a fund's money.

use chl_events::{
    ClaimId, Code, Event, Exact, LotId, Money, Rate, RequestId, SaleId,
    claim::ClaimEvent,
    coop::{CoopAccrued, CoopEvent},
    mdf::MdfEvent,
    terms::{ActivityCap, CoopTerms, Terms},
};
use std::collections::BTreeMap;

/// How amounts are rounded, in the terms.
const ROUNDING: &str = "/rounding";

/// What an amount was computed from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    /// The version of the terms that decided; none where a person did.
    pub programme_version: Option<u32>,
    /// The rules that took part, as JSON Pointers (RFC 6901) into those terms.
    pub rules: Vec<String>,
    /// What the rate was applied to.
    pub base: Option<Money>,
    /// The rate; none where several bands took part.
    pub rate: Option<Rate>,
    /// What came of it before rounding, in units of the currency.
    pub unrounded: Option<Exact>,
    /// What came of it, rounded and capped.
    pub amount: Option<Money>,
}

/// What is to be known of a fund to tell the grounds of its events.
#[derive(Debug, Default)]
pub struct Grounds {
    terms: BTreeMap<u32, Terms>,
    lots: BTreeMap<LotId, u32>,
    sales: BTreeMap<SaleId, Ground>,
    claims: BTreeMap<ClaimId, u32>,
    requests: BTreeMap<RequestId, u32>,
}

impl Grounds {
    /// Knows the versions of a programme's terms, and by which of them each lot has its dates.
    pub fn new(terms: BTreeMap<u32, Terms>, lots: BTreeMap<LotId, u32>) -> Self {
        Self { terms, lots, ..Self::default() }
    }

    /// The ground of an event's amount, none where no rule computes one. Events come in the order
    /// of the log.
    pub fn of(&mut self, event: &Event) -> Option<Ground> {
        match event {
            Event::Coop(event) => self.of_coop(event),
            Event::Claim(event) => self.of_claim(event),
            Event::Mdf(event) => self.of_mdf(event),
            Event::Ledger(_)
            | Event::Partner(_)
            | Event::Programme(_)
            | Event::Customer(_)
            | Event::Deal(_)
            | Event::Conflict(_)
            | Event::Budget(_)
            | Event::Rebate(_) => None,
        }
    }

    fn of_coop(&mut self, event: &CoopEvent) -> Option<Ground> {
        match event {
            CoopEvent::CoopLotOpened(_) => None,
            CoopEvent::CoopAccrued(e) => {
                let ground = Ground {
                    programme_version: Some(e.programme_version),
                    rules: self.accrual_rule(e).into_iter().chain([ROUNDING.into()]).collect(),
                    base: Some(e.net_amount),
                    rate: e.rate,
                    unrounded: Some(e.unrounded),
                    amount: Some(e.amount),
                };
                self.sales.insert(e.sale.clone(), ground.clone());
                Some(ground)
            }
            // By the rate of the sale.
            CoopEvent::CoopAccrualReversed(e) => Some(Ground {
                base: Some(e.net_amount),
                unrounded: Some(e.unrounded),
                amount: e.from_lot.checked_add(e.owed),
                ..self.sales.get(&e.sale).cloned().unwrap_or_default()
            }),
            CoopEvent::CoopPeriodClosed(e) => {
                let rule = if e.below_threshold { "conversion_threshold" } else { "rebate_share" };
                let share = self.lot_terms(&e.lot).map(|coop| coop.rebate_share);
                let rate = share.filter(|_| !e.below_threshold);
                let base = Some(e.earned);
                Some(Ground { base, rate, ..self.of_lot(&e.lot, rule, e.converted) })
            }
            CoopEvent::CoopLotExpired(e) => Some(self.of_lot(&e.lot, "expiry_days", e.amount)),
        }
    }

    fn terms_of(&self, version: u32) -> Option<&Terms> {
        self.terms.get(&version)
    }

    /// The terms that a lot opened under.
    fn lot_terms(&self, lot: &LotId) -> Option<&CoopTerms> {
        self.terms_of(*self.lots.get(lot)?)?.coop.as_ref()
    }

    /// What a rule of the terms that a lot opened under made of it.
    fn of_lot(&self, lot: &LotId, rule: &str, amount: Money) -> Ground {
        Ground {
            programme_version: self.lots.get(lot).copied(),
            rules: vec![format!("/coop/{rule}")],
            amount: Some(amount),
            ..Ground::default()
        }
    }

    /// The first rate of the terms that is of the accrual's tier and product line.
    fn accrual_rule(&self, e: &CoopAccrued) -> Option<String> {
        let coop = self.terms_of(e.programme_version)?.coop.as_ref()?;
        let mut rates = coop.accrual.iter();
        let at = rates.position(|r| r.tier == e.tier && r.product_line == e.product_line)?;
        Some(format!("/coop/accrual/{at}"))
    }

    fn of_claim(&mut self, event: &ClaimEvent) -> Option<Ground> {
        match event {
            ClaimEvent::CoopClaimed(e) => {
                self.claims.insert(e.claim.clone(), e.programme_version);
                let coop = self.terms_of(e.programme_version).and_then(|terms| terms.coop.as_ref());
                let caps = coop.map_or(&[][..], |coop| &coop.caps);
                let rules = share_rules("/coop", caps, &e.activity, e.granted != e.requested);
                let amounts = (e.cost, e.match_rate, e.unrounded, e.granted);
                Some(share(e.programme_version, rules, amounts))
            }
            ClaimEvent::MdfClaimed(e) => {
                self.claims.insert(e.claim.clone(), e.programme_version);
                let mdf = self.terms_of(e.programme_version).and_then(|terms| terms.mdf.as_ref());
                let caps = mdf.map_or(&[][..], |mdf| &mdf.caps);
                let rules = share_rules("/mdf", caps, &e.activity, e.granted != e.requested);
                let amounts = (e.cost, e.match_rate, e.unrounded, e.granted);
                Some(share(e.programme_version, rules, amounts))
            }
            // Where it goes back to is a rule of MDF; how much is a person's word.
            ClaimEvent::ClaimClawedBack(e) if e.restored => Some(Ground {
                programme_version: self.claims.get(&e.claim).copied(),
                rules: vec!["/mdf/tail_days".into()],
                amount: Some(e.amount),
                ..Ground::default()
            }),
            ClaimEvent::ProofAdded(_)
            | ClaimEvent::ClaimWithdrawn(_)
            | ClaimEvent::ClaimApproved(_)
            | ClaimEvent::ClaimRejected(_)
            | ClaimEvent::ClaimDisputed(_)
            | ClaimEvent::ClaimPaid(_)
            | ClaimEvent::PaymentFailed(_)
            | ClaimEvent::ClaimClawedBack(_)
            | ClaimEvent::ClawbackRecovered(_)
            | ClaimEvent::ClawbackWrittenOff(_) => None,
        }
    }

    fn of_mdf(&mut self, event: &MdfEvent) -> Option<Ground> {
        match event {
            // How much is a person's word; until when is a rule.
            MdfEvent::MdfRequestApproved(e) => {
                self.requests.insert(e.request.clone(), e.programme_version);
                Some(Ground {
                    programme_version: Some(e.programme_version),
                    amount: Some(e.amount),
                    ..Ground::default()
                })
            }
            MdfEvent::MdfRequestLapsed(e) => Some(Ground {
                programme_version: self.requests.get(&e.request).copied(),
                rules: vec!["/mdf/claim_days".into()],
                amount: Some(e.released),
                ..Ground::default()
            }),
            MdfEvent::MdfAllocationCredited(_)
            | MdfEvent::MdfAllocationReduced(_)
            | MdfEvent::MdfRequested(_)
            | MdfEvent::MdfRequestRejected(_)
            | MdfEvent::MdfRequestCancelled(_) => None,
        }
    }
}

/// What the vendor's share of a cost came to.
fn share(
    version: u32,
    rules: Vec<String>,
    (cost, rate, unrounded, granted): (Money, Rate, Exact, Money),
) -> Ground {
    Ground {
        programme_version: Some(version),
        rules,
        base: Some(cost),
        rate: Some(rate),
        unrounded: Some(unrounded),
        amount: Some(granted),
    }
}

/// The vendor's share; and, where less was granted, what may have held it down.
fn share_rules(fund: &str, caps: &[ActivityCap], activity: &Code, held_down: bool) -> Vec<String> {
    let mut rules = vec![format!("{fund}/match_rate"), ROUNDING.into()];
    if held_down {
        let holds = |cap: &ActivityCap| cap.activity.as_ref().is_none_or(|of| of == activity);
        let caps = caps.iter().enumerate().filter(|(_, cap)| holds(cap));
        rules.extend(caps.map(|(at, _)| format!("{fund}/caps/{at}")));
        rules.push(format!("{fund}/over_available"));
    }
    rules
}
