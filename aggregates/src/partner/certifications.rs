//! What a partner can show: people's credentials, and measures such as satisfaction.

use super::{Certification, Measure, PartnerRejection, PartnerState, ZONE, happened, known};
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::{RecordCertification, RecordMeasure};
use chl_events::PartnerId;
use chl_events::partner::{CertificationRecorded, MeasureRecorded};

fn not_terminated(facts: Facts<'_>, partner: &PartnerId) -> Result<(), Refusal> {
    if known(facts, partner)?.state == PartnerState::Terminated {
        return Err(PartnerRejection::Terminated { partner: partner.clone() }.into());
    }
    Ok(())
}

/// RecordCertification: a person counts once in each kind of credential; a new date renews it.
pub(super) fn record(
    command: &RecordCertification,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RecordCertification { partner, person, credential, valid_until } = command.clone();
    known(facts, &partner)?;
    let key = (&partner, &person, &credential);
    let present = facts.get::<Certification>(key)?;
    if present.is_some_and(|present| present.valid_until == valid_until) {
        return Err(PartnerRejection::Certified { person, credential, valid_until }.into());
    }
    not_terminated(facts, &partner)?;
    context.require_time()?;
    Ok(happened(context, CertificationRecorded { partner, person, credential, valid_until }))
}

/// RecordMeasure: another value for the same period corrects the one before; the measured
/// period itself may be over or still running, and is dated by its last day at the latest.
pub(super) fn measure(
    command: &RecordMeasure,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RecordMeasure { partner, measure, period, value } = command.clone();
    known(facts, &partner)?;
    let present = facts.get::<Measure>((&partner, &measure, period))?;
    if present.is_some_and(|present| present.value == value) {
        return Err(PartnerRejection::Measured { partner, measure }.into());
    }
    not_terminated(facts, &partner)?;
    context.require_time()?;
    context.require_past(&ZONE, "data.period", period.first())?;
    Ok(happened(context, MeasureRecorded { partner, measure, period, value }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::given;
    use crate::story::{id, recruit};
    use chl_commands::partner::TerminatePartner;

    fn certificate(valid_until: &str) -> RecordCertification {
        RecordCertification {
            partner: id("p1"),
            person: id("u-1"),
            credential: id("pro"),
            valid_until: id(valid_until),
        }
    }

    fn satisfaction(period: &str, value: &str) -> RecordMeasure {
        let (period, value) = (id(period), id(value));
        RecordMeasure { partner: id("p1"), measure: id("satisfaction"), period, value }
    }

    #[test]
    fn a_credential_is_recorded_once_per_date() {
        let mut story = given().and(recruit("p1")).and(certificate("2026-12-31"));
        story.when(certificate("2026-12-31")).refused("partner.certified");
        story.when(certificate("2027-12-31")).events();
        given().when(certificate("2026-12-31")).refused("partner.unknown");
    }

    #[test]
    fn a_measure_is_recorded_once_per_value() {
        let mut story = given().and(recruit("p1")).and(satisfaction("2026-Q1", "4.5"));
        story.when(satisfaction("2026-Q1", "4.50")).refused("partner.measured");
        story.when(satisfaction("2026-Q1", "4.6")).events();
        story.when(satisfaction("2026-Q2", "4.6")).refused("time.in_future");
    }

    #[test]
    fn nothing_new_of_the_terminated() {
        let gone = TerminatePartner { partner: id("p1"), note: None };
        let mut story = given().and(recruit("p1")).and(gone);
        story.when(certificate("2026-12-31")).refused("partner.terminated");
        story.when(satisfaction("2026-Q1", "4.5")).refused("partner.terminated");
    }
}
