//! Deals and conflicts in histories for tests.

use super::{Fact, History, funds::Of, id, money};
use chl_events::{
    ConflictId, CustomerId, DealId, Event, Instant, PartnerId, Stream,
    conflict::{
        ConflictEscalated, ConflictKind, ConflictLapsed, ConflictOpened, ConflictResolved,
        Criterion, Evidence, LapseCause, Resolution, SlotMatch,
    },
    deal::{
        AttributionSet, DealAmended, DealApproved, DealDisplaced, DealExpired, DealExtended,
        DealLost, DealRegistered, DealRejected, DealWithdrawn, DealWon, GuardEnd, ProtectionEnded,
        Share,
    },
    terms::ConflictRule,
};

/// A deal as far as a history needs to know it.
#[derive(Debug, Clone)]
struct Known {
    deal: DealId,
    of: Of,
    customer: CustomerId,
    guards: bool,
    over: bool,
    /// The end of its protection; none while it was never approved.
    until: Option<Instant>,
    conflict: Option<(ConflictId, DealId)>,
}

/// All deals.
#[derive(Debug, Default)]
pub(crate) struct Sales {
    deals: Vec<Known>,
}

/// Registers a deal; where another partner's guards the slot, it is contested.
pub(crate) fn register(history: &mut History, of: &Of, choice: usize) {
    let customer: CustomerId = id(&format!("c-{}", choice % 3));
    let deal: DealId = id(&format!("d-{}", history.commits.len()));
    let guard = history.sales.deals.iter().find(|known| known.guards && known.customer == customer);
    let guard = guard.filter(|known| known.of.partner != of.partner).cloned();
    let conflict: Option<ConflictId> = guard.as_ref().map(|_| id(&format!("cf-{deal}")));
    let registered = DealRegistered {
        deal: deal.clone(),
        customer: customer.clone(),
        partner: Some(of.partner.clone()),
        programme: of.programme.clone(),
        programme_version: 1,
        product_line: id("gtx"),
        territory: None,
        value: money(1_000 + choice as i128 % 9_000, of.currency),
        acv: None,
        expected_close: Some(history.today()),
        contract: None,
        partner_version: 1,
        contested: conflict.clone(),
        decision_due: None,
    };
    let stream = Stream::Customer(customer.clone());
    let mut facts: Vec<Fact> = vec![(registered.into(), vec![])];
    let approved_at = history.now();
    if conflict.is_none() {
        facts.push((approved(approved_at, &deal, &customer, None), vec![]));
    }
    history.add(stream.clone(), facts);
    let ids = conflict.clone().zip(guard.as_ref().map(|guard| guard.deal.clone()));
    if let Some((conflict, guard)) = conflict.zip(guard) {
        let opened = opened(history.now(), &conflict, &guard, (&deal, &of.partner));
        history.add(stream, vec![(opened, vec![])]);
    }
    let guards = ids.is_none();
    let until = guards.then(|| window(approved_at));
    history.sales.deals.push(Known {
        deal,
        of: of.clone(),
        customer,
        guards,
        over: false,
        until,
        conflict: ids,
    });
}

fn opened(
    now: Instant,
    conflict: &ConflictId,
    guard: &Known,
    (deal, partner): (&DealId, &PartnerId),
) -> Event {
    ConflictOpened {
        conflict: conflict.clone(),
        customer: guard.customer.clone(),
        kind: ConflictKind::PartnerPartner,
        product_line: id("gtx"),
        territory: None,
        incumbent: guard.deal.clone(),
        incumbent_partner: Some(guard.of.partner.clone()),
        challenger: deal.clone(),
        challenger_partner: Some(partner.clone()),
        rule: ConflictRule::FirstRegistered,
        evidence: Evidence {
            guarded_since: now,
            guarded_until: guard.until,
            challenged_at: now,
            matched: SlotMatch::ProductLine,
            programme_version: 1,
        },
        level: 1,
        due: Some(now),
    }
    .into()
}

/// The end of a window of protection.
fn window(from: Instant) -> Instant {
    Instant::from_micros(from.micros() + 86_400_000_000)
}

fn approved(
    now: Instant,
    deal: &DealId,
    customer: &CustomerId,
    conflict: Option<ConflictId>,
) -> Event {
    DealApproved {
        deal: deal.clone(),
        customer: customer.clone(),
        programme_version: 1,
        protected_from: now,
        protected_until: window(now),
        automatic: conflict.is_none(),
        conflict,
    }
    .into()
}

/// Moves a deal, or the conflict it is in, one step on.
pub(crate) fn move_deal(history: &mut History, choice: usize) {
    let live: Vec<usize> =
        (0..history.sales.deals.len()).filter(|at| !history.sales.deals[*at].over).collect();
    if live.is_empty() {
        return;
    }
    let at = live[choice % live.len()];
    let known = history.sales.deals[at].clone();
    let way = choice / live.len();
    let events = match &known.conflict {
        Some((conflict, incumbent)) => {
            in_conflict(history, at, conflict.clone(), &incumbent.clone(), way)
        }
        None => alone(history, at, way),
    };
    let facts = events.into_iter().map(|event| (event, vec![])).collect();
    history.add(Stream::Customer(known.customer), facts);
}

