//! Conflicts: who meets whom at which slot, which customers may be one, and how it ended.

use crate::{
    FoldError, Keeps, Link, List, Row, Table,
    customers::{self, CustomerRow},
    deals::{DealRow, DealState},
    fact::Fact,
    row::{row, states},
};
use chl_events::{
    ActorId, Code, ConflictId, CustomerId, DealId, Event, Instant, PartnerId,
    conflict::{ConflictEvent, ConflictKind, ConflictOpened, LapseCause, SlotMatch},
    deal::DealEvent,
    terms::ConflictRule,
};
use compact_str::CompactString;

states! {
    /// What a conflict is.
    ConflictState {
        /// Opened; its first level is to decide.
        Open => "open",
        /// Taken to a higher level.
        Escalated => "escalated",
        /// Decided.
        Resolved => "resolved",
        /// Ended undecided.
        Lapsed => "lapsed",
    }
}

row! {
    /// A conflict.
    ConflictRow in "conflicts"
    keys {
        /// The conflict.
        conflict: ConflictId,
    }
    fields {
        /// The customer; of a slot's conflict the survivor of its merges.
        customer: CustomerId,
        /// Of a possible duplicate: the customer it may be.
        other_customer: Option<CustomerId>,
        /// The product line of the slot.
        product_line: Option<Code>,
        /// The territory the challenger named.
        territory: Option<Code>,
        /// Who meets whom.
        kind: ConflictKind,
        /// The deal that guards the slot.
        incumbent: Option<DealId>,
        /// Its partner; null for direct sales.
        incumbent_partner: Option<PartnerId>,
        /// The deal that came second.
        challenger: Option<DealId>,
        /// Its partner; null for direct sales.
        challenger_partner: Option<PartnerId>,
        /// What it is.
        state: ConflictState,
        /// When it was opened.
        opened_at: Instant,
        /// The level that is to decide, or that decided; levels are the terms'.
        level: Option<u8>,
        /// Until when that level should decide.
        due: Option<Instant>,
        /// How it was decided; of a possible duplicate `kept_apart` or `merged`.
        resolution: Option<CompactString>,
        /// On what ground.
        criterion: Option<CompactString>,
        /// Who decided.
        resolved_by: Option<ActorId>,
        /// When it lapses if nothing else ends it: the end of the incumbent's protection, as it
        /// stands; null while the incumbent's registration is pending.
        lapses_at: Option<Instant>,
        /// Why it ended undecided.
        lapse_cause: Option<LapseCause>,
        /// When it ended.
        ended_at: Option<Instant>,
        /// The rule of the incumbent's terms.
        rule: Option<ConflictRule>,
        /// The version of the terms that named the rule.
        programme_version: Option<u32>,
        /// Evidence: since when the incumbent guarded the slot.
        guarded_since: Option<Instant>,
        /// Evidence: until when it was protected; null while its registration was pending.
        guarded_until: Option<Instant>,
        /// Evidence: when the challenger was registered.
        challenged_at: Option<Instant>,
        /// Evidence: what of the two slots was equal.
        matched: Option<SlotMatch>,
        /// Of a possible duplicate: how much the two look alike, from 0 to 100.
        score: Option<u8>,
        /// Evidence: in what they are alike, as `likeness:score`.
        alike: List,
        /// The conflict that came to its customer before it.
        previous_conflict: Link<ConflictId>,
    }
    indices [["customer"], ["other_customer"], ["state"], ["incumbent_partner"], ["challenger_partner"]]
}

impl ConflictRow {
    /// A conflict of which no more is known than that it is open.
    pub(crate) fn begun(
        fact: &Fact<'_>,
        conflict: &ConflictId,
        customer: &CustomerId,
        kind: ConflictKind,
        previous_conflict: Link<ConflictId>,
    ) -> Self {
        Self {
            conflict: conflict.clone(),
            customer: customer.clone(),
            other_customer: None,
            product_line: None,
            territory: None,
            kind,
            incumbent: None,
            incumbent_partner: None,
            challenger: None,
            challenger_partner: None,
            state: ConflictState::Open,
            opened_at: fact.time(),
            level: None,
            due: None,
            resolution: None,
            criterion: None,
            resolved_by: None,
            lapses_at: None,
            lapse_cause: None,
            ended_at: None,
            rule: None,
            programme_version: None,
            guarded_since: None,
            guarded_until: None,
            challenged_at: None,
            matched: None,
            score: None,
            alike: List::default(),
            previous_conflict,
        }
    }

