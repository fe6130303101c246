//! ResolveConflict: a person with the authority of the level decides, on a stated ground.
//!
//! What the decision does to the two deals stands beside it in the commit. `uphold_incumbent`: the
//! challenger is rejected. `award_challenger`: the incumbent is displaced, the challenger approved
//! for a full window. `joint`: both are protected, each with its own end. `split`: as joint, and
//! the shares go to attribution. `reject_both`: a pending incumbent is rejected, a protected one
//! displaced, for only submitted deals are rejected.

use super::state::{levels, named};
use super::{Conflict, ConflictRejection};
use crate::deal::{self, Deal, DealState};
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, partner, programme};
use chl_commands::conflict::ResolveConflict;
use chl_events::conflict::{ConflictResolved, Criterion, Resolution};
use chl_events::deal::{AttributionSet, DealDisplaced, DealRejected, GuardEnd, Share};
use chl_events::{Date, DealId, Role, Sealable};
use rust_decimal::Decimal;

/// The shares of a split have at most this many decimal places.
const SHARE_PLACES: u32 = 2;

pub(super) fn decide(
    command: &ResolveConflict,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    check_form(command)?;
    check_authority(command, facts, context)?;
    let conflict = named(facts, &command.conflict, &command.customer)?;
    let incumbent = deal::read(facts, &conflict.incumbent, &command.customer)?;
    let challenger = deal::read(facts, &conflict.challenger, &command.customer)?;
    let protects = match command.resolution {
        Resolution::AwardChallenger | Resolution::Joint | Resolution::Split => true,
        Resolution::UpholdIncumbent | Resolution::RejectBoth => false,
    };
    if let (true, Some(partner)) = (protects, &challenger.partner) {
        partner::require_active(facts, partner)?;
    }
    let parties = [&incumbent, &challenger];
    let stranger = command
        .shares
        .iter()
        .map(|share| &share.partner)
        .find(|partner| parties.iter().all(|deal| deal.partner.as_ref() != Some(partner)));
    if let Some(partner) = stranger {
        return Err(ConflictRejection::NotAParty { partner: partner.clone() }.into());
    }
    context.require_time()?;
    context.require_order(conflict.latest)?;
    deal::require_order(facts, context, challenger.place())?;

    let on = conflict.terms(facts)?.zone().day(context.time);
    let event = ConflictResolved {
        conflict: command.conflict.clone(),
        customer: command.customer.clone(),
        resolution: command.resolution,
        criterion: command.criterion,
        level: conflict.level,
        shares: command.shares.clone(),
        note: command.note.sealed().cloned(),
    };
    let mut made = vec![Fact::new(on, event)];
    let outcome = Outcome { command, facts, context, on };
    outcome.incumbent(&conflict.incumbent, &incumbent, &mut made)?;
    outcome.challenger(&conflict.challenger, &challenger, &mut made)?;
    Ok(made)
}

/// Class 1: a person's ground, and shares exactly for a split.
fn check_form(command: &ResolveConflict) -> Result<(), AnyRejection> {
    let wrong = |field: &str, problem: &str| Err(AnyRejection::data(field, problem));
    if command.criterion == Criterion::Terms {
        return wrong("criterion", "must be a person's ground, not terms");
    }
    if command.resolution != Resolution::Split {
        let none = command.shares.is_empty();
        return if none { Ok(()) } else { wrong("shares", "must be given only for a split") };
    }
    check_shares(&command.shares).or_else(|problem| wrong("shares", problem))
}

fn check_shares(shares: &[Share]) -> Result<(), &'static str> {
    let [first, second] = shares else { return Err("must name the two partners") };
    if first.partner == second.partner {
        return Err("must name each partner once");
    }
    let percents = [first.percent.get(), second.percent.get()];
    if percents.iter().any(|percent| *percent <= Decimal::ZERO || percent.scale() > SHARE_PLACES) {
        return Err("must be more than 0, with at most two decimal places");
    }
    let [first, second] = percents;
    if first.checked_add(second) != Some(Decimal::ONE_HUNDRED) {
        return Err("must sum to exactly 100.00");
    }
    Ok(())
}

