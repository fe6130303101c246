//! Periods of the books: closed up to a day, their balances stated, and opened again.
//!
//! A closed period refuses no fact: what is effective in it is posted on the first open day, as an
//! item of a prior period. Since nothing is posted in it any more, its balances can be summed up and
//! stated at leisure.

use super::LedgerRejection;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rows};
use chl_commands::ledger::{ClosePeriod, RecordClosingBalances, ReopenPeriod};
use chl_events::ledger::{ClosingBalance, ClosingBalancesRecorded, PeriodClosed, PeriodReopened};
use chl_events::{ActorId, Book, Commit, Currency, Date, Sealable, Side, Stream};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How far the books are closed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClosedBooks {
    /// The last day that is closed; none once all was opened again.
    pub through: Option<Date>,
    /// Who closed them.
    pub closed_by: ActorId,
    /// Whether the balances of the period are stated.
    pub stated: bool,
}

/// The first day on which the books are open, where a period was ever closed.
pub fn books_open_from(facts: Facts<'_>) -> Result<Option<Date>, Unavailable> {
    let through = facts.get::<ClosedBooks>(Stream::Ledger)?.and_then(|books| books.through);
    Ok(through.and_then(|through| through.plus_days(1)))
}

pub(super) fn close(
    command: &ClosePeriod,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let through = command.through;
    if let Some(closed) = facts.get::<ClosedBooks>(Stream::Ledger)?.and_then(|books| books.through)
        && through <= closed
    {
        return Err(LedgerRejection::AlreadyClosed { through, closed }.into());
    }
    context.require_time()?;
    if through > context.recorded_at.date_utc() {
        return Err(AnyRejection::InFuture { field: "through", value: through.to_string() }.into());
    }
    Ok(vec![Fact::new(through, PeriodClosed { through })])
}

pub(super) fn state(
    command: &RecordClosingBalances,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let RecordClosingBalances { through, balances } = command.clone();
    complete(&balances)?;
    let books = facts.get::<ClosedBooks>(Stream::Ledger)?;
    let Some(books) = books.filter(|books| books.through == Some(through)) else {
        return Err(LedgerRejection::NotClosed { day: through }.into());
    };
    if books.stated {
        return Err(LedgerRejection::BalancesRecorded { through }.into());
    }
    context.require_time()?;
    Ok(vec![Fact::new(through, ClosingBalancesRecorded { through, balances })])
}

/// Checks that balances are amounts, each account's once, and that debits equal credits in each
/// book and currency.
fn complete(balances: &[ClosingBalance]) -> Result<(), AnyRejection> {
    let mut seen = BTreeSet::new();
    let mut sums: BTreeMap<(Book, Currency), i128> = BTreeMap::new();
    for (index, balance) in balances.iter().enumerate() {
        let field = |name| format!("balances[{index}].{name}");
        let ClosingBalance { book, account, side, amount } = balance;
        if !amount.is_positive() {
            return Err(AnyRejection::data(field("amount"), "is not above zero"));
        }
        if !seen.insert((*book, *account, amount.currency())) {
            return Err(AnyRejection::data(field("account"), "stands here for the second time"));
        }
        let sum = sums.entry((*book, amount.currency())).or_default();
        *sum += if *side == Side::Debit { amount.minor() } else { -amount.minor() };
    }
    match sums.into_iter().find(|(_, sum)| *sum != 0) {
        None => Ok(()),
        Some(((book, currency), _)) => Err(AnyRejection::data(
            "balances",
            format!("debits and credits of {book} in {currency} are not equal"),
        )),
    }
}

pub(super) fn reopen(
    command: &ReopenPeriod,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let from = command.from;
    let reason = command.reason.sealed().cloned();
    let reason = reason.ok_or_else(|| AnyRejection::data("reason", "is kept sealed only"))?;
    let books = facts.get::<ClosedBooks>(Stream::Ledger)?;
    let closed = books.and_then(|books| books.through.map(|through| (through, books)));
    let Some((closed_through, books)) = closed.filter(|(through, _)| from <= *through) else {
        return Err(LedgerRejection::NotClosed { day: from }.into());
    };
    if books.closed_by == *context.author() {
        return Err(LedgerRejection::OwnClosing { through: closed_through }.into());
    }
    context.require_time()?;
    Ok(vec![Fact::new(from, PeriodReopened { from, closed_through, reason })])
}

pub(super) fn closed(event: &PeriodClosed, commit: &Commit, rows: &mut dyn RowsMut) {
    let origin = &commit.origin;
    let closed_by = origin.on_behalf_of.as_ref().unwrap_or(&origin.actor).clone();
    let books = ClosedBooks { through: Some(event.through), closed_by, stated: false };
    rows::put(rows, Stream::Ledger, books);
}

pub(super) fn stated(rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    rows::update(rows, Stream::Ledger, |books: &mut ClosedBooks| books.stated = true)
}

