//! What depends on the moment of asking, as ordinary SQL views in the file: for tools that open it
//! without `chl`.
//!
//! Their clock is SQLite's. They say in SQL what [`effective`](crate::effective) has from the folds
//! in memory; the tests hold both against each other at one moment.

use crate::View;
use rusqlite::Connection;

/// The moment of asking, written like the instants in the tables, so that texts compare.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%f', 'now')";

/// Makes the views in a new file, of the read models it keeps.
pub(crate) fn create(db: &Connection, kept: &[View]) -> rusqlite::Result<()> {
    let all = [
        (View::Deals, deals()),
        (View::Conflicts, conflicts()),
        (View::Claims, claims()),
        (View::Balances, balances()),
    ];
    let of_kept = all.iter().filter(|(view, _)| kept.contains(view));
    of_kept.map(|(_, sql)| sql).try_for_each(|sql| db.execute_batch(sql))
}

/// Whether an instant has passed, or is now; null where there is none.
fn is_over(column: &str) -> String {
    format!("rtrim({column}, 'Z') <= {NOW}")
}

/// Whole days from the day of one moment to that of another.
fn days(from: &str, to: &str) -> String {
    format!("CAST(julianday(date({to})) - julianday(date({from})) AS INTEGER)")
}

fn deals() -> String {
    let (unprotected, uncontested) = (is_over("protected_until"), is_over("contested_until"));
    let age = days("registered_at", "'now'");
    format!(
        "CREATE VIEW deals_now AS SELECT *, \
         CASE WHEN state = 'approved' AND {unprotected} THEN 'expired' \
         WHEN state = 'contested' AND {uncontested} THEN 'submitted' \
         ELSE state END AS effective_state, \
         CASE WHEN state = 'approved' AND NOT {unprotected} THEN \
         (CAST(strftime('%s', protected_until) AS INTEGER) - \
         CAST(strftime('%s', 'now') AS INTEGER)) / 86400 END AS days_left, \
         {age} AS age_days FROM deals"
    )
}

fn conflicts() -> String {
    let (lapsed, due) = (is_over("lapses_at"), is_over("due"));
    let age = days("opened_at", "coalesce(ended_at, lapsed_at, 'now')");
    format!(
        "CREATE VIEW conflicts_now AS SELECT stored.*, effective_state, {age} AS age_days, \
         effective_state IN ('open', 'escalated') AND coalesce({due}, 0) AS overdue \
         FROM (SELECT conflict, iif(gone, 'lapsed', state) AS effective_state, \
         iif(gone, lapses_at, NULL) AS lapsed_at FROM (SELECT conflict, state, lapses_at, \
         state IN ('open', 'escalated') AND coalesce({lapsed}, 0) AS gone FROM conflicts)) \
         JOIN conflicts AS stored USING (conflict)"
    )
}

fn claims() -> String {
    let age = days("submitted_at", "'now'");
    format!("CREATE VIEW claims_now AS SELECT *, {age} AS age_days FROM claims")
}

fn balances() -> String {
    let expired = is_over("lots.expires_at");
    format!(
        "CREATE VIEW balances_now AS SELECT balances.*, \
         CASE WHEN lots.lot IS NULL THEN NULL \
         WHEN lots.converted_whole THEN 'converted' \
         WHEN lots.expired_at IS NOT NULL OR {expired} THEN 'expired' \
         WHEN available_minor = 0 AND held_minor = 0 AND date('now') > lots.earning_until \
         THEN 'exhausted' \
         WHEN date('now') < lots.usable_from THEN 'earning' \
         WHEN date('now') <= lots.usable_until THEN 'usable' \
         ELSE 'claims_only' END AS lot_state \
         FROM balances LEFT JOIN lots ON balances.fund = 'coop' \
         AND lots.partner = balances.partner AND lots.programme = balances.programme \
         AND lots.lot = balances.lot"
    )
}
