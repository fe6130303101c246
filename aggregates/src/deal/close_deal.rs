//! MarkDealWon and MarkDealLost: how the market decided.
//!
//! The market does not wait: submitted, approved, contested, displaced and expired deals may all
//! still be won or lost. A closing frees the slot at its time, not at the day it closed on.

use super::state::done_or_wrong;
use super::{Deal, DealRejection, DealState, ending, named, require_order};
use crate::{Context, Fact, Facts, Refusal, money};
use chl_commands::deal::{MarkDealLost, MarkDealWon};
use chl_events::deal::{DealLost, DealWon, GuardEnd};
use chl_events::{Date, DealId};
use std::sync::Arc;

/// MarkDealWon: at its registered value, or at another.
pub(super) fn won(
    command: &MarkDealWon,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    if let Some(value) = command.value {
        money::positive(value, "value")?;
    }
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    check_state(&command.deal, state, DealState::Won)?;
    check_dates(facts, context, &deal, command.closed_on)?;
    let value = command.value.unwrap_or(deal.value);
    money::expect_currency(deal.value.currency(), value)?;
    let event = DealWon {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        closed_on: command.closed_on,
        value,
    };
    let closing = Fact::new(command.closed_on, event);
    closed(&command.deal, (deal, state), facts, context, closing, GuardEnd::Won)
}

/// MarkDealLost: for a reason that is a code.
pub(super) fn lost(
    command: &MarkDealLost,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    check_state(&command.deal, state, DealState::Lost)?;
    check_dates(facts, context, &deal, command.closed_on)?;
    let event = DealLost {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        closed_on: command.closed_on,
        loss_reason: command.loss_reason.clone(),
    };
    let closing = Fact::new(command.closed_on, event);
    closed(&command.deal, (deal, state), facts, context, closing, GuardEnd::Lost)
}

fn check_state(id: &DealId, state: DealState, closing: DealState) -> Result<(), DealRejection> {
    match state {
        DealState::Submitted
        | DealState::Approved
        | DealState::Contested
        | DealState::Displaced
        | DealState::Expired => Ok(()),
        DealState::Won | DealState::Lost | DealState::Withdrawn | DealState::Rejected => {
            Err(done_or_wrong(id, state, closing))
        }
    }
}

fn check_dates(
    facts: Facts<'_>,
    context: &Context<'_>,
    deal: &Deal,
    closed_on: Date,
) -> Result<(), Refusal> {
    context.require_time()?;
    context.require_past(&deal.zone(facts)?, "data.closed_on", closed_on)?;
    require_order(facts, context, deal.place())
}

fn closed(
    id: &DealId,
    (deal, state): (Arc<Deal>, DealState),
    facts: Facts<'_>,
    context: &Context<'_>,
    closing: Fact,
    cause: GuardEnd,
) -> Result<Vec<Fact>, Refusal> {
    let on = deal.zone(facts)?.day(context.time);
    let mut made = vec![closing];
    made.extend(ending::ended(id, &deal, state, context, on, cause));
    Ok(made)
}

#[cfg(test)]
mod tests {
    use crate::given::Given;
    use crate::story::{
        approve, auto, bad_field, currency, deal, id, lost, market, reject, resolve, usd, withdraw,
        won,
    };
    use chl_commands::deal::MarkDealWon;
    use chl_events::Money;
    use chl_events::conflict::Resolution;
    use chl_events::terms::DealTerms;

    fn pair() -> Given {
        market(auto(), &["p1", "p2"]).and(deal("d1", "p1")).and(deal("d2", "p2"))
    }

    /// Stories that bring `d1` into every state from which the market may still decide.
    fn open() -> Vec<(Given, &'static [&'static str])> {
        let pending = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        let approved = pending.clone().and(approve("d1"));
        let contested = market(auto(), &["p1", "p2"]).and(deal("d2", "p2")).and(deal("d1", "p1"));
        let displaced = pair().and(resolve("d2", Resolution::AwardChallenger));
        let expired = approved.clone().at("2026-09-01T00:00:00Z");
        vec![
            (pending, &["ProtectionEnded"]),
            (approved, &["ProtectionEnded"]),
            (contested, &["ConflictLapsed"]),
            (displaced, &[]),
            (expired, &[]),
        ]
    }

    #[test]
    fn the_market_does_not_wait() {
        for (story, follows) in open() {
            let won = story.clone().when(won("d1")).names();
            let own: Vec<_> = won.iter().skip_while(|name| **name != "DealWon").collect();
            assert!(own.iter().skip(1).copied().eq(follows.iter()), "{won:?}");
            let lost = story.clone().when(lost("d1")).names();
            assert!(lost.contains(&"DealLost"), "{lost:?}");
        }
    }

    #[test]
    fn the_other_ends_do_not_change() {
        let pending = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        for end in [pending.clone().and(reject("d1")), pending.clone().and(withdraw("d1"))] {
            end.clone().when(won("d1")).refused("deal.wrong_state");
            end.clone().when(lost("d1")).refused("deal.wrong_state");
        }
        let mut ended = pending.clone().and(won("d1"));
        ended.when(won("d1")).refused("deal.already_so");
        ended.when(lost("d1")).refused("deal.wrong_state");
        let mut ended = pending.and(lost("d1"));
        ended.when(lost("d1")).refused("deal.already_so");
        ended.when(won("d1")).refused("deal.wrong_state");
    }

    #[test]
    fn a_closing_has_its_own_day_and_value() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let closing = |value, day: &str| MarkDealWon { value, closed_on: id(day), ..won("d1") };
        let mut later = story.at("2026-03-20T12:00:00Z");
        bad_field(&later.when(closing(Some(usd("0.00")), "2026-03-10")), "value");
        later.when(closing(None, "2026-03-21")).refused("time.in_future");
        let euros = Some(Money::from_minor(1, currency("EUR")));
        later.when(closing(euros, "2026-03-10")).refused("money.currency_differs");
        let made = later.when(closing(Some(usd("42000.00")), "2026-03-10"));
        let text = format!("{made:?}");
        assert!(text.contains("effective_on: 2026-03-10"), "{text}");
        // The slot is free since the closing was recorded, not since the day it closed on.
        assert!(text.contains("at: 2026-03-20T12:00:00Z"), "{text}");
        let mut early = later.claiming("2026-03-15T09:00:00Z");
        early.when(deal("d2", "p2")).refused("time.before_history");
    }
}
