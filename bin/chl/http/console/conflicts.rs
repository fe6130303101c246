//! The desk of conflicts: those of a state, one with its evidence, and the form that decides it.

use super::{
    super::{
        behind::{Behind, pairs},
        commands::{self, sent},
        problem::Problem,
        sessions::random,
    },
    decision::{self, Fields, OTHER},
    overview::ROWS,
    show::{Html, Trouble, address, frame, nowhere, table, text},
    sign_in::fields,
    visitor::Visitor,
};
use crate::{
    output::cell_text,
    pages::{
        console::{self, Choice, Decision, Fact},
        titled,
    },
};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use chl_bus::Answered;
use serde_json::{Value, json};

/// The states a conflict can be in, with their names.
const STATES: [(&str, &str); 4] =
    [("open", "Open"), ("escalated", "Escalated"), ("resolved", "Resolved"), ("lapsed", "Lapsed")];

const COLUMNS: &[(&str, &str)] = &[
    ("conflict", "Conflict"),
    ("kind", "Kind"),
    ("customer", "Customer"),
    (OTHER, "May be"),
    ("product_line", "Product line"),
    ("incumbent_partner", "Incumbent"),
    ("challenger_partner", "Challenger"),
    ("opened_at", "Opened"),
    ("due", "Due"),
];
const COLUMNS_OF_PARTNERS: &[(&str, &str)] = &[
    ("conflict", "Conflict"),
    ("customer", "Customer"),
    ("product_line", "Product line"),
    ("effective_state", "State"),
];
const DEALS: &[(&str, &str)] = &[
    ("deal", "Deal"),
    ("partner", "Partner"),
    ("value", "Value"),
    ("registered_at", "Registered"),
    ("protected_until", "Protected until"),
    ("effective_state", "State"),
];

/// What is told of a conflict first, in this order.
const FIRST: &[&str] = &[
    "kind",
    "customer",
    OTHER,
    "score",
    "alike",
    "product_line",
    "territory",
    "effective_state",
    "level",
    "due",
    "overdue",
    "incumbent_partner",
    "incumbent",
    "guarded_since",
    "guarded_until",
    "challenger_partner",
    "challenger",
    "challenged_at",
    "matched",
    "rule",
];
/// What the heading says, or the effective state.
const TOLD_ELSEWHERE: &[&str] = &["conflict", "state"];

/// The routes of conflicts.
pub(super) fn routes() -> Router<Behind> {
    Router::new()
        .route("/conflicts", get(desk))
        .route("/conflicts/{conflict}", get(one).post(decide))
}

async fn desk(State(behind): State<Behind>, visitor: Visitor, uri: Uri) -> Result<Html, Trouble> {
    let given = |name: &str| pairs(&uri).find(|(given, _)| given == name).map(|(_, value)| value);
    let state = given("state").unwrap_or_else(|| STATES[0].0.to_owned());
    let asked = json!({ "state": state, "limit": ROWS, "cursor": given("cursor") });
    let page = visitor.ask(&behind, "conflicts", asked).await?;
    let leads = |row: &Value, column: &str| {
        let id = text(row, "conflict");
        (column == "conflict" && !visitor.is_partner()).then(|| format!("/conflicts/{id}"))
    };
    let columns = if visitor.is_partner() { COLUMNS_OF_PARTNERS } else { COLUMNS };
    let told = ("Routes to market at one slot, customers that may be one", "There are none.");
    let mut conflicts = table(told, columns, &page.rows, leads);
    let next = page.next.as_deref();
    conflicts.more = next.map(|next| address("/conflicts", &[("state", &state), ("cursor", next)]));
    let choice = |(word, name): &(&str, &'static str)| Choice {
        to: address("/conflicts", &[("state", word)]),
        name,
        here: *word == state,
    };
    let page = console::Tables {
        frame: frame(&visitor, "/conflicts", "Conflicts"),
        note: None,
        ask: None,
        choices: STATES.iter().map(choice).collect(),
        tables: vec![conflicts],
    };
    Html::of(StatusCode::OK, &page)
}

