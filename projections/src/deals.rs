//! Deals: what each registration is, and since when.

use crate::{
    FoldError, Keeps, Link, List, Row, Table,
    customers::{self, CustomerRow},
    fact::Fact,
    row::{row, states},
};
use chl_events::{
    Code, ConflictId, CustomerId, Date, DealId, Event, Instant, Money, PartnerId, ProgrammeId,
    deal::{DealEvent, DealRegistered, GuardEnd},
};

states! {
    /// What a deal is, by its recorded facts.
    DealState {
        /// Registered, not decided; it guards its slot unless it was contested.
        Submitted => "submitted",
        /// A conflict over its slot stands.
        Contested => "contested",
        /// Protected until `protected_until`.
        Approved => "approved",
        /// Its registration was refused.
        Rejected => "rejected",
        /// Its protection ran out.
        Expired => "expired",
        /// Its partner withdrew it.
        Withdrawn => "withdrawn",
        /// A conflict gave its slot to the challenger.
        Displaced => "displaced",
        /// Closed and won.
        Won => "won",
        /// Closed and lost.
        Lost => "lost",
    }
}

row! {
    /// A deal.
    DealRow in "deals"
    keys {
        /// The deal.
        deal: DealId,
    }
    fields {
        /// The customer; of one that was merged the survivor.
        customer: CustomerId,
        /// The partner; null when the vendor sells directly.
        partner: Option<PartnerId>,
        /// The programme.
        programme: ProgrammeId,
        /// The version of its terms that decided the registration.
        programme_version: u32,
        /// The product line.
        product_line: Code,
        /// The territory.
        territory: Option<Code>,
        /// What it is.
        state: DealState,
        /// Its value.
        value: Money,
        /// Its annual contract value.
        acv: Option<Money>,
        /// When it is expected to close.
        expected_close: Option<Date>,
        /// When it was registered.
        registered_at: Instant,
        /// The registration's business date.
        registered_on: Date,
        /// Until when the vendor should decide.
        decision_due: Option<Instant>,
        /// The conflict it came into as the challenger, when it was registered or when its customer
        /// was merged with another; of several the last.
        conflict: Option<ConflictId>,
        /// The end of the incumbent's protection in that conflict, as it stands; null without one.
        contested_until: Option<Instant>,
        /// The business date of its first approval.
        approved_on: Option<Date>,
        /// Whether the terms approved it, and no person.
        approved_automatically: Option<bool>,
        /// The start of protection.
        protected_from: Option<Instant>,
        /// The end of protection, as approved and extended.
        protected_until: Option<Instant>,
        /// How often protection was extended.
        extensions: u32,
        /// Since when it guards its slot no more.
        guard_ended_at: Option<Instant>,
        /// Why it does not.
        guard_end: Option<GuardEnd>,
        /// The business date on which it was rejected, withdrawn, displaced, or expired.
        ended_on: Option<Date>,
        /// When it closed, won or lost.
        closed_on: Option<Date>,
        /// What it was won for.
        won_value: Option<Money>,
        /// Why it was lost.
        loss_reason: Option<Code>,
        /// Who gets which percentage of the credit, as `partner:percent`.
        shares: List,
        /// The open conflicts in which it is the incumbent.
        challenged_in: List,
        /// The deal that came to its customer before it.
        previous_deal: Link<DealId>,
    }
    indices [["customer"], ["partner"], ["programme", "closed_on"]]
}

impl DealRow {
    fn registered(fact: &Fact<'_>, e: &DealRegistered, previous_deal: Link<DealId>) -> Self {
        let contested = e.contested.is_some();
        Self {
            deal: e.deal.clone(),
            customer: e.customer.clone(),
            partner: e.partner.clone(),
            programme: e.programme.clone(),
            programme_version: e.programme_version,
            product_line: e.product_line.clone(),
            territory: e.territory.clone(),
            state: if contested { DealState::Contested } else { DealState::Submitted },
            value: e.value,
            acv: e.acv,
            expected_close: e.expected_close,
            registered_at: fact.time(),
            registered_on: fact.effective_on(),
            decision_due: e.decision_due,
            conflict: e.contested.clone(),
            contested_until: None,
            approved_on: None,
            approved_automatically: None,
            protected_from: None,
            protected_until: None,
            extensions: 0,
            guard_ended_at: None,
            guard_end: None,
            ended_on: None,
            closed_on: None,
            won_value: None,
            loss_reason: None,
            shares: List::default(),
            challenged_in: List::default(),
            previous_deal,
        }
    }

