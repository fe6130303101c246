//! States of partners: the life cycle, and a row for each enrolment, link, certification, measure.

use crate::rejection::AnyRejection;
use crate::{Facts, Refusal, Unavailable};
use chl_events::partner::PartnerType;
use chl_events::{Code, Date, Exact, Instant, PartnerId, ProgrammeId};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a partner stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartnerState {
    /// Recruited.
    Prospect,
    /// Applied for the programme.
    Applied,
    /// Approved, not yet active.
    Approved,
    /// Deals and claims are open to it.
    Active,
    /// No new deals or claims; accruals post as usual.
    Suspended,
    /// Left for good.
    Terminated,
}

impl PartnerState {
    /// The word, as in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Prospect => "prospect",
            Self::Applied => "applied",
            Self::Approved => "approved",
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }
}

/// A partner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partner {
    /// Where it stands.
    pub state: PartnerState,
    /// When it was terminated; from then on its open claims run off for the programme's tail.
    pub terminated_at: Option<Instant>,
    /// What it is.
    pub types: Vec<PartnerType>,
    /// Where it may sell; empty: anywhere.
    pub territories: Vec<Code>,
    /// The parent it belongs to, and from when on.
    pub parent: Option<(PartnerId, Date)>,
}

/// A partner's part in a programme, by `partner/programme`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its tier, where the programme has tiers.
    pub tier: Option<Code>,
}

/// A link to a distributor, by `partner/distributor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DistributorLink {
    /// From when on.
    pub from: Date,
}

/// A credential of a person, by `partner/person/credential`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Certification {
    /// The last day it is valid.
    pub valid_until: Date,
}

/// A measure over a period, by `partner/measure/period`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measure {
    /// The value, as recorded last.
    pub value: Exact,
}

/// A published scorecard, by `partner/programme/period`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    /// The metrics it has figures of, and how far each has come.
    pub metrics: Vec<(Code, Figure)>,
    /// The latest effective instant recorded of it.
    pub latest: Instant,
}

/// How far a published figure has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Published.
    Published,
    /// Disputed.
    Disputed,
    /// Disputed once, and settled.
    Settled,
}

/// The partner, or the rejection that nobody recruited it (class 3).
pub(crate) fn known(facts: Facts<'_>, id: &PartnerId) -> Result<Arc<Partner>, Refusal> {
    let unknown = || AnyRejection::UnknownPartner { partner: id.clone() };
    Ok(facts.get::<Partner>(id)?.ok_or_else(unknown)?)
}

/// The active partner, or the rejection that it is unknown (class 3) or not active (class 5).
///
/// A decision that has checks of class 4 in between asks [`known`] first.
pub(crate) fn require_active(facts: Facts<'_>, id: &PartnerId) -> Result<Arc<Partner>, Refusal> {
    require_state(facts, id, &[PartnerState::Active])
}

/// The partner that still earns: active or suspended. What it earns while suspended is posted as
/// usual and cannot be claimed.
pub(crate) fn require_earning(facts: Facts<'_>, id: &PartnerId) -> Result<Arc<Partner>, Refusal> {
    require_state(facts, id, &[PartnerState::Active, PartnerState::Suspended])
}

fn require_state(
    facts: Facts<'_>,
    id: &PartnerId,
    states: &[PartnerState],
) -> Result<Arc<Partner>, Refusal> {
    let partner = known(facts, id)?;
    if states.contains(&partner.state) {
        return Ok(partner);
    }
    let state = partner.state.as_str();
    Err(AnyRejection::PartnerNotActive { partner: id.clone(), state }.into())
}

/// The enrolment of a partner in a programme, if there is one.
pub(crate) fn enrolment(
    facts: Facts<'_>,
    id: &PartnerId,
    programme: &ProgrammeId,
) -> Result<Option<Arc<Enrolment>>, Unavailable> {
    facts.get::<Enrolment>((id, programme))
}

/// The enrolment, or the rejection that there is none (class 5).
pub(crate) fn require_enrolled(
    facts: Facts<'_>,
    id: &PartnerId,
    programme: &ProgrammeId,
) -> Result<Arc<Enrolment>, Refusal> {
    let not_enrolled =
        || AnyRejection::NotEnrolled { partner: id.clone(), programme: programme.clone() };
    Ok(enrolment(facts, id, programme)?.ok_or_else(not_enrolled)?)
}
