//! Two persons with names and notes that stand nowhere else.

use serde_json::{Value, json};

/// Parts of what was written by or of them, as nobody else writes.
const WRITTEN: [&str; 4] = ["Zarquon", "Beeblebrox", "Quuxplugh", "Frobozz"];

/// What is sought in files: the texts in UTF-8.
pub(crate) fn texts() -> Vec<Vec<u8>> {
    WRITTEN.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Whether a document shows any of it.
pub(crate) fn shows(document: &str) -> bool {
    WRITTEN.iter().any(|text| document.contains(text))
}

fn line(id: &str, kind: &str, data: Value) -> Value {
    json!({ "id": id, "source": "/svc", "type": kind, "data": data })
}

/// A partner that is a natural person, whose applications another person writes notes on.
pub(crate) fn acts() -> Vec<Value> {
    let name = "Zarquon Beeblebrox";
    let recruit = json!({ "partner": "p-z", "name": name, "types": ["referral"],
        "natural_person": true });
    let mut applied = line(
        "z2",
        "ApplyForProgramme",
        json!({ "partner": "p-z",
        "note": "lives in Quuxplugh street 17" }),
    );
    applied["onbehalfof"] = json!("u-anna");
    applied["reason"] = json!("called Frobozz at home");
    vec![line("z1", "RecruitPartner", recruit), applied]
}

/// What is refused, and what is no command: of neither a ledger keeps the content.
pub(crate) fn refused() -> String {
    let mut unknown = line(
        "z4",
        "ApprovePartner",
        json!({ "partner": "p-nobody",
        "note": "as Zarquon said" }),
    );
    unknown["reason"] = json!("Frobozz");
    let malformed = line("z5", "ApprovePartner", json!({ "Beeblebrox": "Quuxplugh" }));
    lines(&[unknown, malformed]) + "Quuxplugh {\n"
}

/// What Anna writes once she is forgotten.
pub(crate) fn acts_again() -> Value {
    let mut approved =
        line("z3", "ApprovePartner", json!({ "partner": "p-z", "note": "she is back" }));
    approved["onbehalfof"] = json!("u-anna");
    approved
}

/// Both are forgotten.
pub(crate) fn forgets() -> Vec<Value> {
    let forget = |id: &str, person: &str| {
        line(id, "ForgetPerson", json!({ "person": person, "note": "request 7" }))
    };
    vec![forget("f1", "actor/u-anna"), forget("f2", "partner/p-z")]
}

/// Lines of JSON.
pub(crate) fn lines(documents: &[Value]) -> String {
    documents.iter().map(|document| format!("{document}\n")).collect()
}