async fn one(
    State(behind): State<Behind>,
    visitor: Visitor,
    Path(conflict): Path<String>,
    uri: Uri,
) -> Result<Html, Trouble> {
    let done = pairs(&uri).any(|(name, _)| name == "done").then_some("The conflict is resolved.");
    let shown = Shown::find(&behind, &visitor, &conflict).await?;
    let form = decision::form(&shown.row, &visitor, Fields::from([("id".to_owned(), random())]));
    Html::of(StatusCode::OK, &console::Conflict { done, ..shown.page(&visitor, form) })
}

async fn decide(
    State(behind): State<Behind>,
    visitor: Visitor,
    Path(conflict): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Trouble> {
    let fields = fields(body).await?;
    visitor.check(&headers, fields.get("form").map(String::as_str))?;
    let place = behind.admit(&visitor.actor)?;
    let document = decision::command(&conflict, &fields).to_string();
    let ledger = visitor.ledger(&behind)?;
    let answered = sent(ledger, &visitor.actor, document.as_bytes(), None).await?;
    drop(place);
    let status = commands::status(&answered.outcome);
    if status == StatusCode::OK {
        let done = address(&format!("/conflicts/{conflict}"), &[("done", "1")]);
        return Ok(Redirect::to(&done).into_response());
    }
    let shown = Shown::find(&behind, &visitor, &conflict).await?;
    let (wrong, form) = (Some(said(&answered)), decision::form(&shown.row, &visitor, fields));
    let page = console::Conflict { wrong, ..shown.page(&visitor, form) };
    Ok(Html::of(status, &page)?.into_response())
}

/// What an answer says to people.
fn said(answered: &Answered) -> String {
    let answer: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    text(&answer, "message").to_owned()
}

/// A conflict as it is shown.
struct Shown {
    row: Value,
    deals: Vec<Value>,
}

impl Shown {
    async fn find(behind: &Behind, visitor: &Visitor, conflict: &str) -> Result<Self, Problem> {
        let condition = format!("conflict={conflict}");
        let found = visitor.ask(behind, "conflicts", json!({ "where": [condition] })).await?;
        let row = found.rows.into_iter().next().ok_or_else(|| {
            let text = format_args!("no conflict {conflict} in this ledger");
            Problem::new(StatusCode::NOT_FOUND, "conflict.unknown", text)
        })?;
        let mut deals = Vec::new();
        let sides = ["incumbent", "challenger"].map(|side| text(&row, side));
        for side in sides.into_iter().filter(|deal| !deal.is_empty()) {
            let condition = format!("deal={side}");
            let found = visitor.ask(behind, "deals", json!({ "where": [condition] })).await?;
            deals.extend(found.rows);
        }
        Ok(Self { row, deals })
    }

    fn page(&self, visitor: &Visitor, form: Option<Decision>) -> console::Conflict {
        let fields = self.row.as_object().into_iter().flatten();
        let known = fields.filter(|(_, value)| !value.is_null());
        let told = known.filter(|(name, _)| !TOLD_ELSEWHERE.contains(&name.as_str()));
        let mut facts: Vec<_> = told.collect();
        let place = |name: &str| FIRST.iter().position(|first| *first == name);
        facts.sort_by_key(|(name, _)| place(name).unwrap_or(FIRST.len()));
        let facts = facts.into_iter().map(|(name, value)| Fact {
            name: titled(name),
            value: cell_text(value),
            to: (name == "customer" || name == OTHER).then(|| {
                let stream = format!("customer/{}", cell_text(value));
                address("/history", &[("stream", &stream)])
            }),
        });
        let told = ("The deals that meet", "");
        let deals = Some(&self.deals).filter(|deals| !deals.is_empty());
        let deals = deals.map(|deals| table(told, DEALS, deals, nowhere));
        console::Conflict {
            frame: frame(
                visitor,
                "/conflicts",
                format!("Conflict {}", text(&self.row, "conflict")),
            ),
            done: None,
            wrong: None,
            facts: facts.collect(),
            tables: deals.into_iter().collect(),
            form,
        }
    }
}
