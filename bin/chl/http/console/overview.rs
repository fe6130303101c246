//! The start with what each fund holds, and how far everything has come.

use super::{
    super::{
        behind::{Behind, pairs},
        problem::Problem,
    },
    show::{Html, Trouble, address, frame, nowhere, table, text},
    visitor::Visitor,
};
use crate::pages::{console, titled};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, Uri},
    routing::get,
};
use chl_bus::{Refusal, Unanswered};
use serde_json::{Value, json};

/// So many rows are on a page.
pub(super) const ROWS: u64 = 100;

/// The row of a fund as a whole.
const WHOLE_FUND: &str = "total";

const BALANCES: &[(&str, &str)] = &[
    ("partner", "Partner"),
    ("programme", "Programme"),
    ("fund", "Fund"),
    ("available", "Available"),
    ("held", "Held"),
    ("payable", "Payable"),
    ("paid", "Paid"),
    ("expired", "Expired"),
    ("currency", "Currency"),
];

/// The routes of the start and the lag.
pub(super) fn routes() -> Router<Behind> {
    Router::new().route("/", get(start)).route("/lag", get(lag))
}

async fn start(State(behind): State<Behind>, visitor: Visitor, uri: Uri) -> Result<Html, Trouble> {
    let cursor = pairs(&uri).find(|(name, _)| name == "cursor").map(|(_, value)| value);
    let asked = json!({ "lot": WHOLE_FUND, "limit": ROWS, "cursor": cursor });
    let page = visitor.ask(&behind, "balances", asked).await?;
    let scorecard = |row: &Value, column: &str| {
        (column == "partner").then(|| format!("/scorecards/{}", text(row, "partner")))
    };
    let told = ("What each fund holds", "No fund holds anything yet.");
    let mut balances = table(told, BALANCES, &page.rows, scorecard);
    balances.more = page.next.map(|next| address("/", &[("cursor", &next)]));
    let note = page.position.zip(page.recorded_at);
    let page = console::Tables {
        frame: frame(&visitor, "/", "Balances"),
        note: note.map(|(position, at)| format!("As of position {position}, recorded at {at}.")),
        ask: None,
        choices: Vec::new(),
        tables: vec![balances],
    };
    Html::of(StatusCode::OK, &page)
}

async fn lag(State(behind): State<Behind>, visitor: Visitor) -> Result<Html, Trouble> {
    if visitor.is_partner() {
        let text = "how much is recorded is not a partner's to see";
        return Err(Unanswered::refused("not_permitted.query", text).into());
    }
    let standings = behind.standings.clone();
    let looked = tokio::task::spawn_blocking(move || standings.look()).await;
    let looks = looked.map_err(|error| Refusal::Broken(error.to_string()))?;
    let broken = |error: serde_json::Error| Problem::from(Refusal::Broken(error.to_string()));
    let mut tables = Vec::new();
    for look in looks {
        let look = serde_json::to_value(look).map_err(broken)?;
        let ledger = text(&look, "ledger").to_owned();
        let whole = [
            ("part", "This process"),
            ("position", "Next position"),
            ("sealed_position", "Sealed up to"),
            ("trouble", "Trouble"),
        ];
        let told = format!("Ledger {ledger}");
        tables.push(table((&told, ""), &whole, std::slice::from_ref(&look), nowhere));
        let views = look.get("views").and_then(Value::as_array).cloned().unwrap_or_default();
        let columns = columns(&views);
        let columns: Vec<(&str, &str)> =
            columns.iter().map(|(column, label)| (column.as_str(), label.as_str())).collect();
        let told = format!("Read models of {ledger}");
        tables.push(table((&told, "None are built yet."), &columns, &views, nowhere));
    }
    let page = console::Tables {
        frame: frame(&visitor, "/lag", "Lag"),
        note: None,
        ask: None,
        choices: Vec::new(),
        tables,
    };
    Html::of(StatusCode::OK, &page)
}

/// All fields of rows, each with a name for people; what the row is about comes first.
fn columns(rows: &[Value]) -> Vec<(String, String)> {
    let fields = rows.first().and_then(Value::as_object);
    let mut names: Vec<&String> = fields.into_iter().flat_map(|fields| fields.keys()).collect();
    names.sort_by_key(|name| *name != "view");
    names.into_iter().map(|name| (name.clone(), titled(name))).collect()
}
