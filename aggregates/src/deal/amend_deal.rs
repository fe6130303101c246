//! AmendDeal: the figures of an open deal change; its slot never does.
//!
//! The minimum of the version it was registered under holds for the new figures too, so that
//! nobody registers high and amends low.

use super::state::wrong_state;
use super::{DealState, named, require_order, terms};
use crate::context::sealed;
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
        return Err(AnyRejection::data("value", "or another figure must be given").into());
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
        context.require_past(zone, "data.contract.signed_on", signed_on)?;
    }
    require_order(facts, context, deal.place())?;
    terms::check_currency(*value, contract.as_ref(), &version)?;
    let acv =
        contract.as_ref().map(|contract| terms::acv(contract, &version, terms)).transpose()?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{auto, bad_field, currency, deal, id, market, usd, won};
    use chl_events::deal::Contract;
    use chl_events::terms::DealTerms;
    use chl_events::{Date, Money};

    fn amend(value: Option<Money>) -> AmendDeal {
        AmendDeal {
            deal: id("d1"),
            customer: id("acme"),
            value,
            expected_close: None,
            contract: None,
            note: None,
        }
    }

    #[test]
    fn figures_change_and_the_minimum_holds() {
        let terms = DealTerms { minimum_value: Some(usd("10000.00")), ..auto() };
        let mut story = market(terms, &["p1"]).and(deal("d1", "p1"));
        bad_field(&story.when(amend(None)), "value");
        bad_field(&story.when(amend(Some(usd("0.00")))), "value");
        story.when(amend(Some(usd("9999.99")))).refused("deal.below_minimum");
        let euros = Money::from_minor(1_000_000, currency("EUR"));
        story.when(amend(Some(euros))).refused("money.currency_differs");
        let story = story.and(amend(Some(usd("70000.00"))));
        let mut later = amend(None);
        later.expected_close = Some(id("2026-12-31"));
        let mut story = story.and(later);
        let made = format!("{:?}", story.when(won("d1")).events());
        assert!(made.contains("value: 70000.00 USD"), "{made}");
        story.when(amend(Some(usd("70000.00")))).refused("deal.wrong_state");
    }

    #[test]
    fn a_contract_brings_its_annual_value() {
        let contract = |signed_on: Option<Date>| {
            let tcv = usd("100000.00");
            Some(Contract { tcv, months: Some(36), perpetual: false, signed_on })
        };
        let mut story = market(auto(), &["p1"]).and(deal("d1", "p1"));
        let signed = AmendDeal { contract: contract(Some(id("2026-03-02"))), ..amend(None) };
        story.when(signed).refused("time.in_future");
        let unsigned = AmendDeal { contract: contract(None), ..amend(None) };
        let made = format!("{:?}", story.when(unsigned).events());
        assert!(made.contains("acv: Some(33333.33 USD)"), "{made}");
    }
}
