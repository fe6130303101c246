//! RegisterDeal: a partner, or the vendor itself, registers an opportunity on a customer.
//!
//! A registration that collides with another's protection is accepted as contested, for an
//! unwelcome fact is still a fact; a policy opens the conflict in a commit of its own, since the
//! challenger may not see the incumbent. Where the terms approve, the approval stands in the same
//! commit.

use super::{Deal, DealRejection, Occupant, Place, approval, last_other, occupant, slot, terms};
use crate::calendar::plus_hours;
use crate::programme::{self, Version};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, conflict, customer, money, partner};
use chl_commands::deal::RegisterDeal;
use chl_events::deal::{DealRegistered, Route};
use chl_events::terms::{ApprovalMode, DealTerms};
use chl_events::{ConflictId, PartnerId, Role, Stream};

pub(super) fn decide(
    command: &RegisterDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    check_form(command)?;
    if command.partner.is_none() && context.origin.role == Role::Partner {
        return Err(DealRejection::DirectNotPermitted.into());
    }
    if let Some(partner) = &command.partner {
        partner::known(facts, partner)?;
    }
    programme::known(facts, &command.programme)?;
    customer::known(facts, &command.customer)?;
    if facts.get::<Deal>(&command.deal)?.is_some() {
        return Err(DealRejection::IdTaken { deal: command.deal.clone() }.into());
    }
    if let Some(partner) = &command.partner {
        partner::require_active(facts, partner)?;
        partner::require_enrolled(facts, partner, &command.programme)?;
    }
    let version = programme::terms_in_force(facts, &command.programme, context.time)?;
    let deal_terms = terms::deal_terms(&version)?;
    check_terms(command, facts, context, &version, deal_terms)?;
    let contested = contested(command, facts, context, deal_terms)?;
    terms::check_currency(Some(command.value), command.contract.as_ref(), &version)?;

    let automatic = contested.is_none() && !late(command, facts, context)? && {
        match (deal_terms.approval, deal_terms.auto_below) {
            (ApprovalMode::Auto, _) => true,
            (ApprovalMode::AutoBelow, Some(below)) => command.value.minor() < below.minor(),
            (ApprovalMode::AutoBelow, None) | (ApprovalMode::Manual, _) => false,
        }
    };
    let registered = registered(command, facts, context, &version, contested, automatic)?;
    let on = version.zone().day(context.time);
    let mut made = vec![Fact::new(on, registered)];
    if automatic {
        let deal = &command.deal;
        made.push(approval(deal, &command.customer, &version, context, true, None)?);
    }
    Ok(made)
}

/// Class 1: what the types of the catalog cannot rule out.
fn check_form(command: &RegisterDeal) -> Result<(), AnyRejection> {
    let direct = command.route == Some(Route::Direct);
    if command.partner.is_none() != direct {
        return Err(AnyRejection::data("partner", "must be given, unless the route is direct"));
    }
    money::positive(command.value, "value")?;
    terms::check_contract(command.contract.as_ref())
}

/// Class 6, but for the slot.
fn check_terms(
    command: &RegisterDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
    version: &Version,
    terms: &DealTerms,
) -> Result<(), Refusal> {
    let product_line = &command.product_line;
    if !terms.product_lines.is_empty() && !terms.product_lines.contains(product_line) {
        let product_line = product_line.clone();
        return Err(DealRejection::ProductLineExcluded { product_line }.into());
    }
    if let Some(partner) = &command.partner {
        check_route(command, facts, partner, terms)?;
    }
    let zone = version.zone();
    let on = zone.day(context.time);
    terms::check_minimum(command.value, command.contract.as_ref(), version)?;
    terms::check_windows(command.expected_close, command.contract.as_ref(), on, terms)?;
    context.require_time()?;
    let signed_on = command.contract.as_ref().and_then(|contract| contract.signed_on);
    if let Some(signed_on) = signed_on {
        context.require_past(zone, "data.contract.signed_on", signed_on)?;
    }
    Ok(())
}

/// Rules of engagement: direct accounts and territories.
fn check_route(
    command: &RegisterDeal,
    facts: Facts<'_>,
    partner: &PartnerId,
    terms: &DealTerms,
) -> Result<(), Refusal> {
    let reserved = &terms.reserved_accounts;
    let absorbed = || customer::known(facts, &command.customer).map(|one| one.absorbed.clone());
    if !reserved.is_empty()
        && (reserved.contains(&command.customer)
            || absorbed()?.iter().any(|name| reserved.contains(name)))
    {
        let customer = command.customer.clone();
        return Err(DealRejection::ReservedAccount { customer }.into());
    }
    let territories = &partner::known(facts, partner)?.territories;
    match &command.territory {
        Some(territory) if !territories.is_empty() && !territories.contains(territory) => {
            Err(DealRejection::OutsideTerritory { territory: territory.clone() }.into())
        }
        _ => Ok(()),
    }
}

fn place(command: &RegisterDeal) -> Place<'_> {
    Place {
        customer: &command.customer,
        product_line: &command.product_line,
        territory: command.territory.as_ref(),
        partner: command.partner.as_ref(),
    }
}

/// Whether it comes behind what is recorded on the slot already.
fn late(command: &RegisterDeal, facts: Facts<'_>, context: &Context<'_>) -> Result<bool, Refusal> {
    Ok(slot::slot(facts, place(command))?.is_some_and(|slot| context.time < slot.latest))
}

/// The conflict it comes into, if another guards the slot (class 6 where the terms refuse).
///
/// An operator's late registration comes second to whoever guards the slot, or did so last.
fn contested(
    command: &RegisterDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
    terms: &DealTerms,
) -> Result<Option<ConflictId>, Refusal> {
    let place = place(command);
    let backfill = context.origin.backfill && context.origin.role == Role::Operator;
    if !backfill {
        slot::require_order(facts, context, place)?;
    }
    let incumbent = match occupant(facts, place, context.time)? {
        Occupant::Oneself(deal) if terms.one_deal_per_slot => {
            return Err(DealRejection::OwnSlotTaken { deal }.into());
        }
        Occupant::Oneself(_) => None,
        Occupant::Another(guard, _) => Some(guard),
        Occupant::Nobody if late(command, facts, context)? => {
            last_other(facts, place)?.map(|(guard, _)| guard)
        }
        Occupant::Nobody => None,
    };
    Ok(incumbent.map(|guard| {
        let kind = conflict::kind_of(guard.partner.as_ref(), place.partner);
        conflict::conflict_id(kind, &command.deal)
    }))
}

fn registered(
    command: &RegisterDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
    version: &Version,
    contested: Option<ConflictId>,
    automatic: bool,
) -> Result<DealRegistered, Refusal> {
    let command = command.clone();
    let terms = terms::deal_terms(version)?;
    let acv = command.contract.as_ref().map(|contract| terms::acv(contract, version, terms));
    let stream = command.partner.clone().map(Stream::Partner);
    let partner_version = stream.map_or(Ok(0), |stream| facts.version(&stream))?;
    let hours = terms.approval_sla_hours.filter(|_| !automatic);
    Ok(DealRegistered {
        deal: command.deal,
        customer: command.customer,
        partner: command.partner,
        programme: command.programme,
        programme_version: version.version,
        product_line: command.product_line,
        territory: command.territory,
        value: command.value,
        acv: acv.transpose()?,
        expected_close: command.expected_close,
        contract: command.contract,
        partner_version,
        contested,
        decision_due: hours.map(|hours| plus_hours(context.time, hours)),
    })
}

#[cfg(test)]
mod tests;
