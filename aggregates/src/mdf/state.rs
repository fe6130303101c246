//! States of MDF: a row for each fund, for what each budget gave to it, and for each request.

use crate::money::{add, take};
use crate::programme::Version;
use crate::{Facts, Refusal, RowsMut, Unavailable, money, rows};
use chl_events::mdf::{
    MdfAllocationCredited, MdfAllocationReduced, MdfRequestApproved, MdfRequested,
};
use chl_events::terms::MdfTerms;
use chl_events::{
    ActorId, BudgetId, Code, Commit, Currency, Date, Instant, Money, PartnerId, ProgrammeId,
    RequestId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::MdfRejection;

/// A partner's MDF in a programme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MdfFund {
    /// Its currency.
    pub currency: Currency,
    /// What is allocated and neither reserved nor spent (BUD.partner).
    pub available: Money,
    /// What the partner owes: money clawed back and not recovered.
    pub owed: Money,
}

/// What a budget allocated to a partner, net of returns; by `programme/partner/budget`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Allocation {
    /// How much.
    pub amount: Money,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Waits for approval.
    Submitted,
    /// Its amount is reserved.
    Approved,
    /// Its last claim is open.
    Claimed,
    /// Its last claim was approved.
    Closed,
    /// Rejected.
    Rejected,
    /// Cancelled.
    Cancelled,
    /// Its claim window ended.
    Lapsed,
}

impl RequestState {
    /// The word, as in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Claimed => "claimed",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Cancelled => "cancelled",
            Self::Lapsed => "lapsed",
        }
    }

    /// Whether nothing stays reserved but what open claims hold.
    pub(crate) fn is_over(self) -> bool {
        match self {
            Self::Submitted | Self::Approved | Self::Claimed => false,
            Self::Closed | Self::Rejected | Self::Cancelled | Self::Lapsed => true,
        }
    }
}

/// An MDF request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The partner.
    pub partner: PartnerId,
    /// The programme.
    pub programme: ProgrammeId,
    /// What is to be done.
    pub activity: Code,
    /// First day of the activity.
    pub start: Date,
    /// Last day of the activity.
    pub end: Date,
    /// What it should cost.
    pub estimated_cost: Money,
    /// Where it stands.
    pub state: RequestState,
    /// Who sent it in.
    pub submitted_by: ActorId,
    /// When it last changed.
    pub latest: Instant,
    /// What is reserved of the fund for it, held or not (BUD.reserved).
    pub reserved: Money,
    /// What open claims hold of it (HL).
    pub held: Money,
    /// What its approval fixed.
    pub approval: Option<Approval>,
}

/// What the approval of a request fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    /// The version whose terms its claims follow.
    pub programme_version: u32,
    /// The last day a claim may be sent in.
    pub claims_until: Date,
    /// When what is still reserved lapses.
    pub lapses_at: Instant,
    /// Until when money clawed back returns to the partner.
    pub tail_until: Instant,
}

impl Request {
    /// What no claim holds of the reservation.
    pub(crate) fn unclaimed(&self) -> Money {
        money::less(self.reserved, self.held)
    }

    /// What goes back to the fund when a claim's hold ends with so much spent: all that no other
    /// claim holds once the request is over or this was its last claim approved, else nothing.
    pub(crate) fn unreserved(&self, hold: Money, spent: Money, ends: bool) -> Money {
        if !ends && !self.state.is_over() {
            return self.reserved.currency().zero();
        }
        let others = money::less(self.held, hold);
        money::less(money::less(self.reserved, spent), others)
    }
}

/// The fund, once something was allocated.
pub(crate) fn fund(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
) -> Result<Option<Arc<MdfFund>>, Unavailable> {
    facts.get((programme, partner))
}

/// What a budget allocated to a partner.
pub(super) fn allocation(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    budget: &BudgetId,
) -> Result<Option<Arc<Allocation>>, Unavailable> {
    facts.get((programme, partner, budget))
}

