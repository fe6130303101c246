//! Questions that come over the bus: the read models, and what a partner missed of its feed.

use crate::{
    ledger::Reading,
    reads::{MALFORMED, Page},
};
use chl_bus::{Asker, Unanswered};
use chl_bus_nats::{FeedReader, Missed, MissedError, Questions};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

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
        let page = Page::of(name, read(body)?, asker, &self.reading)?;
        serde_json::to_vec(&page).map_err(|error| Unanswered::refused("internal", error))
    }
}

impl OfLedger {
    fn missed(&self, body: &[u8], asker: &Asker) -> Result<Vec<u8>, Unanswered> {
        let AskedOfFeed { after, limit } = read(body)?;
        let Some(partner) = &asker.partner else {
            return Err(Unanswered::refused("not_permitted.query", "only a partner has a feed"));
        };
        let limit = limit.unwrap_or(EVENTS).min(EVENTS);
        let read = self.feeds.read(partner, after.as_deref(), limit);
        let Missed { events, more } = read.map_err(|error| match error {
            MissedError::Gone(_) => Unanswered::refused("feed.gone", error),
            MissedError::Stream(_) | MissedError::Event(_) => {
                Unanswered::for_now("query.unavailable", error)
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
    serde_json::from_slice(body).map_err(|error| Unanswered::refused(MALFORMED, error))
}
