//! The rows of an answer on their way out, and what of them people see.

use super::moment;
use crate::{
    failure::Outcome,
    output::{Sheet, Sink},
};
use chl_runtime::Answer;
use serde_json::Value;

/// The read model that is no table but computed for a period.
pub(super) const SCORECARDS: &str = "scorecards";

/// The columns of the wider read models that fit on a terminal.
const PEOPLE: &[(&str, &[&str])] = &[
    (
        "deals",
        &[
            "deal",
            "customer",
            "partner",
            "programme",
            "product_line",
            "territory",
            "effective_state",
            "value",
            "registered_on",
            "protected_until",
            "closed_on",
            "won_value",
        ],
    ),
    (
        "conflicts",
        &[
            "conflict",
            "customer",
            "product_line",
            "kind",
            "incumbent_partner",
            "challenger_partner",
            "effective_state",
            "opened_at",
            "resolution",
            "criterion",
        ],
    ),
    (
        "claims",
        &[
            "claim",
            "partner",
            "programme",
            "fund",
            "activity",
            "cost",
            "requested",
            "held",
            "approved",
            "paid",
            "state",
        ],
    ),
    (
        "postings",
        &[
            "position",
            "posted_on",
            "book",
            "account",
            "partner",
            "lot",
            "debit",
            "credit",
            "currency",
            "event",
            "command",
            "actor",
        ],
    ),
    (
        SCORECARDS,
        &[
            "partner",
            "programme",
            "period",
            "total",
            "financial",
            "operational",
            "capability",
            "customer",
            "engagement",
            "data_coverage",
            "percentile",
        ],
    ),
];

/// Shows the rows of an answer, and says which of them stand still.
///
/// `view` is the read model whose columns they are; of another table people see all.
pub(super) fn show(name: &str, view: Option<&str>, answer: Answer, sink: &mut dyn Sink) -> Outcome {
    let columns: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let people = PEOPLE.iter().find(|(of, _)| Some(*of) == view);
    let people = people.map(|(_, columns)| *columns);
    sink.begin(&Sheet { name, columns: &columns, people })?;
    answer.rows.into_iter().try_for_each(|row| sink.row(row))?;
    moment::note_frozen(sink, &answer.frozen)
}

/// Shows the rows of the last or only answer, and says which position all of them stand for.
pub(super) fn show_last(
    name: &str,
    view: Option<&str>,
    answer: Answer,
    sink: &mut dyn Sink,
) -> Outcome {
    let (position, recorded_at) = (answer.position, answer.recorded_at);
    show(name, view, answer, sink)?;
    moment::note(sink, position, recorded_at)
}

/// The value of a row's column.
pub(super) fn cell(answer: &Answer, row: &[Value], name: &str) -> Value {
    let at = answer.columns.iter().position(|column| column == name);
    at.and_then(|at| row.get(at)).cloned().unwrap_or_default()
}
