//! Questions that come over the bus: the read models, as far as the asker may see them.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    ledger::Reading,
    output::{Sheet, Sink},
    reads::{Asked, Read},
};
use chl_bus_nats::{Asker, FeedReader, Missed, MissedError, Questions, Unanswered};
use chl_events::Role;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// So many rows are answered where a question names no limit.
const ROWS: u64 = 1000;

/// The read models a partner may ask for its own part of; and, where that is not all, the columns
/// it sees. Of another's deal it learns that a slot is contested and the conflict's id and state.
const OF_PARTNERS: &[(&str, Option<&[&str]>)] = &[
    ("balances", None),
    ("postings", None),
    ("deals", None),
    ("claims", None),
    ("scorecards", None),
    ("conflicts", Some(&["conflict", "customer", "product_line", "state", "effective_state"])),
];

/// The question for what a partner missed of its feed.
pub(crate) const FEED: &str = "feed";
/// So many events are answered at most.
const EVENTS: usize = 500;

/// Answers from the read models of a ledger, and from its partners' feeds.
pub(super) struct OfLedger {
    pub(super) reading: Arc<Reading>,
    pub(super) feeds: FeedReader,
}

/// What may be asked of a feed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AskedOfFeed {
    /// The id of the last event that came; without one from the oldest that is kept.
    after: Option<String>,
    /// At most so many.
    limit: Option<usize>,
}

impl Questions for OfLedger {
    fn ask(&self, name: &str, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered> {
        if name == FEED {
            return self.missed(body, asker);
        }
        let asked = read(body)?;
        let (mut asked, seen) = match asker.role {
            Role::Partner => of_its_own(name, asked, asker)?,
            Role::Service
            | Role::ChannelManager
            | Role::Finance
            | Role::Operator
            | Role::Auditor
            | Role::Analyst => (asked, None),
            Role::Policy | Role::Clock => {
                return Err(refused("not_permitted.query", "the ledger's own roles ask nothing"));
            }
        };
        asked.limit = asked.limit.or(Some(ROWS));
        let mut rows = Rows { seen, columns: Vec::new(), rows: Vec::new(), notes: Vec::new() };
        let question = asked.of(name).map(Read::Query);
        let answered = question.and_then(|question| question.answer(&self.reading, &mut rows));
        answered.map_err(|failure| unanswered(&failure))?;
        let document = json!({ "view": name, "rows": rows.rows, "notes": rows.notes });
        Ok(document.to_string().into_bytes())
    }
}

impl OfLedger {
    fn missed(&self, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered> {
        let AskedOfFeed { after, limit } = read(body)?;
        let Some(partner) = &asker.partner else {
            return Err(refused("not_permitted.query", "only a partner has a feed"));
        };
        let limit = limit.unwrap_or(EVENTS).min(EVENTS);
        let read = self.feeds.read(partner, after.as_deref(), limit);
        let Missed { events, more } = read.map_err(|error| match error {
            MissedError::Gone(_) => refused("feed.gone", error),
            MissedError::Stream(_) | MissedError::Event(_) => {
                Unanswered { code: "query.unavailable", message: error.to_string(), retry: true }
            }
        })?;
        Ok(json!({ "events": events, "more": more }).to_string().into_bytes())
    }
}

/// The document of a question; nothing at all asks for everything.
fn read<T: Default + for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Unanswered> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    serde_json::from_slice(body).map_err(|error| refused("query.malformed", error))
}

type Columns = Option<&'static [&'static str]>;

/// The question, narrowed to the partner who asks.
fn of_its_own(name: &str, mut asked: Asked, asker: &Asker) -> Result<(Asked, Columns), Unanswered> {
    let own = asker.partner.as_ref().map(ToString::to_string);
    let Some((_, seen)) = OF_PARTNERS.iter().find(|(view, _)| *view == name) else {
        return Err(refused("not_permitted.query", format_args!("a partner does not see {name}")));
    };
    if asked.partner.is_some() && asked.partner != own {
        return Err(refused("not_permitted.partner", "the question is about another partner"));
    }
    if seen.is_some() && !asked.conditions.is_empty() {
        // A comparison tells of columns that are not shown.
        return Err(refused("not_permitted.query", "a partner compares no columns of these"));
    }
    asked.partner = own;
    Ok((asked, *seen))
}

fn refused(code: &'static str, message: impl std::fmt::Display) -> Unanswered {
    Unanswered { code, message: message.to_string(), retry: false }
}

fn unanswered(failure: &Failure) -> Unanswered {
    match failure.exit() {
        Exit::Usage => refused("query.malformed", failure),
        Exit::Success
        | Exit::Internal
        | Exit::Rejected
        | Exit::StreamChanged
        | Exit::Unavailable
        | Exit::Verification => {
            Unanswered { code: "query.unavailable", message: failure.to_string(), retry: true }
        }
    }
}

/// Collects rows as objects.
struct Rows {
    seen: Columns,
    columns: Vec<String>,
    rows: Vec<Value>,
    notes: Vec<String>,
}

impl Sink for Rows {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.columns = sheet.columns.iter().map(ToString::to_string).collect();
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        let shown = |column: &String| self.seen.is_none_or(|seen| seen.contains(&column.as_str()));
        let cells = self.columns.iter().cloned().zip(values).filter(|(column, _)| shown(column));
        self.rows.push(Value::Object(cells.collect::<Map<_, _>>()));
        Ok(())
    }

    fn document(&mut self, json: &str) -> Outcome {
        self.rows.push(Value::String(json.to_owned()));
        Ok(())
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.rows.push(Value::String(line.to_owned()));
        Ok(())
    }

    fn pass_on(&mut self) -> Outcome {
        Ok(())
    }

    fn note(&mut self, text: &str) -> Outcome {
        self.notes.push(text.to_owned());
        Ok(())
    }
}
