//! Scorecards of a period, and one partner's page.

use super::{
    super::{
        behind::{Behind, pairs},
        problem::Problem,
        standing::Opened,
    },
    overview::ROWS,
    show::{Html, Trouble, address, frame, table, text},
    visitor::Visitor,
};
use crate::{
    pages::{Told, console},
    reads::{MALFORMED, ScorecardOf, newest_quarter, unanswered},
};
use axum::{
    Router,
    extract::{Path, State},
    http::{StatusCode, Uri},
    routing::get,
};
use chl_bus::Unanswered;
use chl_events::{PartnerId, Period};
use serde_json::{Value, json};

const COLUMNS: &[(&str, &str)] = &[
    ("partner", "Partner"),
    ("programme", "Programme"),
    ("total", "Total"),
    ("financial", "Financial"),
    ("operational", "Operational"),
    ("capability", "Capability"),
    ("customer", "Customer"),
    ("engagement", "Engagement"),
    ("percentile", "Percentile"),
];

/// The routes of scorecards.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/scorecards", get(list)).route("/scorecards/{partner}", get(one))
}

/// A parameter of an address.
fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let found = pairs(uri).find(|(given, _)| given == name).map(|(_, value)| value);
    found.filter(|value| !value.is_empty())
}

fn period(uri: &Uri) -> Result<Option<Period>, Problem> {
    let parsed = parameter(uri, "period").map(|text| text.parse::<Period>()).transpose();
    let wrong = |error| Unanswered::refused(MALFORMED, format_args!("period: {error}"));
    Ok(parsed.map_err(wrong)?)
}

async fn list(State(behind): State<Behind>, visitor: Visitor, uri: Uri) -> Result<Html, Trouble> {
    let period = match period(&uri)? {
        Some(period) => period,
        None => {
            let newest = |ledger: &Opened, _: &chl_bus::Asker| {
                newest_quarter(&ledger.reading).map_err(|failure| unanswered(&failure))
            };
            behind.ask(visitor.ledger(&behind)?, &visitor.actor, newest).await?
        }
    };
    let period = period.name();
    let cursor = parameter(&uri, "cursor");
    let asked = json!({ "period": period, "limit": ROWS, "cursor": cursor });
    let page = visitor.ask(&behind, "scorecards", asked).await?;
    let leads = |row: &Value, column: &str| {
        let path = format!("/scorecards/{}", text(row, "partner"));
        (column == "partner").then(|| address(&path, &[("period", &period)]))
    };
    let caption = format!("Points of 100 in {period}");
    let told = (caption.as_str(), "Nobody is scored in this period.");
    let mut scorecards = table(told, COLUMNS, &page.rows, leads);
    let next = page.next.as_deref();
    scorecards.more =
        next.map(|next| address("/scorecards", &[("period", &period), ("cursor", next)]));
    let page = console::Tables {
        frame: frame(&visitor, "/scorecards", "Scorecards"),
        note: None,
        ask: Some(console::Ask {
            label: "Period",
            name: "period",
            value: period,
            such_as: "2026-Q1",
        }),
        choices: Vec::new(),
        tables: vec![scorecards],
    };
    Html::of(StatusCode::OK, &page)
}

async fn one(
    State(behind): State<Behind>,
    visitor: Visitor,
    Path(partner): Path<String>,
    uri: Uri,
) -> Result<Html, Trouble> {
    let wrong = |error| Unanswered::refused(MALFORMED, format_args!("partner: {error}"));
    let partner: PartnerId = partner.parse().map_err(wrong)?;
    let told = if visitor.is_partner() { Told::Partner } else { Told::Vendor };
    if told == Told::Partner && visitor.actor.connection.partner.as_ref() != Some(&partner) {
        let text = "the page is about another partner";
        return Err(Unanswered::refused("not_permitted.partner", text).into());
    }
    let period = period(&uri)?;
    let page = move |ledger: &Opened, _: &chl_bus::Asker| {
        let page = ScorecardOf::page(partner, period, &ledger.reading, told);
        page.map_err(|failure| unanswered(&failure))
    };
    let page = behind.ask(visitor.ledger(&behind)?, &visitor.actor, page).await?;
    Ok(Html::whole(page))
}
