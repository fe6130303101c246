//! A question as its asker may ask it, and the rows as the asker may see them: the same at every
//! door.

use super::{
    asked::Asked,
    opening::require_models,
    query::{Found, Query, key_columns, key_of},
};
use crate::{exit::Exit, failure::Failure, ledger::Reading};
use chl_bus::{Asker, Unanswered};
use chl_events::{Instant, Role};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde_json::{Map, Value};

/// So many rows are answered where a question names no limit, and so many at most.
const ROWS: u64 = 1000;
const MOST_ROWS: u64 = 10_000;

/// The read models a partner may ask for its own part of; and, where that is not all, the columns
/// it sees. Of another's deal it learns that a slot is contested and the conflict's id and state.
const OF_PARTNERS: &[(&str, Option<&[&str]>)] = &[
    ("balances", None),
    ("postings", None),
    ("deals", None),
    ("claims", None),
    ("scorecards", None),
    ("scorecard_figures", None),
    ("conflicts", Some(&["conflict", "customer", "product_line", "state", "effective_state"])),
];

/// The columns an asker sees, where that is not all.
type Columns = Option<&'static [&'static str]>;

/// A piece of a read model, as its asker may see it.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    /// The read model.
    pub(crate) view: String,
    /// The last position the rows stand for. A partner is not told: it would show how much others
    /// do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) position: Option<u64>,
    /// When that was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recorded_at: Option<Instant>,
    /// The rows, as objects.
    pub(crate) rows: Vec<Value>,
    /// What was asked for by a name that the ledger does not know, and why rows stand still.
    pub(crate) notes: Vec<String>,
    /// Where the next rows begin, where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl Page {
    /// Answers a question, as far as the asker may see it.
    pub(crate) fn of(
        view: &str,
        asked: Asked,
        asker: &Asker,
        ledger: &Reading,
    ) -> Result<Self, Unanswered> {
        let (asked, seen) = permitted(view, asked, asker)?;
        let limit = limit(asked.limit)?;
        let after = asked.cursor.as_deref().map(|cursor| place(view, cursor)).transpose()?;
        let mut query = asked.of(view).map_err(|failure| unanswered(&failure))?;
        require_models(ledger)?;
        // One more tells whether there are more.
        query.limit = Some(limit.saturating_add(1));
        let found = query.find(ledger, after).map_err(|failure| unanswered(&failure))?;
        Ok(Self::from(&query, found, limit, (asker.role, seen)))
    }

    fn from(query: &Query, found: Found, limit: u64, (role, seen): (Role, Columns)) -> Self {
        let Found { mut answer, unknown } = found;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = answer.rows.len() > limit;
        answer.rows.truncate(limit);
        let names = key_columns(&query.view);
        let key = key_of(&answer.columns, &names);
        let last = answer.rows.last().filter(|_| more).map(key);
        let shown = |column: &String| seen.is_none_or(|seen| seen.contains(&column.as_str()));
        let rows = answer.rows.into_iter().map(|values| {
            let cells = answer.columns.iter().cloned().zip(values);
            Value::Object(cells.filter(|(column, _)| shown(column)).collect::<Map<_, _>>())
        });
        let of_all = role != Role::Partner;
        let frozen = answer.frozen.iter().map(ToString::to_string);
        let notes = unknown.into_iter().chain(frozen).filter(|_| of_all);
        Self {
            view: query.view.clone(),
            position: answer.position.checked_sub(1).filter(|_| of_all),
            recorded_at: answer.recorded_at.filter(|_| of_all),
            rows: rows.collect(),
            // That a name is known shows that somebody works on it.
            notes: notes.collect(),
            next: last.map(|key| cursor(&query.view, &key)),
        }
    }
}

fn limit(asked: Option<u64>) -> Result<u64, Unanswered> {
    match asked.unwrap_or(ROWS) {
        limit @ 1..=MOST_ROWS => Ok(limit),
        limit => {
            let text = format!("limit: {limit} is not from 1 to {MOST_ROWS}");
            Err(Unanswered::refused(MALFORMED, text))
        }
    }
}

/// The code of a question that has to be mended.
pub(crate) const MALFORMED: &str = "query.malformed";

/// The question as its asker may ask it, and the columns it sees.
fn permitted(view: &str, asked: Asked, asker: &Asker) -> Result<(Asked, Columns), Unanswered> {
    match asker.role {
        Role::Partner => of_its_own(view, asked, asker),
        Role::Service
        | Role::ChannelManager
        | Role::Finance
        | Role::Operator
        | Role::Auditor
        | Role::Analyst => Ok((asked, None)),
        Role::Policy | Role::Clock => {
            let text = "the ledger's own roles ask nothing";
            Err(Unanswered::refused("not_permitted.query", text))
        }
    }
}

/// The question, narrowed to the partner who asks.
fn of_its_own(view: &str, mut asked: Asked, asker: &Asker) -> Result<(Asked, Columns), Unanswered> {
    let refused = |text: String| Unanswered::refused("not_permitted.query", text);
    let own = asker.partner.as_ref().map(ToString::to_string);
    let Some((_, seen)) = OF_PARTNERS.iter().find(|(of, _)| *of == view) else {
        return Err(refused(format!("a partner does not see {view}")));
    };
    if asked.partner.is_some() && asked.partner != own {
        let text = "the question is about another partner";
        return Err(Unanswered::refused("not_permitted.partner", text));
    }
    if seen.is_some() && !asked.conditions.is_empty() {
        // A comparison tells of columns that are not shown.
        return Err(refused("a partner compares no columns of these".into()));
    }
    if asked.names_position() {
        // What lies between two positions is how much others did.
        return Err(refused("a partner asks as of an instant, not of a position".into()));
    }
    asked.partner = own;
    Ok((asked, *seen))
}

/// The key of a row as a word that callers hand back and do not read.
fn cursor(view: &str, key: &[String]) -> String {
    let parts: Vec<&str> = [view].into_iter().chain(key.iter().map(String::as_str)).collect();
    BASE64URL_NOPAD.encode(Value::from(parts).to_string().as_bytes())
}

/// The key a cursor holds.
fn place(view: &str, cursor: &str) -> Result<Vec<String>, Unanswered> {
    let read = || {
        let bytes = BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?;
        let parts: Vec<String> = serde_json::from_slice(&bytes).ok()?;
        let (of, key) = parts.split_first()?;
        (of == view && key.len() == key_columns(view).len()).then(|| key.to_vec())
    };
    let text = "cursor: it is not the `next` of an answer to this question";
    read().ok_or_else(|| Unanswered::refused(MALFORMED, text))
}

/// What a question that failed means to the asker.
pub(crate) fn unanswered(failure: &Failure) -> Unanswered {
    match failure.exit() {
        Exit::Usage => Unanswered::refused(MALFORMED, failure),
        Exit::Success
        | Exit::Internal
        | Exit::Rejected
        | Exit::StreamChanged
        | Exit::Unavailable
        | Exit::Verification => Unanswered::for_now("query.unavailable", failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_no_other() {
        let key = ["p-1", "gold", "coop", "total", "USD"].map(String::from);
        let made = cursor("balances", &key);
        assert_eq!(place("balances", &made).ok().as_deref(), Some(key.as_slice()));
        let short = cursor("balances", &key[..2]);
        for (view, wrong) in [("deals", made.as_str()), ("balances", &short), ("balances", "!")] {
            let refused = place(view, wrong).map_err(|refused| refused.code);
            assert_eq!(refused, Err(MALFORMED), "{view} {wrong}");
        }
    }
}