pub(super) fn reopened(event: &PeriodReopened, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    rows::update(rows, Stream::Ledger, |books: &mut ClosedBooks| {
        books.through = event.from.plus_days(-1);
        // What was stated is of the longer period; the shorter one's may be stated again.
        books.stated = false;
    })
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{accrue_on, claim, coop_terms, fund_of, two_percent};
    use crate::given::Given;
    use crate::story::usd;
    use chl_commands::ledger::{ClosePeriod, RecordClosingBalances, ReopenPeriod};
    use chl_events::ledger::ClosingBalance;
    use chl_events::{Account, Book, Date, FreeText, Side};

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn close(through: &str) -> ClosePeriod {
        ClosePeriod { through: day(through) }
    }

    fn reopen(from: &str) -> ReopenPeriod {
        ReopenPeriod { from: day(from), reason: FreeText::Plain("a wrong invoice".into()) }
    }

    fn held(account: Account, side: Side, amount: &str) -> ClosingBalance {
        ClosingBalance { book: Book::Books, account, side, amount: usd(amount) }
    }

    fn state(through: &str, debit: &str, credit: &str) -> RecordClosingBalances {
        let balances = vec![
            held(Account::ContraRevenue, Side::Debit, debit),
            held(Account::Accrued, Side::Credit, credit),
        ];
        RecordClosingBalances { through: day(through), balances }
    }

    /// When the last commit's money was effective, and when it was posted.
    fn last(story: &Given) -> (Date, Date) {
        let commit = story.commits().last().expect("the story has begun");
        let event = commit.events.iter().find(|event| !event.lines.is_empty()).expect("money");
        (event.effective_on, event.posted_on)
    }

    #[test]
    fn what_comes_late_is_an_item_of_the_first_open_period() {
        let story = fund_of(coop_terms(two_percent())).by_finance("fin");
        let story = story.and(accrue_on("s", "1000", "2026-01-10"));
        assert_eq!(last(&story), (day("2026-01-10"), day("2026-01-10")));
        let story = story.and(close("2026-01-31")).and(accrue_on("t", "500", "2026-01-20"));
        assert_eq!(last(&story), (day("2026-01-20"), day("2026-02-01")));
        let story = story.and(accrue_on("u", "500", "2026-02-03"));
        assert_eq!(last(&story), (day("2026-02-03"), day("2026-02-03")));
        let story = story.by_finance("other").and(reopen("2026-01-15"));
        let story = story.and(accrue_on("v", "500", "2026-01-20"));
        assert_eq!(last(&story), (day("2026-01-20"), day("2026-01-20")));
        let story = story.and(accrue_on("w", "500", "2026-01-10"));
        assert_eq!(last(&story), (day("2026-01-10"), day("2026-01-15")));
        // What moves no money has no day in the books.
        let story = story.and(claim("c", "2"));
        assert_eq!(last(&story).0, last(&story).1);
    }

    #[test]
    fn books_close_onwards_and_open_by_another_person() {
        let mut story = fund_of(coop_terms(two_percent())).by_finance("fin");
        story.when(reopen("2026-01-01")).refused("ledger.not_closed");
        story.when(close("2199-01-01")).refused("time.in_future");
        let mut story = story.and(close("2026-01-31"));
        story.when(close("2026-01-31")).refused("ledger.already_closed");
        story.when(close("2026-01-30")).refused("ledger.already_closed");
        story.when(reopen("2026-01-01")).refused("ledger.own_closing");
        story = story.by_finance("other");
        story.when(reopen("2026-02-01")).refused("ledger.not_closed");
        story.and(reopen("2026-01-01")).and(close("2026-01-31"));
    }

    #[test]
    fn closing_balances_are_stated_once_and_balance() {
        let story = fund_of(coop_terms(two_percent())).by_finance("fin");
        let mut story = story.and(accrue_on("s", "1000", "2026-01-10"));
        story.when(state("2026-01-31", "20", "20")).refused("ledger.not_closed");
        let mut story = story.and(close("2026-01-31"));
        story.when(state("2026-01-30", "20", "20")).refused("ledger.not_closed");
        story.when(state("2026-01-31", "20", "21")).refused("command.malformed");
        story.when(state("2026-01-31", "0", "0")).refused("command.malformed");
        let twice = vec![held(Account::Accrued, Side::Credit, "1"); 2];
        let twice = RecordClosingBalances { through: day("2026-01-31"), balances: twice };
        story.when(twice).refused("command.malformed");
        let mut story = story.and(state("2026-01-31", "20", "20"));
        story.when(state("2026-01-31", "20", "20")).refused("ledger.balances_recorded");
        let story = story.by_finance("other").and(reopen("2026-01-20"));
        story.and(close("2026-01-31")).and(state("2026-01-31", "20", "20"));
    }
}
