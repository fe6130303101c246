//! What is to be decided about a conflict: the form, and the command that it becomes.

use super::{show::text, visitor::Visitor};
use crate::pages::{
    console::{Decision, Share, Word},
    titled,
};
use chl_commands::Command;
use chl_events::conflict::{ConflictKind, Criterion, Resolution};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The commands the forms send: about a slot, and about two customers that may be one.
const RESOLVE: &str = "ResolveConflict";
const KEEP_APART: &str = "KeepCustomersApart";
const MERGE: &str = "MergeCustomers";

/// The resolution that leaves two customers two; the others name the one that stays.
const APART: &str = "apart";
const STAYS: &str = "stays.";
/// What the name of a share's field begins with.
const SHARE: &str = "share.";

/// The states of a conflict that waits for a decision.
const UNDECIDED: [&str; 2] = ["open", "escalated"];

/// The fields of a form.
pub(super) type Fields = BTreeMap<String, String>;

/// The command a form asks for. What is missing in it is missing in the command, and named by the
/// answer.
pub(super) fn command(conflict: &str, fields: &Fields) -> Value {
    let field = |name: &str| fields.get(name).map(|value| value.trim()).filter(|it| !it.is_empty());
    let (customer, resolution, note) = (field("customer"), field("resolution"), field("note"));
    let (kind, data) = match (field("other"), resolution.and_then(|one| one.strip_prefix(STAYS))) {
        (None, _) => {
            let data = json!({
                "conflict": conflict,
                "customer": customer,
                "resolution": resolution,
                "criterion": field("criterion"),
                "shares": shares(fields),
                "note": note,
            });
            (RESOLVE, data)
        }
        (other, None) => {
            (KEEP_APART, json!({ "customer": customer, "other": other, "note": note }))
        }
        (other, Some(survivor)) => {
            let absorbed = if customer == Some(survivor) { other } else { customer };
            (MERGE, json!({ "survivor": survivor, "absorbed": absorbed, "note": note }))
        }
    };
    json!({ "id": field("id"), "type": kind, "data": data })
}

fn shares(fields: &Fields) -> Vec<Value> {
    let share = |(name, percent): (&String, &String)| {
        let partner = name.strip_prefix(SHARE)?;
        let percent = percent.trim();
        (!percent.is_empty()).then(|| json!({ "partner": partner, "percent": percent }))
    };
    fields.iter().filter_map(share).collect()
}

/// The form about a conflict with what was given, for those who may decide, while there is something
/// to be decided.
pub(super) fn form(row: &Value, visitor: &Visitor, mut given: Fields) -> Option<Decision> {
    let customers = text(row, "kind") == ConflictKind::PossibleDuplicate.as_str();
    let kind = Command::kind_named(if customers { MERGE } else { RESOLVE });
    let may = kind.is_some_and(|kind| kind.allows(visitor.actor.connection.role));
    if !may || !UNDECIDED.contains(&text(row, "effective_state")) {
        return None;
    }
    let mut take = |name: &str| given.remove(name).unwrap_or_default();
    let (resolution, criterion) = (take("resolution"), take("criterion"));
    let chosen = |mut word: Word| {
        word.chosen = word.word == resolution || word.word == criterion;
        word
    };
    let (resolutions, criteria, sides) =
        if customers { about_customers(row) } else { about_a_slot(row) };
    let shares = sides.into_iter().map(|partner| {
        let name = format!("{SHARE}{partner}");
        Share { value: take(&name), name, partner }
    });
    Some(Decision {
        form: visitor.form().to_owned(),
        shares: shares.collect(),
        id: take("id"),
        note: take("note"),
        customer: text(row, "customer").to_owned(),
        other: Some(text(row, OTHER)).filter(|_| customers).map(str::to_owned),
        resolutions: resolutions.into_iter().map(chosen).collect(),
        criteria: criteria.into_iter().map(chosen).collect(),
    })
}

/// The column of the customer that another one may be.
pub(super) const OTHER: &str = "other_customer";

/// How a conflict can be decided, on what grounds, and the partners that may share.
type Choices = (Vec<Word>, Vec<Word>, Vec<String>);

fn about_a_slot(row: &Value) -> Choices {
    let word = |word: &str| Word { word: word.to_owned(), name: titled(word), chosen: false };
    let sides = ["incumbent_partner", "challenger_partner"].map(|side| text(row, side));
    let sides = sides.into_iter().filter(|partner| !partner.is_empty());
    (
        Resolution::ALL.iter().map(|one| word(one.as_str())).collect(),
        Criterion::ALL.iter().map(|one| word(one.as_str())).collect(),
        sides.map(str::to_owned).collect(),
    )
}

fn about_customers(row: &Value) -> Choices {
    let word = |word: String, name: String| Word { word, name, chosen: false };
    let stays = ["customer", OTHER].map(|column| text(row, column));
    let stays =
        stays.map(|one| word(format!("{STAYS}{one}"), format!("One customer: {one} stays")));
    let apart = word(APART.to_owned(), "Two customers: keep them apart".to_owned());
    ([apart].into_iter().chain(stays).collect(), Vec::new(), Vec::new())
}
