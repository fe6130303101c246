//! What was recorded on a stream, commit by commit.

use super::{
    super::{
        behind::{Behind, pairs},
        standing::Opened,
    },
    overview::ROWS,
    show::{Html, Trouble, address, frame, text},
    visitor::Visitor,
};
use crate::{
    output::{Rows, cell_text},
    pages::console,
    reads::{MALFORMED, View, unanswered},
};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    routing::get,
};
use chl_bus::Unanswered;
use chl_events::Stream;
use serde_json::Value;

/// The route of histories.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/history", get(show))
}

async fn show(State(behind): State<Behind>, visitor: Visitor, uri: Uri) -> Result<Html, Trouble> {
    if visitor.is_partner() {
        let text = "a stream holds what others did, too; a partner sees its own in its tables";
        return Err(Unanswered::refused("not_permitted.query", text).into());
    }
    let given = |name: &str| pairs(&uri).find(|(given, _)| given == name).map(|(_, value)| value);
    let stream = given("stream").unwrap_or_default().trim().to_owned();
    let from = given("from").and_then(|from| from.parse().ok()).unwrap_or_default();
    let mut rows = Vec::new();
    if !stream.is_empty() {
        let wrong = |error| Unanswered::refused(MALFORMED, format_args!("stream: {error}"));
        let stream: Stream = stream.parse().map_err(wrong)?;
        // One more tells whether there are more.
        let asked = View::of_stream(stream, from, ROWS.saturating_add(1));
        let read = move |ledger: &Opened, _: &chl_bus::Asker| {
            let mut rows = Rows::default();
            let read = asked.answer(&ledger.reading, &mut rows);
            read.map(|_| rows.rows).map_err(|failure| unanswered(&failure))
        };
        rows = behind.ask(visitor.ledger(&behind)?, &visitor.actor, read).await?;
    }
    let shown = usize::try_from(ROWS).unwrap_or(usize::MAX);
    let more = rows.get(shown).and_then(|row| row.get("position")).map(cell_text);
    let more = more.map(|at| address("/history", &[("stream", &stream), ("from", &at)]));
    let commits = rows.iter().take(shown).map(commit).collect();
    let frame = frame(&visitor, "/history", "History");
    Html::of(StatusCode::OK, &console::History { frame, stream, commits, more })
}

fn commit(row: &Value) -> console::Commit {
    let of = |column: &str| row.get(column).map(cell_text).unwrap_or_default();
    let events = row.get("events").and_then(Value::as_array).into_iter().flatten();
    let event = |event: &Value| console::Event {
        name: text(event, "type").to_owned(),
        data: event.get("data").map(|data| format!("{data:#}")).unwrap_or_default(),
    };
    console::Commit {
        position: of("position"),
        version: of("version"),
        recorded_at: of("recorded_at"),
        command: of("command"),
        actor: of("actor"),
        events: events.map(event).collect(),
    }
}
