//! A claim that is decided on: its terms, its day, and what ends a hold on its money.

use super::ClaimRejection;
use super::state::{self, Claim};
use crate::mdf::{self, Request, RequestState};
use crate::posting::{Move, Posting};
use crate::programme::{self, Version};
use crate::rejection::AnyRejection;
use crate::{Context, Facts, Refusal, RowsMut, Unavailable, coop, money, partner, rows};
use chl_events::claim::Part;
use chl_events::terms::IncentiveAccount;
use chl_events::{Commit, Date, Money};
use std::sync::Arc;

/// The terms of a claim, and the day of a command on it.
pub(super) struct Case {
    pub(super) version: Arc<Version>,
    pub(super) today: Date,
}

/// Opens a claim's case, once the command's time is in order (class 6).
pub(super) fn open(
    facts: Facts<'_>,
    claim: &Claim,
    context: &Context<'_>,
) -> Result<Case, Refusal> {
    let version = programme::version(facts, &claim.programme, claim.programme_version)?;
    context.require_time()?;
    context.require_order(claim.latest)?;
    let today = version.zone().day(context.time);
    Ok(Case { version, today })
}

impl Case {
    /// Checks that the claims of a partner that left still run off (class 6).
    pub(super) fn check_tail(
        &self,
        facts: Facts<'_>,
        claim: &Claim,
        context: &Context<'_>,
    ) -> Result<(), Refusal> {
        let left = partner::known(facts, &claim.partner)?.terminated_at;
        let days = self.version.terms.tail_days;
        match left.map(|left| self.version.zone().plus_days(left, days)) {
            Some(until) if context.time >= until => Err(ClaimRejection::TailOver { until }.into()),
            Some(_) | None => Ok(()),
        }
    }

    /// Where the money of a part is booked: as it was accrued, and MDF by the claim's terms.
    pub(super) fn account(
        &self,
        facts: Facts<'_>,
        claim: &Claim,
        part: &Part,
    ) -> Result<IncentiveAccount, Unavailable> {
        match &part.lot {
            Some(lot) => coop::lot_of_fact(facts, &claim.programme, &claim.partner, lot)?
                .account(facts, &claim.programme),
            None => Ok(self.version.terms.incentive_account),
        }
    }

    /// Posts what is no longer held, and says what of it expired at once because its lot had.
    pub(super) fn release(
        &self,
        facts: Facts<'_>,
        claim: &Claim,
        mut lines: Posting,
        released: &[Part],
    ) -> Result<(Posting, Vec<Part>), Unavailable> {
        let mut expired = Vec::new();
        for part in released {
            let account = self.account(facts, claim, part)?;
            let Some(id) = &part.lot else {
                lines = lines.add(Move::ReleaseIncentive(account), part.amount);
                continue;
            };
            lines = lines.add_to(Move::ReleaseAccrued, Some(id), part.amount);
            let lot = coop::lot_of_fact(facts, &claim.programme, &claim.partner, id)?;
            if lot.expired {
                lines = lines.add_to(Move::Expire(account), Some(id), part.amount);
                expired.push(part.clone());
            }
        }
        Ok((lines, expired))
    }
}

/// Refuses an amount of nothing (class 1).
pub(super) fn check_amount(amount: Option<Money>) -> Result<(), AnyRejection> {
    amount.map_or(Ok(()), |amount| money::positive(amount, "amount"))
}

/// The amount given or, when none is, all of it (class 7).
pub(super) fn chosen(amount: Option<Money>, all: Money) -> Result<Money, AnyRejection> {
    let amount = amount.unwrap_or(all);
    money::expect_currency(all.currency(), amount)?;
    Ok(amount)
}

/// The amount given or, when none is, all of `most`; more than that is refused (class 7).
pub(super) fn at_most(
    amount: Option<Money>,
    most: Money,
    over: fn(Money, Money) -> ClaimRejection,
) -> Result<Money, Refusal> {
    let amount = chosen(amount, most)?;
    if amount.minor() > most.minor() {
        return Err(over(most, amount).into());
    }
    Ok(amount)
}

/// What of a reservation goes back to the fund when a claim's hold ends with so much spent.
pub(super) fn unreserved(
    facts: Facts<'_>,
    claim: &Claim,
    spent: Money,
) -> Result<Option<Money>, Refusal> {
    let Some((id, is_final)) = &claim.request else { return Ok(None) };
    let request = mdf::request(facts, &claim.programme, &claim.partner, id)?;
    let ends = *is_final && spent.is_positive();
    Ok(Some(request.unreserved(claim.sum(|part| part.held), spent, ends)))
}

/// Takes the end of a claim's hold into its lots or its request.
pub(super) fn hold_ended(
    claim: &Claim,
    released: &[Part],
    spent: Money,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&claim.programme, &claim.partner);
    for part in released {
        if let Some(lot) = &part.lot {
            coop::released(rows, (programme, partner, lot), &claim.activity, part.amount)?;
        }
    }
    let Some((id, is_final)) = &claim.request else { return Ok(()) };
    let ends = *is_final && spent.is_positive();
    let hold = claim.sum(|part| part.held);
    let mut back = claim.currency().zero();
    rows::update::<Request>(rows, id, |request| {
        back = request.unreserved(hold, spent, ends);
        money::take(&mut request.held, hold);
        money::take(&mut request.reserved, spent);
        money::take(&mut request.reserved, back);
        request.latest = request.latest.max(commit.time());
        if request.state == RequestState::Claimed && *is_final {
            request.state = if ends { RequestState::Closed } else { RequestState::Approved };
        }
    })?;
    mdf::change_fund(rows, programme, partner, |fund| money::add(&mut fund.available, back))
}

/// What the partner owes the claim's fund.
pub(super) fn owed(facts: Facts<'_>, claim: &Claim) -> Result<Money, Unavailable> {
    let (programme, partner) = (&claim.programme, &claim.partner);
    let owed = match claim.request {
        Some(_) => mdf::fund(facts, programme, partner)?.map(|fund| fund.owed),
        None => coop::fund(facts, programme, partner)?.map(|fund| fund.owed),
    };
    Ok(owed.unwrap_or_else(|| claim.currency().zero()))
}

/// Changes what the partner owes the claim's fund.
pub(super) fn owes(
    rows: &mut dyn RowsMut,
    claim: &Claim,
    change: fn(&mut Money, Money),
    amount: Money,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&claim.programme, &claim.partner);
    match claim.request {
        Some(_) => {
            mdf::change_fund(rows, programme, partner, |fund| change(&mut fund.owed, amount))
        }
        None => coop::change_owed(rows, programme, partner, |owed| change(owed, amount)),
    }
}

/// The sum of a claim's parts.
pub(super) fn sum(claim: &Claim, parts: &[Part]) -> Money {
    state::sum(claim.currency(), parts)
}
