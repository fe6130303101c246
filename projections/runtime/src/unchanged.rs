//! Until when answers stay the same while nothing is recorded: what is shown of some rows depends on
//! the moment of asking, and changes by itself.

use crate::{Reader, ReaderError, View};
use chl_events::Instant;

/// The microseconds of a day.
const DAY: i64 = 86_400_000_000;

impl Reader {
    /// A moment up to which every row of a view is shown as it is at `now`, as long as nothing is
    /// recorded. It may be shown so for longer.
    pub fn unchanged_until(&self, view: View, now: Instant) -> Result<Instant, ReaderError> {
        if !view.depends_on_moment() {
            return Ok(Instant::from_micros(i64::MAX));
        }
        let midnight = now.micros().div_euclid(DAY).saturating_add(1).saturating_mul(DAY);
        let Some(soonest) = soonest(view) else { return Ok(Instant::from_micros(midnight)) };
        let mut statement = self.db.prepare_cached(&soonest)?;
        let next: Option<i64> = statement.query_row([now.micros()], |row| row.get(0))?;
        Ok(Instant::from_micros(next.map_or(midnight, |next| next.min(midnight))))
    }
}

/// The first moment behind `?1` at which something other than the date changes a row of a view, in
/// microseconds.
fn soonest(view: View) -> Option<String> {
    match view {
        // Whole days of protection are counted from its end.
        View::Deals => Some(format!(
            "SELECT min(at) FROM (SELECT ?1 + (micros(protected_until) - ?1) % {DAY} AS at \
             FROM deals WHERE state = 'approved' AND micros(protected_until) > ?1 \
             UNION ALL SELECT micros(contested_until) FROM deals \
             WHERE state = 'contested' AND micros(contested_until) > ?1)"
        )),
        View::Conflicts => Some(
            "SELECT min(at) FROM (SELECT micros(lapses_at) AS at FROM conflicts \
             WHERE micros(lapses_at) > ?1 AND state IN ('open', 'escalated') \
             UNION ALL SELECT micros(due) FROM conflicts \
             WHERE micros(due) > ?1 AND state IN ('open', 'escalated'))"
                .into(),
        ),
        View::Balances => Some(
            "SELECT min(micros(expires_at)) FROM lots \
             WHERE expired_at IS NULL AND micros(expires_at) > ?1"
                .into(),
        ),
        View::Postings
        | View::Customers
        | View::Claims
        | View::Requests
        | View::Lots
        | View::Partners
        | View::Tiers
        | View::Certifications
        | View::Measures
        | View::Programmes
        | View::Days
        | View::Figures => None,
    }
}