    fn opened(fact: &Fact<'_>, e: &ConflictOpened, previous: Link<ConflictId>) -> Self {
        Self {
            product_line: Some(e.product_line.clone()),
            territory: e.territory.clone(),
            incumbent: Some(e.incumbent.clone()),
            incumbent_partner: e.incumbent_partner.clone(),
            challenger: Some(e.challenger.clone()),
            challenger_partner: e.challenger_partner.clone(),
            level: Some(e.level),
            due: e.due,
            lapses_at: e.evidence.guarded_until,
            rule: Some(e.rule),
            programme_version: Some(e.evidence.programme_version),
            guarded_since: Some(e.evidence.guarded_since),
            guarded_until: e.evidence.guarded_until,
            challenged_at: Some(e.evidence.challenged_at),
            matched: Some(e.evidence.matched),
            ..Self::begun(fact, &e.conflict, &e.customer, e.kind, previous)
        }
    }

    /// Whether it still waits for a decision, by what is recorded.
    pub fn is_open(&self) -> bool {
        self.state.is_open()
    }

    pub(crate) fn lapse(&mut self, fact: &Fact<'_>, cause: LapseCause) {
        self.state = ConflictState::Lapsed;
        self.lapse_cause = Some(cause);
        self.ended_at = Some(fact.time());
    }
}

/// The read models a fact of conflicts, or one of deals that moves or ends them, changes.
pub(crate) fn changed(fact: &Fact<'_>) -> &'static [&'static Table] {
    if matches!(fact.event(), Event::Conflict(ConflictEvent::ConflictOpened(_))) {
        &[ConflictRow::TABLE, DealRow::TABLE, CustomerRow::TABLE]
    } else {
        &[ConflictRow::TABLE, DealRow::TABLE]
    }
}

/// Folds the facts of conflicts, and those of deals that move or end them.
pub(crate) fn fold<S: Keeps<DealRow> + Keeps<ConflictRow> + Keeps<CustomerRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    match fact.event() {
        Event::Conflict(event) => fold_conflict(fact, event, store),
        Event::Deal(event) => fold_deal(fact, event, store),
        Event::Ledger(_)
        | Event::Partner(_)
        | Event::Programme(_)
        | Event::Customer(_)
        | Event::Budget(_)
        | Event::Mdf(_)
        | Event::Coop(_)
        | Event::Claim(_)
        | Event::Rebate(_) => Ok(()),
    }
}

fn fold_deal<S: Keeps<DealRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    event: &DealEvent,
    store: &mut S,
) -> Result<(), FoldError> {
    match event {
        DealEvent::DealApproved(e) => incumbent_protected(&e.deal, e.protected_until, store),
        DealEvent::DealExtended(e) => incumbent_protected(&e.deal, e.protected_until, store),
        DealEvent::ProtectionEnded(e) => incumbent_ended(fact, &e.deal, store),
        DealEvent::DealRegistered(_)
        | DealEvent::DealRejected(_)
        | DealEvent::DealAmended(_)
        | DealEvent::DealWithdrawn(_)
        | DealEvent::DealExpired(_)
        | DealEvent::DealWon(_)
        | DealEvent::DealLost(_)
        | DealEvent::DealDisplaced(_)
        | DealEvent::DealContested(_)
        | DealEvent::AttributionSet(_) => Ok(()),
    }
}

fn fold_conflict<S: Keeps<DealRow> + Keeps<ConflictRow> + Keeps<CustomerRow>>(
    fact: &Fact<'_>,
    event: &ConflictEvent,
    store: &mut S,
) -> Result<(), FoldError> {
    match event {
        ConflictEvent::ConflictOpened(e) => {
            let last = &mut customers::of(store, &e.customer)?.last_conflict;
            let previous = std::mem::replace(last, Link(Some(e.conflict.clone())));
            store.put(ConflictRow::opened(fact, e, previous))?;
            let incumbent: Option<&mut DealRow> = store.edit(&(e.incumbent.clone(),))?;
            if let Some(row) = fact.known(incumbent, "deal", &e.incumbent)? {
                row.challenged_in.push(e.conflict.as_str());
            }
            contested_until(&e.challenger, e.evidence.guarded_until, store)
        }
        ConflictEvent::ConflictEscalated(e) => edit(fact, store, &e.conflict, |row| {
            row.state = ConflictState::Escalated;
            row.level = Some(e.level);
            row.due = e.due;
        }),
        ConflictEvent::ConflictResolved(e) => {
            edit(fact, store, &e.conflict, |row| {
                row.state = ConflictState::Resolved;
                row.level = Some(e.level);
                row.resolution = Some(e.resolution.as_str().into());
                row.criterion = Some(e.criterion.as_str().into());
                row.resolved_by = Some(fact.actor());
                row.ended_at = Some(fact.time());
            })?;
            leave_incumbent(&e.conflict, store)
        }
        ConflictEvent::ConflictLapsed(e) => {
            edit(fact, store, &e.conflict, |row| row.lapse(fact, e.cause))?;
            leave_incumbent(&e.conflict, store)?;
            release_challenger(&e.conflict, store)
        }
    }
}

