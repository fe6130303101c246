//! Facts of deals into their states and their slots.

use super::slot::{self, Guard};
use super::{Deal, DealState};
use crate::customer::Customer;
use crate::{RowsMut, Unavailable, rows};
use chl_events::deal::{DealApproved, DealEvent, DealRegistered, ProtectionEnded};
use chl_events::{Commit, CustomerId, DealId, Instant};
use std::sync::Arc;

/// The deal of an event, and the customer it is registered on by then.
macro_rules! named {
    ($event:ident) => {
        (&$event.deal, &$event.customer)
    };
}
pub(crate) fn evolve(
    event: &DealEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let time = commit.time();
    match event {
        DealEvent::DealRegistered(event) => registered(event, time, rows),
        DealEvent::DealApproved(event) => approved(event, time, rows),
        DealEvent::DealRejected(event) => stands(rows, named!(event), time, DealState::Rejected),
        DealEvent::DealAmended(event) => on(rows, named!(event), time, |deal| {
            deal.value = event.value.unwrap_or(deal.value);
            deal.expected_close = event.expected_close.or(deal.expected_close);
            deal.contract = event.contract.clone().or_else(|| deal.contract.take());
        }),
        DealEvent::DealWithdrawn(event) => stands(rows, named!(event), time, DealState::Withdrawn),
        DealEvent::DealExtended(event) => {
            on(rows, named!(event), time, |deal| {
                deal.protected_until = Some(event.protected_until);
                deal.extensions = event.extensions;
            })?;
            guarded_until(rows, &event.deal, event.protected_until)
        }
        DealEvent::DealExpired(event) => stands(rows, named!(event), event.at, DealState::Expired),
        DealEvent::DealWon(event) => stands(rows, named!(event), time, DealState::Won),
        DealEvent::DealLost(event) => stands(rows, named!(event), time, DealState::Lost),
        DealEvent::DealDisplaced(event) => stands(rows, named!(event), time, DealState::Displaced),
        DealEvent::ProtectionEnded(event) => guard_ended(event, rows),
        // Readers of credit follow it; no decision does.
        DealEvent::AttributionSet(event) => on(rows, named!(event), time, |_| {}),
        // Its guard ends by the fact beside it.
        DealEvent::DealContested(event) => on(rows, named!(event), time, |deal| {
            deal.state = DealState::Contested;
            deal.conflict = Some(event.conflict.clone());
        }),
    }
}

type Named<'a> = (&'a DealId, &'a CustomerId);

/// Changes a deal, and notes on its slot that something was recorded.
fn on(
    rows: &mut dyn RowsMut,
    (id, customer): Named<'_>,
    at: Instant,
    change: impl FnOnce(&mut Deal),
) -> Result<(), Unavailable> {
    rows::update::<Deal>(rows, id, |deal| {
        move_to(customer, deal);
        change(deal);
    })?;
    let deal = read(rows, id)?;
    slot::change(rows, deal.place(), at, |_| {})
}

/// A deal whose customer was merged goes over to the survivor with the next fact that names it.
fn move_to(customer: &CustomerId, deal: &mut Deal) {
    if deal.customer != *customer {
        deal.customer = customer.clone();
    }
}

fn stands(
    rows: &mut dyn RowsMut,
    named: Named<'_>,
    at: Instant,
    state: DealState,
) -> Result<(), Unavailable> {
    on(rows, named, at, |deal| deal.state = state)
}

fn read(rows: &dyn RowsMut, id: &DealId) -> Result<Arc<Deal>, Unavailable> {
    let missing = || Unavailable(format!("a fact speaks of deal {id}, which nobody opened").into());
    rows::get::<Deal>(rows, id)?.ok_or_else(missing)
}

fn guard_of(id: &DealId, deal: &Deal, since: Instant) -> Guard {
    Guard {
        deal: id.clone(),
        partner: deal.partner.clone(),
        territory: deal.territory.clone(),
        programme: deal.programme.clone(),
        version: deal.approved_under.unwrap_or(deal.registered_under),
        since,
        until: deal.protected_until,
    }
}

fn registered(
    event: &DealRegistered,
    time: Instant,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let contested = event.contested.is_some();
    let mut deal = Deal {
        customer: event.customer.clone(),
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        registered_under: event.programme_version,
        approved_under: None,
        product_line: event.product_line.clone(),
        territory: event.territory.clone(),
        state: if contested { DealState::Contested } else { DealState::Submitted },
        value: event.value,
        contract: event.contract.clone(),
        expected_close: event.expected_close,
        registered_at: time,
        protected_until: None,
        extensions: 0,
        conflict: event.contested.clone(),
        guards: false,
    };
    // What is registered late, behind what is recorded already, guards nothing.
    let key = (&deal.customer, &deal.product_line);
    let latest = rows::get::<slot::Slot>(rows, key)?.map(|slot| slot.latest);
    if latest.is_none() {
        rows::update::<Customer>(rows, &deal.customer, |customer| {
            customer.product_lines.push(deal.product_line.clone());
        })?;
    }
    deal.guards = !contested && latest.is_none_or(|latest| latest <= time);
    slot::change(rows, deal.place(), time, |slot| {
        if deal.guards {
            slot.guards.push(guard_of(&event.deal, &deal, time));
        }
    })?;
    rows::put(rows, &event.deal, deal);
    Ok(())
}

fn approved(
    event: &DealApproved,
    time: Instant,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    rows::update::<Deal>(rows, &event.deal, |deal| {
        move_to(&event.customer, deal);
        deal.state = DealState::Approved;
        deal.approved_under = Some(event.programme_version);
        deal.protected_until = Some(event.protected_until);
        deal.guards = true;
    })?;
    let deal = read(rows, &event.deal)?;
    slot::change(rows, deal.place(), time, |slot| {
        let present = slot.guards.iter_mut().find(|guard| guard.deal == event.deal);
        match present {
            Some(guard) => *guard = guard_of(&event.deal, &deal, guard.since),
            None => slot.guards.push(guard_of(&event.deal, &deal, event.protected_from)),
        }
    })
}

fn guarded_until(rows: &mut dyn RowsMut, id: &DealId, until: Instant) -> Result<(), Unavailable> {
    let deal = read(rows, id)?;
    let key = (&deal.customer, &deal.product_line);
    rows::update::<slot::Slot>(rows, key, |slot| {
        for guard in slot.guards.iter_mut().filter(|guard| guard.deal == *id) {
            guard.until = Some(until);
        }
    })
}

fn guard_ended(event: &ProtectionEnded, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    rows::update::<Deal>(rows, &event.deal, |deal| {
        move_to(&event.customer, deal);
        deal.guards = false;
    })?;
    let deal = read(rows, &event.deal)?;
    slot::change(rows, deal.place(), event.at, |slot| {
        let at = slot.guards.iter().position(|guard| guard.deal == event.deal);
        slot.last = at.map(|at| slot.guards.remove(at)).or_else(|| slot.last.take());
    })
}

#[cfg(test)]
mod tests;