    /// Whether it is still worked on at the end of a day.
    pub fn is_open_on(&self, day: Date) -> bool {
        let ended = |on: Option<Date>| on.is_some_and(|on| on <= day);
        self.registered_on <= day && !ended(self.closed_on) && !ended(self.ended_on)
    }

    fn end(&mut self, fact: &Fact<'_>, state: DealState) {
        self.state = state;
        self.ended_on = Some(fact.effective_on());
    }
}

/// The read models a fact of deals changes.
pub(crate) fn changed(fact: &Fact<'_>) -> &'static [&'static Table] {
    if matches!(fact.event(), Event::Deal(DealEvent::DealRegistered(_))) {
        &[DealRow::TABLE, CustomerRow::TABLE]
    } else {
        &[DealRow::TABLE]
    }
}

/// Folds the facts of deals; what they mean for conflicts folds there.
pub(crate) fn fold<S: Keeps<DealRow> + Keeps<CustomerRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Deal(event) = fact.event() else { return Ok(()) };
    match event {
        DealEvent::DealRegistered(e) => {
            let last = &mut customers::of(store, &e.customer)?.last_deal;
            let previous = std::mem::replace(last, Link(Some(e.deal.clone())));
            store.put(DealRow::registered(fact, e, previous))?;
            Ok(())
        }
        DealEvent::DealApproved(e) => edit(fact, store, &e.deal, |row| {
            row.state = DealState::Approved;
            row.approved_on.get_or_insert(fact.effective_on());
            row.approved_automatically.get_or_insert(e.automatic);
            row.protected_from = Some(e.protected_from);
            row.protected_until = Some(e.protected_until);
        }),
        DealEvent::DealRejected(e) => {
            edit(fact, store, &e.deal, |row| row.end(fact, DealState::Rejected))
        }
        DealEvent::DealAmended(e) => edit(fact, store, &e.deal, |row| {
            row.value = e.value.unwrap_or(row.value);
            row.acv = e.acv.or(row.acv);
            row.expected_close = e.expected_close.or(row.expected_close);
        }),
        DealEvent::DealWithdrawn(e) => {
            edit(fact, store, &e.deal, |row| row.end(fact, DealState::Withdrawn))
        }
        DealEvent::DealExtended(e) => edit(fact, store, &e.deal, |row| {
            row.protected_until = Some(e.protected_until);
            row.extensions = e.extensions;
        }),
        DealEvent::DealExpired(e) => {
            edit(fact, store, &e.deal, |row| row.end(fact, DealState::Expired))
        }
        DealEvent::DealWon(e) => edit(fact, store, &e.deal, |row| {
            row.state = DealState::Won;
            row.closed_on = Some(e.closed_on);
            row.won_value = Some(e.value);
        }),
        DealEvent::DealLost(e) => edit(fact, store, &e.deal, |row| {
            row.state = DealState::Lost;
            row.closed_on = Some(e.closed_on);
            row.loss_reason = e.loss_reason.clone();
        }),
        DealEvent::DealDisplaced(e) => {
            edit(fact, store, &e.deal, |row| row.end(fact, DealState::Displaced))
        }
        DealEvent::DealContested(e) => edit(fact, store, &e.deal, |row| {
            row.state = DealState::Contested;
            row.conflict = Some(e.conflict.clone());
        }),
        DealEvent::ProtectionEnded(e) => edit(fact, store, &e.deal, |row| {
            row.guard_ended_at = Some(e.at);
            row.guard_end = Some(e.cause);
        }),
        DealEvent::AttributionSet(e) => edit(fact, store, &e.deal, |row| {
            let shares = e.shares.iter();
            row.shares = List::of(shares.map(|s| format!("{}:{}", s.partner, s.percent)));
        }),
    }
}

fn edit<S: Keeps<DealRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    deal: &DealId,
    change: impl FnOnce(&mut DealRow),
) -> Result<(), FoldError> {
    let key = (deal.clone(),);
    if let Some(row) = fact.known(store.edit(&key)?, "deal", deal)? {
        change(row);
    }
    Ok(())
}
