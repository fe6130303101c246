//! What the funds hold then and now, figure by figure.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use chl_events::{Currency, Money};
use chl_log::ReadLog;
use chl_projections::{BalanceRow, Cell, Row, TOTAL};
use chl_runtime::{ReaderError, Until, View, some_as_of};
use std::{collections::BTreeMap, sync::Arc};

/// A figure of a partner's fund, or with no partner of all partners' funds together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure {
    pub(super) partner: Option<String>,
    pub(super) programme: String,
    pub(super) fund: String,
    pub(super) currency: Currency,
    /// The place of its column.
    column: usize,
}

impl Figure {
    /// Its name, as a column of balances.
    pub(super) fn name(&self) -> &'static str {
        BalanceRow::TABLE.columns.get(self.column).map_or("", |column| column.name)
    }
}

/// What it is then and now, in minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amounts {
    then: i128,
    now: i128,
}

impl Amounts {
    /// Then, now, and by how much more, in a currency.
    pub(super) fn of(self, currency: Currency) -> [Money; 3] {
        [self.then, self.now, self.now - self.then].map(|minor| Money::from_minor(minor, currency))
    }
}

/// The figures that differ between two logs, the first up to an end.
pub(super) fn differences(
    then: Arc<dyn ReadLog>,
    end: u64,
    now: Arc<dyn ReadLog>,
) -> Outcome<BTreeMap<Figure, Amounts>> {
    let mut figures: BTreeMap<Figure, Amounts> = BTreeMap::new();
    let last = Until::Position(end.saturating_sub(1));
    each(then, last, |figure, minor| figures.entry(figure).or_default().then += minor)?;
    each(now, Until::Head, |figure, minor| figures.entry(figure).or_default().now += minor)?;
    figures.retain(|_, amounts| amounts.then != amounts.now);
    Ok(figures)
}

/// Folds a log and hands out the figures of each fund, and each once more for all partners.
fn each(log: Arc<dyn ReadLog>, until: Until, mut to: impl FnMut(Figure, i128)) -> Outcome {
    let unread = "the balances cannot be folded";
    let views = [View::Balances];
    let past = some_as_of(&views, log, until, &mut |_, _| {}).or_exit(Exit::Internal, unread)?;
    let frozen = past.reader.frozen(&views).or_exit(Exit::Internal, unread)?;
    if let Some(frozen) = frozen.first() {
        return Err(Failure::new(Exit::Verification, format_args!("{unread}: {frozen}")));
    }
    let dumped = past.reader.dump::<ReaderError>(
        &views,
        |_, cells| {
            let [Cell::Text(partner), Cell::Text(programme), Cell::Text(fund), lot, currency, ..] =
                cells
            else {
                return Ok(());
            };
            let (Cell::Text(lot), Cell::Text(currency)) = (lot, currency) else { return Ok(()) };
            let Some(currency) = Currency::new(currency).ok().filter(|_| lot == TOTAL) else {
                return Ok(());
            };
            for (column, cell) in cells.iter().enumerate() {
                let Cell::Minor(minor) = cell else { continue };
                let figure = Figure {
                    partner: Some(partner.to_string()),
                    programme: programme.to_string(),
                    fund: fund.to_string(),
                    currency,
                    column,
                };
                to(Figure { partner: None, ..figure.clone() }, *minor);
                to(figure, *minor);
            }
            Ok(())
        },
        None,
    );
    dumped.or_exit(Exit::Internal, unread).map(drop)
}
