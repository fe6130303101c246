//! ExtendDeal: protection is prolonged, before it ends and as often as the terms allow.
//!
//! The terms are those of the approval. What is over is recorded as expired first, by the clock,
//! so that an extension that comes too late meets an expired deal.

use super::state::wrong_state;
use super::{DealRejection, DealState, named, require_order, terms};
use crate::context::sealed;
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

#[cfg(test)]
mod tests {
    use crate::story::{auto, deal, extend, market};
    use chl_events::terms::DealTerms;

    #[test]
    fn an_extension_prolongs_and_ends() {
        let mut story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let made = format!("{:?}", story.when(extend("d1")).events());
        assert!(made.contains("protected_until: 2026-06-29T09:00:00Z"), "{made}");
        story.when(extend("d1")).refused("deal.extensions_used");
        let mut story = story.at("2026-06-29T08:00:00Z");
        assert_eq!(story.when(deal("d2", "p2")).names(), ["DealRegistered", "ConflictOpened"]);
    }

    #[test]
    fn before_expiry_only() {
        let mut story = market(auto(), &["p1"]).and(deal("d1", "p1")).at("2026-05-30T09:00:00Z");
        story.when(extend("d1")).refused("deal.wrong_state");
        assert_eq!(story.events().last().map(|event| event.kind().name), Some("DealApproved"));
        let mut story = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        story.when(extend("d1")).refused("deal.wrong_state");
    }
}
