//! RecruitPartner: a prospect with its types and territories.

use super::{Partner, PartnerRejection, happened};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::RecruitPartner;
use chl_events::partner::PartnerRecruited;

/// The most territories a partner names.
const MAX_TERRITORIES: usize = 256;

pub(super) fn decide(
    command: &RecruitPartner,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let mut types = command.types.clone();
    types.sort();
    types.dedup();
    let mut territories = command.territories.clone();
    territories.sort();
    territories.dedup();
    let wrong = |field: &str, problem: &str| AnyRejection::data(field, problem);
    if types.is_empty() {
        return Err(wrong("types", "must name at least one").into());
    }
    if territories.len() > MAX_TERRITORIES {
        return Err(wrong("territories", "are too many").into());
    }
    if facts.get::<Partner>(&command.partner)?.is_some() {
        return Err(PartnerRejection::Known { partner: command.partner.clone() }.into());
    }
    context.require_time()?;
    let event = PartnerRecruited {
        partner: command.partner.clone(),
        name: command.name.clone(),
        types,
        country: command.country.clone(),
        territories,
        natural_person: command.natural_person,
    };
    Ok(happened(context, event))
}

#[cfg(test)]
mod tests {
    use crate::given::given;
    use crate::story::{bad_field, recruit};
    use chl_events::partner::PartnerType;

    #[test]
    fn a_partner_is_recruited_once() {
        let mut story = given().and(recruit("p1"));
        story.when(recruit("p1")).refused("partner.known");
    }

    #[test]
    fn types_are_a_set_and_not_empty() {
        let mut command = recruit("p1");
        command.types = Vec::new();
        bad_field(&given().when(command.clone()), "types");
        command.types = vec![PartnerType::Var, PartnerType::Reseller, PartnerType::Var];
        let mut story = given();
        let made = story.when(command).events();
        let json = format!("{made:?}");
        assert!(json.contains("types: [Reseller, Var]"), "{json}");
    }
}
