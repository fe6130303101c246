//! One event with the commit it stands in, and what folds take from both.

use crate::{FoldError, Minor};
use chl_events::{
    ActorId, Commit, Date, Event, Instant, Money, ProgrammeId, RecordedEvent, Stream,
    budget::BudgetEvent,
};

/// One event with the commit it stands in, as folds take it.
#[derive(Clone, Copy)]
pub(crate) struct Fact<'a> {
    pub(crate) commit: &'a Commit,
    pub(crate) index: usize,
    pub(crate) recorded: &'a RecordedEvent,
    /// Whether it is taken back: the money of an entry that a later commit reversed.
    pub(crate) mirrored: bool,
    /// Whether events before it may be left out, by an effective date.
    pub(crate) partial: bool,
}

impl<'a> Fact<'a> {
    pub(crate) fn event(&self) -> &'a Event {
        &self.recorded.event
    }

    pub(crate) fn name(&self) -> &'static str {
        self.recorded.event.kind().name
    }

    pub(crate) fn time(&self) -> Instant {
        self.commit.time()
    }

    pub(crate) fn effective_on(&self) -> Date {
        self.recorded.effective_on
    }

    /// In whose name it was done.
    pub(crate) fn actor(&self) -> ActorId {
        let origin = &self.commit.origin;
        origin.on_behalf_of.as_ref().unwrap_or(&origin.actor).clone()
    }

    /// A row the event changes. One that an effective date has left out is passed over.
    pub(crate) fn known<T>(
        &self,
        row: Option<T>,
        what: &'static str,
        id: &dyn ToString,
    ) -> Result<Option<T>, FoldError> {
        if row.is_none() && !self.partial {
            return Err(FoldError::Unknown {
                position: self.commit.position,
                event: self.name(),
                what,
                id: id.to_string(),
            });
        }
        Ok(row)
    }

    /// Adds so many minor units, or takes them off where the fact is mirrored.
    pub(crate) fn add(&self, to: &mut Minor, minor: i128) -> Result<(), FoldError> {
        let sum = if self.mirrored { to.0.checked_sub(minor) } else { to.0.checked_add(minor) };
        to.0 = sum.ok_or(FoldError::Range { position: self.commit.position })?;
        Ok(())
    }

    /// Adds an amount to another of the same currency.
    pub(crate) fn sum(&self, to: &mut Money, amount: Money) -> Result<(), FoldError> {
        *to = to.checked_add(amount).ok_or_else(|| self.no_sum(*to, amount))?;
        Ok(())
    }

    /// Takes an amount off another of the same currency.
    pub(crate) fn less(&self, from: &mut Money, amount: Money) -> Result<(), FoldError> {
        *from = from.checked_sub(amount).ok_or_else(|| self.no_sum(*from, amount))?;
        Ok(())
    }

    fn no_sum(&self, one: Money, other: Money) -> FoldError {
        let position = self.commit.position;
        if one.currency() == other.currency() {
            return FoldError::Range { position };
        }
        FoldError::Currency {
            position,
            event: self.name(),
            one: one.currency(),
            other: other.currency(),
        }
    }

    /// The programme whose money it moves: the event's own, else the stream's.
    pub(crate) fn programme(&self) -> Option<&'a ProgrammeId> {
        if let Event::Budget(event) = self.event() {
            return Some(budget_programme(event));
        }
        match &self.commit.stream {
            Stream::Programme(programme)
            | Stream::Coop(programme, _)
            | Stream::Mdf(programme, _)
            | Stream::Rebate(programme, _) => Some(programme),
            Stream::Ledger | Stream::Partner(_) | Stream::Customer(_) | Stream::Budget(_) => None,
        }
    }
}

/// The programme of a budget's event.
fn budget_programme(event: &BudgetEvent) -> &ProgrammeId {
    match event {
        BudgetEvent::MdfBudgetCreated(e) => &e.programme,
        BudgetEvent::MdfBudgetClosed(e) => &e.programme,
        BudgetEvent::MdfAllocated(e) => &e.programme,
        BudgetEvent::MdfAllocationReturned(e) => &e.programme,
    }
}
