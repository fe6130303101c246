//! MarkDealWon and MarkDealLost: how the market decided.
//!
//! The market does not wait: submitted, approved, contested, displaced and expired deals may all
//! still be won or lost. A closing frees the slot at its time, not at the day it closed on.

use super::state::wrong_state;
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
        done if done == closing => {
            Err(DealRejection::AlreadySo { deal: id.clone(), state: done.as_str() })
        }
        DealState::Won | DealState::Lost | DealState::Withdrawn | DealState::Rejected => {
            Err(wrong_state(id, state))
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
    context.require_past(&deal.zone(facts)?, "closed_on", closed_on)?;
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