fn edit<S: Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    conflict: &ConflictId,
    change: impl FnOnce(&mut ConflictRow),
) -> Result<(), FoldError> {
    let key = (conflict.clone(),);
    if let Some(row) = fact.known(store.edit(&key)?, "conflict", conflict)? {
        change(row);
    }
    Ok(())
}

/// Takes an ended conflict off the list of its incumbent.
fn leave_incumbent<S: Keeps<DealRow> + Keeps<ConflictRow>>(
    conflict: &ConflictId,
    store: &mut S,
) -> Result<(), FoldError> {
    let row: Option<&ConflictRow> = store.peek(&(conflict.clone(),))?;
    let Some(incumbent) = row.and_then(|row| row.incumbent.clone()) else { return Ok(()) };
    let deal: Option<&mut DealRow> = store.edit(&(incumbent,))?;
    if let Some(deal) = deal {
        deal.challenged_in.remove(conflict.as_str());
    }
    Ok(())
}

/// Makes the challenger of an ended conflict submitted again, where nothing else ended it.
fn release_challenger<S: Keeps<DealRow> + Keeps<ConflictRow>>(
    conflict: &ConflictId,
    store: &mut S,
) -> Result<(), FoldError> {
    let row: Option<&ConflictRow> = store.peek(&(conflict.clone(),))?;
    let Some(challenger) = row.and_then(|row| row.challenger.clone()) else { return Ok(()) };
    let deal: Option<&mut DealRow> = store.edit(&(challenger,))?;
    if let Some(deal) = deal
        && deal.state == DealState::Contested
    {
        deal.state = DealState::Submitted;
    }
    Ok(())
}

/// Says to a challenger how long its incumbent is protected.
fn contested_until<S: Keeps<DealRow>>(
    challenger: &DealId,
    until: Option<Instant>,
    store: &mut S,
) -> Result<(), FoldError> {
    if let Some(deal) = store.edit(&(challenger.clone(),))? {
        deal.contested_until = until;
    }
    Ok(())
}

/// Moves the end of the open conflicts of an incumbent whose protection begins or is extended.
fn incumbent_protected<S: Keeps<DealRow> + Keeps<ConflictRow>>(
    incumbent: &DealId,
    until: Instant,
    store: &mut S,
) -> Result<(), FoldError> {
    let deal: Option<&DealRow> = store.peek(&(incumbent.clone(),))?;
    let open = deal.map(|deal| deal.challenged_in.clone()).unwrap_or_default();
    for name in open.iter() {
        let Ok(conflict) = name.parse::<ConflictId>() else { continue };
        let row: Option<&mut ConflictRow> = store.edit(&(conflict,))?;
        let Some(row) = row else { continue };
        row.lapses_at = Some(until);
        let Some(challenger) = row.challenger.clone() else { continue };
        contested_until(&challenger, Some(until), store)?;
    }
    Ok(())
}

/// Lapses the open conflicts of an incumbent whose guard has ended.
fn incumbent_ended<S: Keeps<DealRow> + Keeps<ConflictRow>>(
    fact: &Fact<'_>,
    incumbent: &DealId,
    store: &mut S,
) -> Result<(), FoldError> {
    let deal: Option<&mut DealRow> = store.edit(&(incumbent.clone(),))?;
    let open = deal.map(|deal| std::mem::take(&mut deal.challenged_in)).unwrap_or_default();
    for name in open.iter() {
        let Ok(conflict) = name.parse::<ConflictId>() else { continue };
        let row: Option<&mut ConflictRow> = store.edit(&(conflict.clone(),))?;
        let Some(row) = row.filter(|row| row.is_open()) else { continue };
        row.lapse(fact, LapseCause::IncumbentEnded);
        release_challenger(&conflict, store)?;
    }
    Ok(())
}