/// The partner's request, or the rejection that its fund has none of that name (class 3).
pub(crate) fn request(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    id: &RequestId,
) -> Result<Arc<Request>, Refusal> {
    let request = facts
        .get::<Request>(id)?
        .filter(|request| request.partner == *partner && request.programme == *programme);
    Ok(request.ok_or_else(|| MdfRejection::UnknownRequest { request: id.clone() })?)
}

/// The MDF terms of a version, or the rejection that it has none (class 6).
pub(crate) fn terms(version: &Version) -> Result<&MdfTerms, MdfRejection> {
    version.terms.mdf.as_ref().ok_or_else(|| MdfRejection::NotOffered {
        programme: version.programme.clone(),
        version: version.version,
    })
}

pub(super) fn credited(
    event: &MdfAllocationCredited,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let currency = event.amount.currency();
    let zero = currency.zero();
    let fund = rows::get::<MdfFund>(&*rows, (programme, partner))?;
    let empty = MdfFund { currency, available: zero, owed: zero };
    let mut fund = fund.map_or(empty, Arc::unwrap_or_clone);
    add(&mut fund.available, event.amount);
    rows::put(rows, (programme, partner), fund);
    let key = (programme, partner, &event.budget);
    let given = rows::get::<Allocation>(&*rows, key)?;
    let mut given = given.map_or(Allocation { amount: zero }, Arc::unwrap_or_clone);
    add(&mut given.amount, event.amount);
    rows::put(rows, key, given);
    Ok(())
}

pub(super) fn reduced(
    event: &MdfAllocationReduced,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let key = (programme, partner, &event.budget);
    rows::update::<Allocation>(rows, key, |given| take(&mut given.amount, event.amount))?;
    change_fund(rows, programme, partner, |fund| take(&mut fund.available, event.amount))
}

/// Changes the fund.
pub(crate) fn change_fund(
    rows: &mut dyn RowsMut,
    programme: &ProgrammeId,
    partner: &PartnerId,
    change: impl FnOnce(&mut MdfFund),
) -> Result<(), Unavailable> {
    rows::update::<MdfFund>(rows, (programme, partner), change)
}

pub(super) fn requested(event: &MdfRequested, commit: &Commit, rows: &mut dyn RowsMut) {
    let zero = event.estimated_cost.currency().zero();
    let origin = &commit.origin;
    let request = Request {
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        activity: event.activity.clone(),
        start: event.start,
        end: event.end,
        estimated_cost: event.estimated_cost,
        state: RequestState::Submitted,
        submitted_by: origin.on_behalf_of.as_ref().unwrap_or(&origin.actor).clone(),
        latest: commit.time(),
        reserved: zero,
        held: zero,
        approval: None,
    };
    rows::put(rows, &event.request, request);
}

pub(super) fn approved(
    event: &MdfRequestApproved,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    rows::update::<Request>(rows, &event.request, |request| {
        request.state = RequestState::Approved;
        request.latest = commit.time();
        request.reserved = event.amount;
        request.approval = Some(Approval {
            programme_version: event.programme_version,
            claims_until: event.claims_until,
            lapses_at: event.lapses_at,
            tail_until: event.tail_until,
        });
    })?;
    change_fund(rows, &event.programme, &event.partner, |fund| {
        take(&mut fund.available, event.amount);
    })
}

/// A request is over: what was still free of its reservation is the fund's again.
pub(super) fn over(
    rows: &mut dyn RowsMut,
    request: &RequestId,
    state: RequestState,
    released: Option<Money>,
    commit: &Commit,
) -> Result<(), Unavailable> {
    let mut of = None;
    rows::update::<Request>(rows, request, |request| {
        request.state = state;
        request.latest = request.latest.max(commit.time());
        if let Some(released) = released {
            take(&mut request.reserved, released);
        }
        of = Some((request.programme.clone(), request.partner.clone()));
    })?;
    match (of, released) {
        (Some((programme, partner)), Some(released)) => {
            change_fund(rows, &programme, &partner, |fund| add(&mut fund.available, released))
        }
        _ => Ok(()),
    }
}
