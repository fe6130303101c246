//! ExtendDeal: protection is prolonged, before it ends and as often as the terms allow.
//!
//! The terms are those of the approval. What is over is recorded as expired first, by the clock,
//! so that an extension that comes too late meets an expired deal.

use super::state::wrong_state;
use super::{DealRejection, DealState, named, require_order, sealed, terms};
use crate::{Context, Fact, Facts, Refusal, partner};
use chl_commands::deal::ExtendDeal;
use chl_events::deal::DealExtended;

pub(super) fn decide(
    command: &ExtendDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    let until = match (state, deal.protected_until) {
        (DealState::Approved, Some(until)) => until,
        _ => return Err(wrong_state(&command.deal, state).into()),
    };
    if let Some(partner) = &deal.partner {
        partner::require_active(facts, partner)?;
    }
    let version = deal.version(facts)?;
    let terms = terms::deal_terms(&version)?;
    if deal.extensions >= terms.max_extensions {
        let max_extensions = terms.max_extensions;
        return Err(DealRejection::ExtensionsUsed { max_extensions }.into());
    }
    context.require_time()?;
    require_order(facts, context, deal.place())?;
    let zone = version.zone();
    let event = DealExtended {
        deal: command.deal.clone(),
        customer: command.customer.clone(),
        protected_until: zone.plus_days(until, terms.extension_days),
        extensions: deal.extensions.saturating_add(1),
        note: sealed(command.note.as_ref()),
    };
    Ok(vec![Fact::new(zone.day(context.time), event)])
}
