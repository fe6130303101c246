//! RequestMdf: funds are asked for before the activity.

use super::{MdfRejection, Request, state};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, money, partner, programme};
use chl_commands::mdf::RequestMdf;
use chl_events::mdf::MdfRequested;

pub(super) fn decide(
    command: &RequestMdf,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    check_fields(command)?;
    partner::known(facts, &command.partner)?;
    programme::known(facts, &command.programme)?;
    if facts.get::<Request>(&command.request)?.is_some() {
        return Err(MdfRejection::RequestTaken { request: command.request.clone() }.into());
    }
    partner::require_active(facts, &command.partner)?;
    partner::require_enrolled(facts, &command.partner, &command.programme)?;
    let version = programme::terms_in_force(facts, &command.programme, context.time)?;
    context.require_time()?;
    let terms = state::terms(&version)?;
    if terms.excluded_activities.contains(&command.activity) {
        let activity = command.activity.clone();
        return Err(MdfRejection::ActivityExcluded { activity }.into());
    }
    let today = version.zone().day(context.time);
    if command.start < today {
        return Err(MdfRejection::TooLate { start: command.start, today }.into());
    }
    money::expect_currency(version.currency, command.estimated_cost)?;
    if let Some(revenue) = command.expected_revenue {
        money::expect_currency(version.currency, revenue)?;
    }
    let event = MdfRequested {
        request: command.request.clone(),
        partner: command.partner.clone(),
        programme: command.programme.clone(),
        activity: command.activity.clone(),
        start: command.start,
        end: command.end,
        estimated_cost: command.estimated_cost,
        expected_leads: command.expected_leads,
        expected_revenue: command.expected_revenue,
    };
    Ok(vec![Fact::new(today, event)])
}

fn check_fields(command: &RequestMdf) -> Result<(), AnyRejection> {
    money::positive(command.estimated_cost, "estimated_cost")?;
    if let Some(revenue) = command.expected_revenue {
        money::positive(revenue, "expected_revenue")?;
    }
    if command.end < command.start {
        let problem = format!("{} lies before the start, {}", command.end, command.start);
        return Err(AnyRejection::data("end", problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{half, mdf_fund, p, request};
    use crate::story::{id, programme_with, usd};
    use chl_commands::mdf::RequestMdf;
    use chl_commands::partner::SuspendPartner;
    use chl_events::terms::{MdfTerms, Terms};

    #[test]
    fn funds_are_asked_for_before_the_activity() {
        let mut story = mdf_fund(half()).at("2026-03-10T23:59:59Z");
        assert_eq!(story.when(request("r", "4000")).names(), ["MdfRequested"]);
        story.when(request("r", "4000")).refused("mdf.request_taken");
        story.at("2026-03-11T00:00:00Z").when(request("q", "1")).refused("mdf.too_late");
    }

    #[test]
    fn requests_that_cannot_be() {
        let excluded_activities = vec![id("event")];
        let mut story = mdf_fund(MdfTerms { excluded_activities, ..half() });
        story.when(request("r", "1")).refused("mdf.activity_excluded");
        let mut story = mdf_fund(half());
        story.when(request("r", "0")).refused("command.malformed");
        let backwards = RequestMdf { end: id("2026-03-09"), ..request("r", "1") };
        crate::story::bad_field(&story.when(backwards), "end");
        let nothing = RequestMdf { expected_revenue: Some(usd("0")), ..request("r", "1") };
        crate::story::bad_field(&story.when(nothing), "expected_revenue");
        let mut none = programme_with(Terms::default(), &["p"]);
        none.when(request("r", "1")).refused("mdf.not_offered");
        let mut suspended = story.and(SuspendPartner { partner: p(), note: None });
        suspended.when(request("r", "1")).refused("partner.not_active");
    }
}