/// Class 2: the role, and for channel managers the level, that the terms name. Whoever names a
/// conflict that is not there is told so later.
fn check_authority(
    command: &ResolveConflict,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<(), Refusal> {
    let Some(conflict) = facts.get::<Conflict>(&command.conflict)? else { return Ok(()) };
    let version = conflict.terms(facts)?;
    let Some(level) = levels(&version).iter().find(|level| level.level == conflict.level) else {
        return Ok(());
    };
    let origin = context.origin;
    // A manager without a stated level has the lowest.
    let high_enough =
        origin.role != Role::ChannelManager || origin.level.unwrap_or(1) >= level.level;
    if origin.role == Role::Operator || (origin.role == level.role && high_enough) {
        return Ok(());
    }
    let (level, role) = (level.level, level.role);
    Err(ConflictRejection::NotAuthorised { level, role }.into())
}

struct Outcome<'a> {
    command: &'a ResolveConflict,
    facts: Facts<'a>,
    context: &'a Context<'a>,
    on: Date,
}

impl Outcome<'_> {
    fn incumbent(&self, id: &DealId, deal: &Deal, made: &mut Vec<Fact>) -> Result<(), Refusal> {
        let pending = deal.state == DealState::Submitted;
        match self.command.resolution {
            Resolution::UpholdIncumbent => {}
            Resolution::AwardChallenger => self.displace(id, deal, made),
            Resolution::RejectBoth if pending => {
                made.push(self.rejection(id));
                made.extend(self.guard_end(id, deal, GuardEnd::Rejected));
            }
            Resolution::RejectBoth => self.displace(id, deal, made),
            Resolution::Joint | Resolution::Split => {
                if pending {
                    made.push(self.approval(id, deal)?);
                }
                made.extend(self.attribution(id));
            }
        }
        Ok(())
    }

    fn challenger(&self, id: &DealId, deal: &Deal, made: &mut Vec<Fact>) -> Result<(), Refusal> {
        match self.command.resolution {
            Resolution::UpholdIncumbent | Resolution::RejectBoth => made.push(self.rejection(id)),
            Resolution::AwardChallenger | Resolution::Joint | Resolution::Split => {
                made.push(self.approval(id, deal)?);
                made.extend(self.attribution(id));
            }
        }
        Ok(())
    }

    fn displace(&self, id: &DealId, deal: &Deal, made: &mut Vec<Fact>) {
        let event = DealDisplaced {
            deal: id.clone(),
            customer: self.command.customer.clone(),
            conflict: self.command.conflict.clone(),
        };
        made.push(Fact::new(self.on, event));
        made.extend(self.guard_end(id, deal, GuardEnd::Displaced));
    }

    fn guard_end(&self, id: &DealId, deal: &Deal, cause: GuardEnd) -> Option<Fact> {
        deal::guard_end(id, deal, self.on, self.context.time, cause)
    }

    fn rejection(&self, id: &DealId) -> Fact {
        let event = DealRejected {
            deal: id.clone(),
            customer: self.command.customer.clone(),
            conflict: Some(self.command.conflict.clone()),
            note: None,
        };
        Fact::new(self.on, event)
    }

    fn approval(&self, id: &DealId, deal: &Deal) -> Result<Fact, Refusal> {
        let version = programme::terms_in_force(self.facts, &deal.programme, self.context.time)?;
        let conflict = Some(self.command.conflict.clone());
        deal::approval(id, &self.command.customer, &version, self.context, false, conflict)
    }

    /// Either deal may be the one that is won: both carry the shares.
    fn attribution(&self, id: &DealId) -> Option<Fact> {
        (self.command.resolution == Resolution::Split).then(|| {
            let event = AttributionSet {
                deal: id.clone(),
                customer: self.command.customer.clone(),
                conflict: self.command.conflict.clone(),
                shares: self.command.shares.clone(),
            };
            Fact::new(self.on, event)
        })
    }
}

#[cfg(test)]
mod tests;
