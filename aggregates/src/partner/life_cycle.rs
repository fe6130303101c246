//! The life cycle: prospect → applied → approved → active ⇄ suspended; any → terminated.

use super::{PartnerRejection, PartnerState, happened, known};
use crate::context::sealed;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::partner::{
    ActivatePartner, ApplyForProgramme, ApprovePartner, ReinstatePartner, SuspendPartner,
    TerminatePartner,
};
use chl_events::PartnerId;
use chl_events::partner::{
    PartnerActivated, PartnerApplied, PartnerApproved, PartnerReinstated, PartnerSuspended,
    PartnerTerminated,
};

/// Checks that a partner stands where a step begins, and not yet where it leads.
fn stands_at(
    facts: Facts<'_>,
    context: &Context<'_>,
    partner: &PartnerId,
    (expected, next): (PartnerState, PartnerState),
) -> Result<(), Refusal> {
    let state = known(facts, partner)?.state;
    if state == next {
        let (partner, state) = (partner.clone(), state.as_str());
        return Err(PartnerRejection::AlreadySo { partner, state }.into());
    }
    if state != expected {
        return Err(PartnerRejection::WrongState {
            partner: partner.clone(),
            state: state.as_str(),
            expected: expected.as_str(),
        }
        .into());
    }
    Ok(context.require_time()?)
}

macro_rules! steps {
    ($($(#[$doc:meta])* $step:ident($command:ident) from $state:ident to $next:ident => $event:ident;)+) => {$(
        $(#[$doc])*
        pub(super) fn $step(
            command: &$command,
            facts: Facts<'_>,
            context: &Context<'_>,
        ) -> Result<Vec<Fact>, Refusal> {
            let partner = command.partner.clone();
            let path = (PartnerState::$state, PartnerState::$next);
            stands_at(facts, context, &partner, path)?;
            let note = sealed(command.note.as_ref());
            Ok(happened(context, $event { partner, note }))
        }
    )+};
}

steps! {
    /// ApplyForProgramme: a prospect applies.
    apply(ApplyForProgramme) from Prospect to Applied => PartnerApplied;
    /// ApprovePartner: an application is approved.
    approve(ApprovePartner) from Applied to Approved => PartnerApproved;
    /// ActivatePartner: deals and claims are open to it.
    activate(ActivatePartner) from Approved to Active => PartnerActivated;
    /// SuspendPartner: no new deals or claims; accruals post as usual.
    suspend(SuspendPartner) from Active to Suspended => PartnerSuspended;
    /// ReinstatePartner: the suspension ends.
    reinstate(ReinstatePartner) from Suspended to Active => PartnerReinstated;
}

/// TerminatePartner: it leaves for good, from any state; open claims run off for the tail.
pub(super) fn terminate(
    command: &TerminatePartner,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let partner = command.partner.clone();
    let state = known(facts, &partner)?.state;
    if state == PartnerState::Terminated {
        return Err(PartnerRejection::AlreadySo { partner, state: state.as_str() }.into());
    }
    context.require_time()?;
    let note = sealed(command.note.as_ref());
    Ok(happened(context, PartnerTerminated { partner, note }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::given;
    use crate::story::{id, recruit};
    use chl_commands::Command;

    fn step<C: Into<Command>>(make: impl Fn(PartnerId) -> C) -> Command {
        make(id("p1")).into()
    }

    fn steps() -> [Command; 6] {
        [
            step(|partner| ApplyForProgramme { partner, note: None }),
            step(|partner| ApprovePartner { partner, note: None }),
            step(|partner| ActivatePartner { partner, note: None }),
            step(|partner| SuspendPartner { partner, note: None }),
            step(|partner| ReinstatePartner { partner, note: None }),
            step(|partner| TerminatePartner { partner, note: None }),
        ]
    }

    #[test]
    fn every_step_from_every_state() {
        // The number of steps taken, and the steps possible then.
        let possible: [&[usize]; 6] = [&[0, 5], &[1, 5], &[2, 5], &[3, 5], &[4, 5], &[3, 5]];
        // The steps that lead to where it stands.
        let already: [&[usize]; 6] = [&[], &[0], &[1], &[2, 4], &[3], &[2, 4]];
        for (taken, (possible, already)) in possible.into_iter().zip(already).enumerate() {
            let mut story = given().and(recruit("p1"));
            for step in steps().into_iter().take(taken) {
                story = story.and(step);
            }
            for (next, step) in steps().into_iter().enumerate() {
                let outcome = story.clone().when(step);
                if possible.contains(&next) {
                    assert_eq!(outcome.commits().len(), 1);
                } else if already.contains(&next) {
                    outcome.refused("partner.already_so");
                } else {
                    outcome.refused("partner.wrong_state");
                }
            }
        }
    }

    #[test]
    fn a_terminated_partner_stays_terminated() {
        let mut story = given().and(recruit("p1"));
        for step in steps().into_iter().skip(5) {
            story = story.and(step);
        }
        let [apply, .., terminate] = steps();
        story.when(terminate).refused("partner.already_so");
        story.when(apply).refused("partner.wrong_state");
    }

    #[test]
    fn nobody_recruited_is_unknown() {
        for step in steps() {
            given().when(step).refused("partner.unknown");
        }
    }

    #[test]
    fn a_step_cannot_have_happened_tomorrow() {
        let [apply, ..] = steps();
        let mut story = given().and(recruit("p1")).claiming("2026-03-02T09:00:00Z");
        story.when(apply).refused("time.in_future");
    }
}
