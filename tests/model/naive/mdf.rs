//! The model of MDF: budgets, allocations, requests.

use super::{Check, FundKey, Model, PartnerState, Verdict, Version, exact};
use crate::model::sent::Sent;
use chl_commands::{
    budget::Budget as AskedBudget,
    mdf::{ApproveMdfRequest, Mdf as Asked, RequestMdf},
};
use chl_events::{
    ActorId, BudgetId, Code, Currency, Date, Instant, PartnerId, ProgrammeId, RequestId,
};
use std::collections::BTreeMap;

/// A budget.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    pub(crate) programme: ProgrammeId,
    pub(crate) currency: Currency,
    pub(crate) unallocated: i128,
    pub(crate) closed: bool,
}

/// A partner's MDF in a programme.
#[derive(Debug, Clone, Default)]
pub(crate) struct MdfFund {
    /// Allocated, and neither reserved nor spent.
    pub(crate) available: i128,
    /// What of it came back by lapses, which the ledger records when their requests are touched.
    pub(crate) lapsed: i128,
    /// What came from each budget and was not given back.
    pub(crate) from: BTreeMap<BudgetId, i128>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestState {
    Submitted,
    Approved,
    /// Its last claim is in.
    Claimed,
    Over,
}

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) programme: ProgrammeId,
    pub(crate) partner: PartnerId,
    pub(crate) activity: Code,
    pub(crate) start: Date,
    pub(crate) end: Date,
    pub(crate) estimate: i128,
    pub(crate) state: RequestState,
    /// What is reserved, with what its claims hold.
    pub(crate) reserved: i128,
    pub(crate) requester: ActorId,
    /// The terms of the approval.
    pub(crate) version: Version,
    pub(crate) claims_until: Date,
    pub(crate) lapses_at: Option<Instant>,
}

impl Model {
    pub(super) fn budget_command(&mut self, asked: &AskedBudget, sent: &Sent) -> Check {
        match asked {
            AskedBudget::CreateMdfBudget(c) => {
                self.deny(!self.programmes.contains_key(&c.programme), &[3])?;
                self.deny(self.budgets.contains_key(&c.budget), &[4])?;
                let on = exact::day(&self.zone(&c.programme), sent.time());
                let version = self.terms_at(&c.programme, on)?;
                self.unsure(version.terms.mdf.is_none())?;
                self.deny(c.amount.currency() != version.currency, &[7])?;
                let budget = Budget {
                    programme: c.programme.clone(),
                    currency: version.currency,
                    unallocated: c.amount.minor(),
                    closed: false,
                };
                self.budgets.insert(c.budget.clone(), budget);
                Ok(())
            }
            AskedBudget::CloseMdfBudget(c) => {
                let budget = self.budget(&c.budget)?;
                self.deny(budget.closed, &[4, 5])?;
                budget_mut(&mut self.budgets, &c.budget, |budget| {
                    budget.closed = true;
                    budget.unallocated = 0;
                });
                Ok(())
            }
            AskedBudget::AllocateMdf(c) => {
                let budget = self.budget(&c.budget)?;
                let partner = self.partners.get(&c.partner);
                let state = partner.map(|one| one.state).ok_or(Verdict::Refused(vec![3]))?;
                let enrolled =
                    partner.is_some_and(|one| one.enrolled.contains_key(&budget.programme));
                self.deny(budget.closed, &[5])?;
                let other = c.amount.currency() != budget.currency;
                self.deny(other || c.amount.minor() > budget.unallocated, &[7])?;
                // The fund may refuse the credit, which then comes back.
                self.unsure(state != PartnerState::Active || !enrolled)?;
                if state != PartnerState::Active || !enrolled {
                    return Ok(());
                }
                let amount = c.amount.minor();
                budget_mut(&mut self.budgets, &c.budget, |budget| budget.unallocated -= amount);
                let fund = self.mdf.entry((budget.programme, c.partner.clone())).or_default();
                fund.available += amount;
                *fund.from.entry(c.budget.clone()).or_default() += amount;
                Ok(())
            }
            AskedBudget::RestoreMdfBudget(_) => self.deny(true, &[2]),
        }
    }

    fn budget(&self, id: &BudgetId) -> Check<Budget> {
        self.budgets.get(id).cloned().ok_or(Verdict::Refused(vec![3]))
    }