fn ended(now: Instant, known: &Known, cause: GuardEnd) -> Event {
    let (deal, customer) = (known.deal.clone(), known.customer.clone());
    ProtectionEnded { deal, customer, at: now, cause }.into()
}

fn alone(history: &mut History, at: usize, way: usize) -> Vec<Event> {
    let (now, today) = (history.now(), history.today());
    let known = &mut history.sales.deals[at];
    let (deal, customer) = (known.deal.clone(), known.customer.clone());
    let (event, cause): (Event, _) = match way % 7 {
        0 => {
            let value = money(7_777, known.of.currency);
            (DealWon { deal, customer, closed_on: today, value }.into(), GuardEnd::Won)
        }
        1 => (
            DealLost { deal, customer, closed_on: today, loss_reason: None }.into(),
            GuardEnd::Lost,
        ),
        2 => (DealWithdrawn { deal, customer, note: None }.into(), GuardEnd::Withdrawn),
        3 => (DealExpired { deal, customer, at: now }.into(), GuardEnd::Expired),
        4 => {
            let value = Some(money(4_444, known.of.currency));
            let (acv, expected_close, contract) = (None, None, None);
            let amended =
                DealAmended { deal, customer, value, acv, expected_close, contract, note: None };
            return vec![amended.into()];
        }
        5 => {
            (DealRejected { deal, customer, conflict: None, note: None }.into(), GuardEnd::Rejected)
        }
        _ => {
            known.until = Some(now);
            let extended =
                DealExtended { deal, customer, protected_until: now, extensions: 1, note: None };
            return vec![extended.into()];
        }
    };
    known.over = true;
    let guarded = std::mem::replace(&mut known.guards, false);
    let ended = guarded.then(|| ended(now, known, cause));
    let deal = known.deal.clone();
    if guarded {
        release(history, &deal);
    }
    std::iter::once(event).chain(ended).collect()
}

/// The conflicts of an incumbent that has ended lapse by themselves.
fn release(history: &mut History, incumbent: &DealId) {
    for known in &mut history.sales.deals {
        known.conflict.take_if(|(_, of)| of == incumbent);
    }
}

fn in_conflict(
    history: &mut History,
    at: usize,
    conflict: ConflictId,
    incumbent: &DealId,
    way: usize,
) -> Vec<Event> {
    let now = history.now();
    let known = history.sales.deals[at].clone();
    let (deal, customer) = (known.deal.clone(), known.customer.clone());
    let resolved = |resolution, shares| -> Event {
        let (conflict, customer) = (conflict.clone(), known.customer.clone());
        let criterion = Criterion::Capability;
        ConflictResolved { conflict, customer, resolution, criterion, level: 1, shares, note: None }
            .into()
    };
    let rejected = || DealRejected {
        deal: deal.clone(),
        customer: customer.clone(),
        conflict: Some(conflict.clone()),
        note: None,
    };
    let holder = history.sales.deals.iter().position(|one| one.deal == *incumbent);
    match (way % 5, holder) {
        (0, _) => {
            let (level, due) = (2, None);
            vec![ConflictEscalated { conflict, customer, level, due, note: None }.into()]
        }
        (1, _) => {
            end(history, at);
            vec![resolved(Resolution::UpholdIncumbent, vec![]), rejected().into()]
        }
        (2, Some(holder)) => {
            let displaced = history.sales.deals[holder].clone();
            end(history, holder);
            history.sales.deals[at].conflict = None;
            history.sales.deals[at].guards = true;
            history.sales.deals[at].until = Some(window(now));
            release(history, incumbent);
            let (deal_in, at_customer) = (displaced.deal.clone(), displaced.customer.clone());
            let gone =
                DealDisplaced { deal: deal_in, customer: at_customer, conflict: conflict.clone() };
            vec![
                resolved(Resolution::AwardChallenger, vec![]),
                gone.into(),
                ended(now, &displaced, GuardEnd::Displaced),
                approved(now, &deal, &customer, Some(conflict)),
            ]
        }
        (3, Some(holder)) => {
            let partner = history.sales.deals[holder].of.partner.clone();
            let share = |partner: PartnerId, percent: &str| Share { partner, percent: id(percent) };
            let shares = vec![share(partner, "60"), share(known.of.partner.clone(), "40")];
            history.sales.deals[at].conflict = None;
            let split = AttributionSet {
                deal: incumbent.clone(),
                customer: customer.clone(),
                conflict: conflict.clone(),
                shares: shares.clone(),
            };
            let approved = approved(now, &deal, &customer, Some(conflict.clone()));
            vec![resolved(Resolution::Split, shares), split.into(), approved]
        }
        _ => {
            end(history, at);
            let cause = LapseCause::ChallengerEnded;
            let gone = DealWithdrawn { deal, customer: customer.clone(), note: None };
            vec![gone.into(), ConflictLapsed { conflict, customer, cause }.into()]
        }
    }
}

fn end(history: &mut History, at: usize) {
    let known = &mut history.sales.deals[at];
    known.over = true;
    known.guards = false;
    known.conflict = None;
}
