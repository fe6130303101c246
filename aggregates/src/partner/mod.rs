//! Partners: the life cycle, links to other partners, enrolments and tiers, what they can show, and
//! the scorecards that were published of them.

mod certifications;
mod enrolments;
mod fold;
mod life_cycle;
mod links;
mod recruit_partner;
mod rejections;
mod scorecards;
mod state;

pub(crate) use fold::evolve;
pub(crate) use rejections::PartnerRejection;
pub(crate) use state::{
    Certification, DistributorLink, Enrolment, Measure, Partner, PartnerState, Scorecard,
};
pub(crate) use state::{enrolment, known, require_active, require_earning, require_enrolled};

use crate::calendar::Zone;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::Partner as Command;
use chl_events::{Date, Event};

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::RecruitPartner(command) => recruit_partner::decide(command, facts, context),
        Command::ApplyForProgramme(command) => life_cycle::apply(command, facts, context),
        Command::ApprovePartner(command) => life_cycle::approve(command, facts, context),
        Command::ActivatePartner(command) => life_cycle::activate(command, facts, context),
        Command::SuspendPartner(command) => life_cycle::suspend(command, facts, context),
        Command::ReinstatePartner(command) => life_cycle::reinstate(command, facts, context),
        Command::TerminatePartner(command) => life_cycle::terminate(command, facts, context),
        Command::AttachParent(command) => links::attach_parent(command, facts, context),
        Command::DetachParent(command) => links::detach_parent(command, facts, context),
        Command::LinkDistributor(command) => links::link_distributor(command, facts, context),
        Command::UnlinkDistributor(command) => links::unlink_distributor(command, facts, context),
        Command::EnrolPartner(command) => enrolments::enrol(command, facts, context),
        Command::GrantTier(command) => enrolments::grant_tier(command, facts, context),
        Command::RecordCertification(command) => certifications::record(command, facts, context),
        Command::RecordMeasure(command) => certifications::measure(command, facts, context),
        Command::PublishScorecard(command) => scorecards::publish(command, facts, context),
        Command::DisputeScorecard(command) => scorecards::dispute(command, facts, context),
        Command::SettleScorecardDispute(command) => scorecards::settle(command, facts, context),
    }
}

/// A partner is no part of a programme alone: its own days are whole UTC days.
const ZONE: Zone = Zone::Utc;

/// The day a command happened on.
fn today(context: &Context<'_>) -> Date {
    ZONE.day(context.time)
}

/// The one fact of a command, dated by its time.
fn happened(context: &Context<'_>, event: impl Into<Event>) -> Vec<Fact> {
    vec![Fact::new(today(context), event)]
}
