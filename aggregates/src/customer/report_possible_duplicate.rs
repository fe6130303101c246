//! ReportPossibleDuplicate: two customers look like one company; somebody is to decide.

use super::CustomerRejection;
use super::state::{Pair, PairState, require_undecided, two};
use crate::calendar::Zone;
use crate::conflict::duplicate_id;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::customer::ReportPossibleDuplicate;
use chl_events::Stream;
use chl_events::customer::PossibleDuplicateReported;

/// The highest score: the same.
const MAX_SCORE: u8 = 100;
/// The most likenesses that are told of two customers.
const MAX_EVIDENCE: usize = 16;

pub(super) fn decide(
    command: &ReportPossibleDuplicate,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    check_form(command)?;
    two(facts, (&command.customer, &command.other), "other")?;
    let conflict = duplicate_id(&command.customer, &command.other);
    let present = facts.get::<Pair>(&conflict)?;
    if present.as_ref().is_some_and(|present| present.state == PairState::Reported) {
        return Err(CustomerRejection::DuplicateReported { conflict }.into());
    }
    require_undecided(&conflict, present.as_deref())?;
    context.require_time()?;
    let other_version = facts.version(&Stream::Customer(command.other.clone()))?;
    let ReportPossibleDuplicate { customer, other, score, evidence } = command.clone();
    let event =
        PossibleDuplicateReported { conflict, customer, other, score, evidence, other_version };
    Ok(vec![Fact::new(Zone::Utc.day(context.time), event)])
}

fn check_form(command: &ReportPossibleDuplicate) -> Result<(), AnyRejection> {
    let wrong = |field: &str, problem: &str| Err(AnyRejection::data(field, problem));
    if command.score > MAX_SCORE {
        return wrong("score", "must be at most 100");
    }
    if command.evidence.is_empty() || command.evidence.len() > MAX_EVIDENCE {
        return wrong("evidence", "must tell of 1 to 16 likenesses");
    }
    if command.evidence.iter().any(|alike| alike.score > MAX_SCORE) {
        return wrong("evidence", "must have scores of at most 100");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::{Given, given};
    use crate::story::{bad_field, customer, kept_apart, merge, reported};
    use chl_events::customer::{Alike, Likeness};

    fn two_customers() -> Given {
        given().and(customer("acme")).and(customer("acme-inc"))
    }

    #[test]
    fn a_pair_is_reported_once_whichever_comes_first() {
        let mut story = two_customers();
        let made = story.when(reported("acme", "acme-inc"));
        assert_eq!(made.names(), ["PossibleDuplicateReported"]);
        let text = format!("{made:?}");
        assert!(text.contains("other_version: 1"), "{text}");
        story.when(reported("acme", "acme-inc")).refused("customer.duplicate_reported");
        story.when(reported("acme-inc", "acme")).refused("customer.duplicate_reported");
        story.when(reported("acme", "nobody")).refused("customer.unknown");
        bad_field(&story.when(reported("acme", "acme")), "other");
    }

    #[test]
    fn a_decided_pair_is_not_reported_again() {
        let mut apart = two_customers().and(kept_apart("acme-inc", "acme"));
        apart.when(reported("acme", "acme-inc")).refused("customer.kept_apart");
        let mut merged = two_customers().and(merge("acme", "acme-inc"));
        merged.when(reported("acme", "acme-inc")).refused("customer.merged");
    }

    #[test]
    fn a_report_says_in_what_the_two_are_alike() {
        let mut none = reported("acme", "acme-inc");
        none.evidence = Vec::new();
        bad_field(&two_customers().when(none), "evidence");
        let mut many = reported("acme", "acme-inc");
        many.evidence = vec![Alike { likeness: Likeness::SameName, score: 1 }; MAX_EVIDENCE + 1];
        bad_field(&two_customers().when(many), "evidence");
        let mut more = reported("acme", "acme-inc");
        more.evidence = vec![Alike { likeness: Likeness::SameName, score: MAX_SCORE + 1 }];
        bad_field(&two_customers().when(more), "evidence");
        let mut over = reported("acme", "acme-inc");
        over.score = MAX_SCORE + 1;
        bad_field(&two_customers().when(over), "score");
        let mut unborn = two_customers().claiming("2026-03-02T09:00:00Z");
        unborn.when(reported("acme", "acme-inc")).refused("time.in_future");
    }
}
