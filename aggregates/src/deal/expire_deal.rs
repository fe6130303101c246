//! ExpireDeal: protection has run out, as the clock says before a command that touches the slot,
//! or a sweep.

use super::state::wrong_state;
use super::{Deal, DealRejection, DealState, Place, guard_end, named, slot};
use crate::{Context, Due, Fact, Facts, Refusal, Unavailable};
use chl_commands::deal::{Deal as Command, ExpireDeal};
use chl_events::deal::{DealExpired, GuardEnd};
use chl_events::{Code, CustomerId, DealId, Instant};

pub(super) fn decide(
    command: &ExpireDeal,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let (deal, state) = named(facts, context, &command.deal, &command.customer)?;
    let at = match (state, deal.protected_until) {
        (DealState::Approved, Some(until)) => until,
        (DealState::Expired, _) => {
            let (deal, state) = (command.deal.clone(), state.as_str());
            return Err(DealRejection::AlreadySo { deal, state }.into());
        }
        _ => return Err(wrong_state(&command.deal, state).into()),
    };
    if context.time < at {
        return Err(DealRejection::NotDue { protected_until: at }.into());
    }
    context.require_time()?;
    let on = deal.zone(facts)?.day(at);
    let event =
        DealExpired { deal: command.deal.clone(), customer: command.customer.clone(), at };
    let mut made = vec![Fact::new(on, event)];
    made.extend(guard_end(&command.deal, &deal, on, at, GuardEnd::Expired));
    Ok(made)
}

/// What the clock owes on the slot a command on deals touches.
pub(crate) fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    let (deal, customer) = match command {
        Command::RegisterDeal(c) => {
            return due_at(facts, &c.customer, &c.product_line, time, None);
        }
        Command::ApproveDeal(c) => (&c.deal, &c.customer),
        Command::RejectDeal(c) => (&c.deal, &c.customer),
        Command::AmendDeal(c) => (&c.deal, &c.customer),
        Command::WithdrawDeal(c) => (&c.deal, &c.customer),
        Command::ExtendDeal(c) => (&c.deal, &c.customer),
        Command::ExpireDeal(c) => (&c.deal, &c.customer),
        Command::MarkDealWon(c) => (&c.deal, &c.customer),
        Command::MarkDealLost(c) => (&c.deal, &c.customer),
    };
    let Some(row) = facts.get::<Deal>(deal)?.filter(|row| row.customer == *customer) else {
        return Ok(Vec::new());
    };
    // A sweep's own expiry is the command itself.
    let itself = matches!(command, Command::ExpireDeal(_)).then_some(deal);
    due_at(facts, customer, &row.product_line, time, itself)
}

/// What the clock owes on a slot: the expiry of each guard whose protection is over.
pub(crate) fn due_at(
    facts: Facts<'_>,
    customer: &CustomerId,
    product_line: &Code,
    time: Instant,
    except: Option<&DealId>,
) -> Result<Vec<Due>, Unavailable> {
    let place = Place { customer, product_line, territory: None, partner: None };
    let Some(slot) = slot::slot(facts, place)? else { return Ok(Vec::new()) };
    let over = slot.guards.iter().filter(|guard| Some(&guard.deal) != except);
    let due = over.filter_map(|guard| {
        let at = guard.until.filter(|until| *until <= time)?;
        let (deal, customer) = (guard.deal.clone(), customer.clone());
        Some(Due { at, command: ExpireDeal { deal, customer }.into() })
    });
    Ok(due.collect())
}
