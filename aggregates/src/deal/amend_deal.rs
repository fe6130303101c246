//! AmendDeal: the figures of an open deal change; its slot never does.
//!
//! The minimum of the version it was registered under holds for the new figures too, so that
//! nobody registers high and amends low.

use super::state::wrong_state;
use super::{DealState, named, require_order, sealed, terms};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, money, programme};
use chl_commands::deal::AmendDeal;
use chl_events::deal::DealAmended;

pub(super) fn decide(
    command: &AmendDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let AmendDeal { value, expected_close, contract, .. } = command;
    if value.is_none() && expected_close.is_none() && contract.is_none() {
        return Err(AnyRejection::BadField {
            field: "value".into(),
            problem: "or another figure must be given".into(),
        }
        .into());
    }
    if let Some(value) = *value {
        money::positive(value, "value")?;
    }
    terms::check_contract(contract.as_ref())?;
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    match state {
        DealState::Submitted | DealState::Approved | DealState::Contested => {}
        DealState::Won
        | DealState::Lost
        | DealState::Expired
        | DealState::Withdrawn
        | DealState::Displaced
        | DealState::Rejected => return Err(wrong_state(&command.deal, state).into()),
    }
    let version = programme::version(facts, &deal.programme, deal.registered_under)?;
    let terms = terms::deal_terms(&version)?;
    let present = contract.as_ref().or(deal.contract.as_ref());
    if value.is_some() || contract.is_some() {
        terms::check_minimum(value.unwrap_or(deal.value), present, &version)?;
    }
    context.require_time()?;
    let zone = version.zone();
    if let Some(signed_on) = contract.as_ref().and_then(|contract| contract.signed_on) {
        context.require_past(&zone, "contract.signed_on", signed_on)?;
    }
    require_order(facts, context, deal.place())?;
    terms::check_currency(*value, contract.as_ref(), &version)?;
    let acv = contract.as_ref().map(|contract| terms::acv(contract, &version, terms)).transpose()?;
    let event = DealAmended {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        value: *value,
        acv,
        expected_close: *expected_close,
        contract: contract.clone(),
        note: sealed(command.note.as_ref()),
    };
    Ok(vec![Fact::new(zone.day(context.time), event)])
}
