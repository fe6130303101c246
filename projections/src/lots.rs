//! Lots: the dates of co-op by earning period, fixed when a lot opens.

use crate::{FoldError, Keeps, fact::Fact, row::row};
use chl_events::{Date, Event, Instant, LotId, PartnerId, ProgrammeId, coop::CoopEvent};

row! {
    /// A co-op lot. What it holds stands in `balances`; what it is at a moment follows from its
    /// dates and its ends.
    LotRow in "lots"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// The lot.
        lot: LotId,
    }
    fields {
        /// The version of the terms that fixed its dates.
        programme_version: u32,
        /// First earning day.
        earning_from: Date,
        /// Last earning day.
        earning_until: Date,
        /// The first activity date it pays for.
        usable_from: Date,
        /// The last activity date it pays for.
        usable_until: Date,
        /// The last day a claim may draw on it.
        claims_until: Date,
        /// When its earning period is due to be closed.
        closes_at: Instant,
        /// When what is not held is due to expire.
        expires_at: Instant,
        /// When its earning period was closed.
        closed_at: Option<Instant>,
        /// Whether all of it became rebate.
        converted_whole: bool,
        /// Since when it has expired.
        expired_at: Option<Instant>,
    }
    indices []
}

/// Folds what opens, closes and ends lots.
pub(crate) fn fold<S: Keeps<LotRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    let Event::Coop(event) = fact.event() else { return Ok(()) };
    match event {
        CoopEvent::CoopLotOpened(e) => {
            store.put(LotRow {
                partner: e.partner.clone(),
                programme: e.programme.clone(),
                lot: e.lot.clone(),
                programme_version: e.programme_version,
                earning_from: e.earning_from,
                earning_until: e.earning_until,
                usable_from: e.usable_from,
                usable_until: e.usable_until,
                claims_until: e.claims_until,
                closes_at: e.closes_at,
                expires_at: e.expires_at,
                closed_at: None,
                converted_whole: false,
                expired_at: None,
            })?;
        }
        CoopEvent::CoopPeriodClosed(e) => {
            let key = (e.partner.clone(), e.programme.clone(), e.lot.clone());
            if let Some(row) = fact.known(store.edit(&key)?, "lot", &e.lot)? {
                row.closed_at = Some(fact.time());
                row.converted_whole = e.below_threshold;
            }
        }
        CoopEvent::CoopLotExpired(e) => {
            let key = (e.partner.clone(), e.programme.clone(), e.lot.clone());
            if let Some(row) = fact.known(store.edit(&key)?, "lot", &e.lot)? {
                row.expired_at = Some(e.at);
            }
        }
        CoopEvent::CoopAccrued(_) | CoopEvent::CoopAccrualReversed(_) => {}
    }
    Ok(())
}