    pub(super) fn mdf_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        match asked {
            Asked::CreditMdfAllocation(_) => self.deny(true, &[2]),
            Asked::ReturnMdfAllocation(c) => {
                let budget = self.budget(&c.budget)?;
                self.deny(!self.partners.contains_key(&c.partner), &[3])?;
                let key = (budget.programme.clone(), c.partner.clone());
                let fund = self.mdf.get(&key).cloned().unwrap_or_default();
                let from = fund.from.get(&c.budget).copied().unwrap_or(0);
                self.deny(from == 0, &[3, 5, 7])?;
                self.unsure(budget.closed)?;
                self.deny(c.amount.currency() != budget.currency, &[7])?;
                let amount = c.amount.minor();
                let doubtful = amount > fund.available - fund.lapsed;
                self.unsure(doubtful && amount <= fund.available)?;
                self.deny(amount > fund.available.min(from), &[7])?;
                if let Some(fund) = self.mdf.get_mut(&key) {
                    fund.available -= amount;
                    fund.from.entry(c.budget.clone()).and_modify(|from| *from -= amount);
                }
                budget_mut(&mut self.budgets, &c.budget, |budget| budget.unallocated += amount);
                Ok(())
            }
            Asked::RequestMdf(c) => self.request(c, sent),
            Asked::ApproveMdfRequest(c) => self.approve_request(c, sent),
            Asked::RejectMdfRequest(c) => {
                let request = self.request_of(&c.request, &c.programme, &c.partner)?;
                self.deny(request.state != RequestState::Submitted, &[5])?;
                self.request_mut(&c.request, |request| request.state = RequestState::Over);
                Ok(())
            }
            Asked::CancelMdfRequest(c) => {
                let request = self.request_of(&c.request, &c.programme, &c.partner)?;
                self.unsure(request.state == RequestState::Claimed)?;
                self.deny(request.state == RequestState::Over, &[5])?;
                self.deny(self.held_of(&c.request) > 0, &[5])?;
                let reserved = request.reserved;
                self.request_mut(&c.request, |request| {
                    request.state = RequestState::Over;
                    request.reserved = 0;
                });
                self.fund_mut(&c.programme, &c.partner, |fund| fund.available += reserved);
                Ok(())
            }
            Asked::LapseMdfRequest(c) => {
                let request = self.request_of(&c.request, &c.programme, &c.partner)?;
                // The ledger's clock may have been there first.
                self.unsure(request.lapses_at.is_some_and(|at| at <= sent.time()))?;
                self.deny(true, &[5, 6])
            }
        }
    }

    pub(super) fn request_of(
        &self,
        id: &RequestId,
        programme: &ProgrammeId,
        partner: &PartnerId,
    ) -> Check<Request> {
        self.known(programme, partner)?;
        let mine = |one: &&Request| &one.programme == programme && &one.partner == partner;
        let found = self.requests.get(id).filter(mine);
        found.cloned().ok_or(Verdict::Refused(vec![3]))
    }

    fn request(&mut self, c: &RequestMdf, sent: &Sent) -> Check {
        self.known(&c.programme, &c.partner)?;
        self.deny(self.requests.contains_key(&c.request), &[4])?;
        self.active(&c.programme, &c.partner)?;
        let on = exact::day(&self.zone(&c.programme), sent.time());
        let version = self.terms_at(&c.programme, on)?;
        let Some(terms) = version.terms.mdf.clone() else { return self.deny(true, &[5, 6]) };
        self.unsure(c.end < c.start || c.expected_revenue.is_some())?;
        self.deny(Self::excluded(&terms.excluded_activities, &c.activity), &[6])?;
        self.deny(c.start < on, &[6])?;
        self.deny(c.estimated_cost.currency() != version.currency, &[7])?;
        let request = Request {
            programme: c.programme.clone(),
            partner: c.partner.clone(),
            activity: c.activity.clone(),
            start: c.start,
            end: c.end,
            estimate: c.estimated_cost.minor(),
            state: RequestState::Submitted,
            reserved: 0,
            requester: sent.sender.actor.clone(),
            version,
            claims_until: c.end,
            lapses_at: None,
        };
        self.requests.insert(c.request.clone(), request);
        Ok(())
    }

    fn approve_request(&mut self, c: &ApproveMdfRequest, sent: &Sent) -> Check {
        let request = self.request_of(&c.request, &c.programme, &c.partner)?;
        let own = request.requester == sent.sender.actor;
        self.unsure(own)?;
        self.deny(request.state != RequestState::Submitted, &[5])?;
        let partner = self.known(&c.programme, &c.partner)?;
        self.unsure(partner.state != PartnerState::Active)?;
        let zone = self.zone(&c.programme);
        let today = exact::day(&zone, sent.time());
        let version = self.terms_at(&c.programme, today)?;
        let terms = version.terms.mdf.clone().unwrap_or_default();
        let claims_until = exact::later(request.end, terms.claim_days);
        // What could not be claimed any more, or was excluded since, the domain leaves open.
        self.unsure(today > request.end)?;
        self.unsure(Self::excluded(&terms.excluded_activities, &request.activity))?;
        let share = exact::share(request.estimate, terms.match_rate).round(version.terms.rounding);
        let amount = c.amount.map_or(share, |amount| amount.minor());
        let other = c.amount.is_some_and(|amount| amount.currency() != version.currency);
        self.deny(other, &[7])?;
        self.unsure(amount > share || share == 0)?;
        let key = (c.programme.clone(), c.partner.clone());
        let fund = self.mdf.get(&key).cloned().unwrap_or_default();
        let available = fund.available;
        self.unsure(amount <= available && amount > available - fund.lapsed)?;
        self.deny(amount > available, &[7])?;
        self.request_mut(&c.request, |request| {
            request.state = RequestState::Approved;
            request.reserved = amount;
            request.claims_until = claims_until;
            request.lapses_at = Some(exact::after_day(&zone, claims_until));
            request.version = version;
        });
        self.fund_mut(&c.programme, &c.partner, |fund| fund.available -= amount);
        Ok(())
    }

    pub(super) fn request_mut(&mut self, id: &RequestId, change: impl FnOnce(&mut Request)) {
        if let Some(request) = self.requests.get_mut(id) {
            change(request);
        }
    }

    pub(super) fn fund_mut(
        &mut self,
        programme: &ProgrammeId,
        partner: &PartnerId,
        change: impl FnOnce(&mut MdfFund),
    ) {
        let key: FundKey = (programme.clone(), partner.clone());
        change(self.mdf.entry(key).or_default());
    }

    /// What is reserved and not held goes back when a request lapses.
    pub(super) fn lapse_requests(&mut self, now: Instant) {
        let due = |request: &Request| {
            request.state == RequestState::Approved && request.lapses_at.is_some_and(|at| at <= now)
        };
        let due: Vec<RequestId> =
            self.requests.iter().filter(|(_, one)| due(one)).map(|(id, _)| id.clone()).collect();
        for id in due {
            self.request_mut(&id, |request| request.state = RequestState::Over);
            let before = self.available_for(&id);
            self.give_back_unheld(&id);
            let lapsed = self.available_for(&id) - before;
            if let Some(request) = self.requests.get(&id) {
                let key = (request.programme.clone(), request.partner.clone());
                self.mdf.entry(key).or_default().lapsed += lapsed;
            }
        }
    }

    fn available_for(&self, id: &RequestId) -> i128 {
        let request = self.requests.get(id);
        let key = request.map(|one| (one.programme.clone(), one.partner.clone()));
        key.and_then(|key| self.mdf.get(&key)).map_or(0, |fund| fund.available)
    }

    /// Frees what a request that takes no more claims still reserves beyond what is held.
    pub(super) fn give_back_unheld(&mut self, id: &RequestId) {
        let held = self.held_of(id);
        let Some(request) = self.requests.get_mut(id) else { return };
        let free = request.reserved - held;
        request.reserved = held;
        let key = (request.programme.clone(), request.partner.clone());
        if let Some(fund) = self.mdf.get_mut(&key) {
            fund.available += free;
        }
    }
}

fn budget_mut(
    budgets: &mut BTreeMap<BudgetId, Budget>,
    id: &BudgetId,
    change: impl FnOnce(&mut Budget),
) {
    if let Some(budget) = budgets.get_mut(id) {
        change(budget);
    }
}
