//! Enrolments: which programmes a partner takes part in, and at which tier.

use super::{PartnerRejection, PartnerState, enrolment, happened, known, require_enrolled};
use crate::programme::{self, Version};
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::{EnrolPartner, GrantTier};
use chl_events::Code;
use chl_events::partner::{PartnerEnrolled, TierGranted};

/// EnrolPartner: at the tier named, else at the programme's lowest, where it has tiers.
pub(super) fn enrol(
    command: &EnrolPartner,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (partner, programme) = (command.partner.clone(), command.programme.clone());
    let state = known(facts, &partner)?.state;
    programme::known(facts, &programme)?;
    if enrolment(facts, &partner, &programme)?.is_some() {
        return Err(PartnerRejection::Enrolled { partner, programme }.into());
    }
    if state == PartnerState::Terminated {
        return Err(PartnerRejection::Terminated { partner }.into());
    }
    let version = programme::terms_in_force(facts, &programme, context.time)?;
    if let Some(tier) = &command.tier {
        check_tier(&version, tier)?;
    }
    context.require_time()?;
    let tier = command.tier.clone().or_else(|| version.terms.tiers.first().cloned());
    Ok(happened(context, PartnerEnrolled { partner, programme, tier }))
}

/// GrantTier: a person gives an enrolled partner one of the programme's tiers.
pub(super) fn grant_tier(
    command: &GrantTier,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let GrantTier { partner, programme, tier } = command.clone();
    let state = known(facts, &partner)?.state;
    programme::known(facts, &programme)?;
    let present = enrolment(facts, &partner, &programme)?;
    if present.is_some_and(|present| present.tier.as_ref() == Some(&tier)) {
        return Err(PartnerRejection::TierGranted { partner, tier }.into());
    }
    if state == PartnerState::Terminated {
        return Err(PartnerRejection::Terminated { partner }.into());
    }
    require_enrolled(facts, &partner, &programme)?;
    let version = programme::terms_in_force(facts, &programme, context.time)?;
    check_tier(&version, &tier)?;
    context.require_time()?;
    Ok(happened(context, TierGranted { partner, programme, tier }))
}

fn check_tier(version: &Version, tier: &Code) -> Result<(), PartnerRejection> {
    if version.terms.tiers.contains(tier) {
        return Ok(());
    }
    let (programme, tier) = (version.programme.clone(), tier.clone());
    Err(PartnerRejection::TierUnknown { programme, tier })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, given};
    use crate::story::{enrol, id, publish, recruit};
    use chl_commands::partner::TerminatePartner;
    use chl_events::terms::Terms;

    fn tiered() -> Given {
        let tiers = vec![id("silver"), id("gold")];
        let publish = publish("prog", Terms { tiers, ..Terms::default() });
        given().and(publish).and(recruit("p1"))
    }

    fn grant(tier: &str) -> GrantTier {
        GrantTier { partner: id("p1"), programme: id("prog"), tier: id(tier) }
    }

    #[test]
    fn a_partner_enters_at_the_lowest_tier_and_only_once() {
        let mut story = tiered();
        story.when(enrol("p1", "prog")).then(&[PartnerEnrolled {
            partner: id("p1"),
            programme: id("prog"),
            tier: Some(id("silver")),
        }
        .into()]);
        story.when(enrol("p1", "prog")).refused("partner.enrolled");
    }

    #[test]
    fn tiers_are_the_programmes_own() {
        let mut story = tiered();
        story.when(grant("gold")).refused("partner.not_enrolled");
        let mut story = story.and(enrol("p1", "prog"));
        story.when(grant("silver")).refused("partner.tier_granted");
        story.when(grant("bronze")).refused("partner.tier_unknown");
        let mut story = story.and(grant("gold"));
        story.when(grant("gold")).refused("partner.tier_granted");
        let mut other = enrol("p1", "prog");
        other.tier = Some(id("bronze"));
        tiered().when(other).refused("partner.tier_unknown");
    }

    #[test]
    fn precedence_unknown_before_state() {
        let mut story = tiered().and(TerminatePartner { partner: id("p1"), note: None });
        story.when(enrol("p2", "prog")).refused("partner.unknown");
        story.when(enrol("p1", "none")).refused("programme.unknown");
        story.when(enrol("p1", "prog")).refused("partner.terminated");
        story.when(grant("gold")).refused("partner.terminated");
        let mut before = tiered().at("2025-01-01T00:00:00Z");
        before.when(enrol("p1", "prog")).refused("programme.not_in_force");
    }
}
