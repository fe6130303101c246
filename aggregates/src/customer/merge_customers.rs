//! MergeCustomers: two customers are one company.
//!
//! The survivor takes over the deals, slots and conflicts of the absorbed customer; a deal that came
//! second at a slot is contested now, as it would have been had there been one customer from the
//! start.

use super::meetings::{Holder, Meeting, holders, line_guards, meetings};
use super::state::two;
use super::{Customer, CustomerRejection};
use crate::calendar::Zone;
use crate::conflict::{Opening, duplicate_id, kind_of, merge_conflict_id};
use crate::{Context, Due, Fact, Facts, Refusal, Unavailable, deal};
use chl_commands::customer::MergeCustomers;
use chl_events::customer::CustomersMerged;
use chl_events::deal::{DealContested, GuardEnd, ProtectionEnded};
use chl_events::terms::ConflictRule;
use chl_events::{Instant, Sealable, Stream};

/// The most deals that guard the slots where the two may meet: a decision looks at a bounded number.
const MAX_GUARDS: usize = 128;
/// The most deals that meet another in one merge: each takes up to three events, and a decision has
/// at most 64.
const MAX_MEETINGS: usize = 21;

pub(super) fn decide(
    command: &MergeCustomers,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let MergeCustomers { survivor, absorbed, note } = command;
    two(facts, (survivor, absorbed), "absorbed")?;
    context.require_time()?;
    let guards = line_guards(facts, survivor, absorbed)?;
    if let Some(latest) = guards.latest {
        context.require_order(latest)?;
    }
    at_most(MAX_GUARDS, guards.count())?;
    let holders = holders(facts, &guards, context.time)?;
    let meetings = meetings(facts, &holders)?;
    at_most(MAX_MEETINGS, meetings.len())?;

    let theirs = holders.iter().filter(|holder| holder.absorbed);
    let event = CustomersMerged {
        conflict: duplicate_id(survivor, absorbed),
        survivor: survivor.clone(),
        absorbed: absorbed.clone(),
        absorbed_version: facts.version(&Stream::Customer(absorbed.clone()))?,
        guarding: theirs.map(|holder| holder.guard.deal.clone()).collect(),
        note: note.sealed().cloned(),
    };
    let mut made = vec![Fact::new(Zone::Utc.day(context.time), event)];
    for meeting in &meetings {
        made.extend(decided(meeting, command, facts, context.time)?);
    }
    Ok(made)
}

fn at_most(most: usize, deals: usize) -> Result<(), CustomerRejection> {
    if deals <= most { Ok(()) } else { Err(CustomerRejection::TooManyDeals { deals, most }) }
}

/// What becomes of two deals that meet: the terms let both stand, or the second is contested.
fn decided(
    meeting: &Meeting<'_>,
    command: &MergeCustomers,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Fact>, Unavailable> {
    let Holder { guard, deal, .. } = meeting.challenger;
    let kind = kind_of(meeting.incumbent.guard.partner.as_ref(), guard.partner.as_ref());
    let conflict = merge_conflict_id(kind, &guard.deal, &command.absorbed);
    let opening = Opening {
        conflict: conflict.clone(),
        customer: &command.survivor,
        guard: &meeting.incumbent.guard,
        version: &meeting.version,
        challenger: (&guard.deal, deal),
        matched: meeting.matched,
    };
    if opening.rule() == ConflictRule::Joint {
        return Ok(vec![opening.opened(time), opening.joint(time)]);
    }
    let on = deal.zone(facts)?.day(time);
    let (deal, customer) = (guard.deal.clone(), command.survivor.clone());
    let contested = DealContested { deal: deal.clone(), customer: customer.clone(), conflict };
    let ended = ProtectionEnded { deal, customer, at: time, cause: GuardEnd::Contested };
    Ok(vec![Fact::new(on, contested), Fact::new(on, ended), opening.opened(time)])
}

/// What the clock owes on the slots where the two meet; nothing where the merge is refused for
/// their number.
pub(super) fn due(
    command: &MergeCustomers,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let MergeCustomers { survivor, absorbed, .. } = command;
    let Some(gone) = facts.get::<Customer>(absorbed)? else { return Ok(Vec::new()) };
    let distinct = survivor != absorbed && gone.merged_into.is_none();
    if !distinct || line_guards(facts, survivor, absorbed)?.count() > MAX_GUARDS {
        return Ok(Vec::new());
    }
    let mut due = Vec::new();
    for product_line in &gone.product_lines {
        for customer in [survivor, absorbed] {
            due.extend(deal::due_at(facts, customer, product_line, time, None)?);
        }
    }
    Ok(due)
}

#[cfg(test)]
mod tests;
