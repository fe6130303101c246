//! ExpireDeal: protection has run out, as the clock says before a command that touches the slot,
//! or a sweep.

use super::state::done_or_wrong;
use super::{Deal, DealRejection, DealState, Place, guard_end, named, slot};
use crate::{Context, Due, Fact, Facts, Refusal, Unavailable, customer};
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
        _ => return Err(done_or_wrong(&command.deal, state, DealState::Expired).into()),
    };
    if context.time < at {
        return Err(DealRejection::NotDue { protected_until: at }.into());
    }
    context.require_time()?;
    let on = deal.zone(facts)?.day(at);
    let event = DealExpired { deal: command.deal.clone(), customer: command.customer.clone(), at };
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
    let Some(row) = facts.get::<Deal>(deal)? else { return Ok(Vec::new()) };
    if !customer::is_now(facts, &row.customer, customer)? {
        return Ok(Vec::new());
    }
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
    let place = Place::whole(customer, product_line);
    let Some(slot) = slot::slot(facts, place)? else { return Ok(Vec::new()) };
    let over = slot.guards.iter().filter(|guard| Some(&guard.deal) != except);
    let due = over.filter_map(|guard| {
        let at = guard.until.filter(|until| *until <= time)?;
        let (deal, customer) = (guard.deal.clone(), customer.clone());
        Some(Due { at, command: ExpireDeal { deal, customer }.into() })
    });
    Ok(due.collect())
}

#[cfg(test)]
mod tests {
    use crate::story::{auto, deal, expire, market, won};
    use chl_commands::deal::RegisterDeal;
    use chl_events::Role;
    use chl_events::terms::DealTerms;

    #[test]
    fn a_sweep_records_what_is_over() {
        let mut story = market(auto(), &["p1"]).and(deal("d1", "p1"));
        story.when(expire("d1")).refused("deal.not_due");
        let mut story = story.at("2026-06-15T00:00:00Z").by(Role::Service, "sweep");
        let made = story.when(expire("d1"));
        assert_eq!(made.names(), ["DealExpired", "ProtectionEnded"]);
        let text = format!("{made:?}");
        assert!(text.contains("effective_on: 2026-05-30"), "{text}");
        story.when(expire("d1")).refused("deal.already_so");
        // What happened since the end of protection may still be recorded in its order.
        let mut late = story.by_operator().claiming("2026-06-01T09:00:00Z");
        assert_eq!(late.when(won("d1")).names(), ["DealWon"]);
        late.when(expire("d1")).refused("deal.wrong_state");
    }

    #[test]
    fn pending_deals_do_not_expire() {
        let mut story = market(DealTerms::default(), &["p1"]).and(deal("d1", "p1"));
        story.when(expire("d1")).refused("deal.wrong_state");
    }

    #[test]
    fn what_is_due_comes_in_order_of_instant_and_id() {
        let at = |story: crate::given::Given, day: &str| story.at(&format!("2026-03-{day}"));
        let story = market(auto(), &["p1", "p2"]);
        let story = at(story, "02T00:00:00Z").and(deal("d9", "p1")).and(deal("d8", "p1"));
        let story = at(story, "03T00:00:00Z").and(deal("d1", "p1"));
        let mut story = story.at("2026-09-01T00:00:00Z");
        let made = story.when(deal("d2", "p2"));
        let expired: Vec<String> = made
            .commits()
            .iter()
            .filter(|commit| commit.origin.role == Role::Clock)
            .map(|commit| format!("{} {:?}", commit.time(), commit.events.first()))
            .collect();
        let order: Vec<_> = ["d8", "d9", "d1"].iter().map(|name| format!("{name:?}")).collect();
        assert_eq!(expired.len(), order.len());
        for (expired, name) in expired.iter().zip(order) {
            assert!(expired.contains(&name), "{expired} is not of {name}");
        }
    }

    #[test]
    fn another_slot_is_not_touched() {
        let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
        let mut story = story.at("2026-09-01T00:00:00Z");
        let other = RegisterDeal { product_line: crate::story::id("mg"), ..deal("d2", "p2") };
        assert_eq!(story.when(other).names(), ["DealRegistered", "DealApproved"]);
    }
}
