//! Facts of partners into their states.

use super::state::{
    Certification, DistributorLink, Enrolment, Figure, Measure, Partner, PartnerState, Scorecard,
};
use crate::{RowsMut, Unavailable, rows};
use chl_events::partner::{PartnerEvent, PartnerRecruited};
use chl_events::{Code, Commit, Instant, PartnerId, Period, ProgrammeId};

pub(crate) fn evolve(
    event: &PartnerEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    match event {
        PartnerEvent::PartnerRecruited(event) => recruited(event, rows),
        PartnerEvent::PartnerApplied(event) => {
            move_to(rows, &event.partner, PartnerState::Applied)?
        }
        PartnerEvent::PartnerApproved(event) => {
            move_to(rows, &event.partner, PartnerState::Approved)?;
        }
        PartnerEvent::PartnerActivated(event) => {
            move_to(rows, &event.partner, PartnerState::Active)?;
        }
        PartnerEvent::PartnerSuspended(event) => {
            move_to(rows, &event.partner, PartnerState::Suspended)?;
        }
        PartnerEvent::PartnerReinstated(event) => {
            move_to(rows, &event.partner, PartnerState::Active)?;
        }
        PartnerEvent::PartnerTerminated(event) => {
            rows::update::<Partner>(rows, &event.partner, |partner| {
                partner.state = PartnerState::Terminated;
                partner.terminated_at = Some(commit.time());
            })?;
        }
        PartnerEvent::ParentAttached(event) => {
            rows::update::<Partner>(rows, &event.partner, |partner| {
                partner.parent = Some((event.parent.clone(), event.from));
            })?;
        }
        PartnerEvent::ParentDetached(event) => {
            rows::update::<Partner>(rows, &event.partner, |partner| partner.parent = None)?;
        }
        PartnerEvent::DistributorLinked(event) => {
            let link = DistributorLink { from: event.from };
            rows::put(rows, (&event.partner, &event.distributor), link);
        }
        PartnerEvent::DistributorUnlinked(event) => {
            let key = (&event.partner, &event.distributor);
            rows::remove::<DistributorLink>(rows, key);
        }
        PartnerEvent::PartnerEnrolled(event) => {
            let enrolment = Enrolment { tier: event.tier.clone() };
            rows::put(rows, (&event.partner, &event.programme), enrolment);
        }
        PartnerEvent::TierGranted(event) => {
            let key = (&event.partner, &event.programme);
            rows::update::<Enrolment>(rows, key, |enrolment| {
                enrolment.tier = Some(event.tier.clone());
            })?;
        }
        PartnerEvent::CertificationRecorded(event) => {
            let key = (&event.partner, &event.person, &event.credential);
            rows::put(rows, key, Certification { valid_until: event.valid_until });
        }
        PartnerEvent::MeasureRecorded(event) => {
            let key = (&event.partner, &event.measure, event.period);
            rows::put(rows, key, Measure { value: event.value });
        }
        PartnerEvent::ScorecardPublished(event) => {
            let figures = event.figures.metrics.iter();
            let metrics = figures.map(|one| (one.metric.clone(), Figure::Published)).collect();
            let key = (&event.partner, &event.programme, event.period);
            rows::put(rows, key, Scorecard { metrics, latest: commit.time() });
        }
        PartnerEvent::ScorecardDisputed(event) => {
            let key = (&event.partner, &event.programme, event.period);
            figure(rows, key, &event.metric, Figure::Disputed, commit.time())?;
        }
        PartnerEvent::ScorecardDisputeSettled(event) => {
            let key = (&event.partner, &event.programme, event.period);
            figure(rows, key, &event.metric, Figure::Settled, commit.time())?;
        }
    }
    Ok(())
}

fn recruited(event: &PartnerRecruited, rows: &mut dyn RowsMut) {
    let partner = Partner {
        state: PartnerState::Prospect,
        terminated_at: None,
        types: event.types.clone(),
        territories: event.territories.clone(),
        parent: None,
    };
    rows::put(rows, &event.partner, partner);
}

fn figure(
    rows: &mut dyn RowsMut,
    key: (&PartnerId, &ProgrammeId, Period),
    metric: &Code,
    state: Figure,
    at: Instant,
) -> Result<(), Unavailable> {
    rows::update::<Scorecard>(rows, key, |card| {
        card.latest = card.latest.max(at);
        let figures = card.metrics.iter_mut().filter(|(name, _)| name == metric);
        figures.for_each(|(_, figure)| *figure = state);
    })
}

fn move_to(
    rows: &mut dyn RowsMut,
    partner: &PartnerId,
    state: PartnerState,
) -> Result<(), Unavailable> {
    rows::update::<Partner>(rows, partner, |partner| partner.state = state)
}
