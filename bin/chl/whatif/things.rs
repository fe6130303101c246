//! Things: what a command makes, and what it builds on, by the names in its data and its events.
//!
//! A deal that was never registered cannot be won: the second refusal hangs under the first, by the
//! deal that both name.

use super::chains::Chain;
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
};
use chl_commands::Command;
use chl_events::{
    Commit, Event, budget::BudgetEvent, customer::CustomerEvent, mdf::MdfEvent,
    partner::PartnerEvent,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Something that a command can make: its kind, and its name where that is unique.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Thing {
    kind: &'static str,
    name: String,
}

/// The fields that name a thing of the whole ledger, and its kind.
const NAMES: &[(&str, &str)] = &[
    ("partner", "partner"),
    ("customer", "customer"),
    ("absorbed", "customer"),
    ("survivor", "customer"),
    ("programme", "programme"),
    ("deal", "deal"),
    ("incumbent", "deal"),
    ("challenger", "deal"),
    ("conflict", "conflict"),
    ("budget", "budget"),
    ("request", "request"),
    ("claim", "claim"),
];

/// The fields that name a thing of a partner's fund in a programme.
const OF_A_FUND: &[&str] = &["lot", "sale"];

/// The kind of a partner's part in a programme.
const ENROLMENT: &str = "enrolment";
/// The kind of what a budget allocated to a partner in a programme.
const ALLOCATION: &str = "allocation";

/// What a kind of event makes, or makes ready to be built on.
fn makes(event: &Event) -> &'static [&'static str] {
    match event {
        Event::Deal(_) => &["deal"],
        Event::Conflict(_) => &["conflict"],
        Event::Claim(_) => &["claim"],
        Event::Coop(_) => &["lot", "sale"],
        Event::Rebate(_) => &["lot"],
        Event::Mdf(event) => match event {
            MdfEvent::MdfAllocationCredited(_) => &[ALLOCATION],
            MdfEvent::MdfAllocationReduced(_) => &[],
            MdfEvent::MdfRequested(_)
            | MdfEvent::MdfRequestApproved(_)
            | MdfEvent::MdfRequestRejected(_)
            | MdfEvent::MdfRequestCancelled(_)
            | MdfEvent::MdfRequestLapsed(_) => &["request"],
        },
        Event::Budget(event) => match event {
            BudgetEvent::MdfBudgetCreated(_) => &["budget"],
            BudgetEvent::MdfBudgetClosed(_)
            | BudgetEvent::MdfAllocated(_)
            | BudgetEvent::MdfAllocationReturned(_) => &[],
        },
        Event::Customer(event) => match event {
            CustomerEvent::CustomerRegistered(_) => &["customer"],
            CustomerEvent::PossibleDuplicateReported(_)
            | CustomerEvent::CustomersKeptApart(_)
            | CustomerEvent::CustomersMerged(_)
            | CustomerEvent::CustomerAbsorbed(_) => &[],
        },
        Event::Partner(event) => of_partner(event),
        Event::Programme(_) => &["programme"],
        Event::Ledger(_) => &[],
    }
}

fn of_partner(event: &PartnerEvent) -> &'static [&'static str] {
    match event {
        PartnerEvent::PartnerRecruited(_)
        | PartnerEvent::PartnerApplied(_)
        | PartnerEvent::PartnerApproved(_)
        | PartnerEvent::PartnerActivated(_)
        | PartnerEvent::PartnerReinstated(_) => &["partner"],
        PartnerEvent::PartnerEnrolled(_) | PartnerEvent::TierGranted(_) => &[ENROLMENT],
        PartnerEvent::PartnerSuspended(_)
        | PartnerEvent::PartnerTerminated(_)
        | PartnerEvent::ParentAttached(_)
        | PartnerEvent::ParentDetached(_)
        | PartnerEvent::DistributorLinked(_)
        | PartnerEvent::DistributorUnlinked(_)
        | PartnerEvent::CertificationRecorded(_)
        | PartnerEvent::MeasureRecorded(_)
        | PartnerEvent::ScorecardPublished(_)
        | PartnerEvent::ScorecardDisputed(_)
        | PartnerEvent::ScorecardDisputeSettled(_) => &[],
    }
}

/// What a chain makes.
pub(super) fn made(chain: &Chain) -> Outcome<BTreeSet<Thing>> {
    let mut made = BTreeSet::new();
    for commit in chain.commits() {
        for recorded in &commit.events {
            let kinds = makes(&recorded.event);
            let named = named_in_event(&recorded.event, commit.position)?;
            made.extend(named.into_iter().filter(|thing| kinds.contains(&thing.kind)));
        }
    }
    Ok(made)
}

/// What a command builds on: whatever it or its facts name.
pub(super) fn needed(commit: &Commit) -> Outcome<BTreeSet<Thing>> {
    let unread = format!("the command at position {}", commit.position);
    let command = Command::decode(&commit.command).or_exit(Exit::Verification, &unread)?;
    let command = serde_json::to_value(command).or_exit(Exit::Internal, &unread)?;
    let mut needed = named(&command);
    for recorded in &commit.events {
        needed.extend(named_in_event(&recorded.event, commit.position)?);
    }
    Ok(needed)
}

fn named_in_event(event: &Event, position: u64) -> Outcome<BTreeSet<Thing>> {
    let shown = serde_json::to_value(event);
    let shown = shown.or_exit(Exit::Internal, format_args!("the event at {position}"))?;
    Ok(shown.get("data").map(named).unwrap_or_default())
}

/// The things that a document names.
fn named(document: &Value) -> BTreeSet<Thing> {
    let text = |field: &str| document.get(field).and_then(Value::as_str).unwrap_or_default();
    let fund = format!("{}/{}", text("programme"), text("partner"));
    let mut things = BTreeSet::new();
    if !text("programme").is_empty() && !text("partner").is_empty() {
        let of_fund = |kind| Thing { kind, name: fund.clone() };
        things.extend([of_fund(ENROLMENT), of_fund(ALLOCATION)]);
    }
    walk(document, &fund, &mut things);
    things
}

fn walk(value: &Value, fund: &str, things: &mut BTreeSet<Thing>) {
    if let Some(list) = value.as_array() {
        list.iter().for_each(|item| walk(item, fund, things));
    }
    let Some(fields) = value.as_object() else { return };
    for (field, value) in fields {
        let Some(name) = value.as_str() else {
            walk(value, fund, things);
            continue;
        };
        if let Some((_, kind)) = NAMES.iter().find(|(known, _)| known == field) {
            things.insert(Thing { kind, name: name.to_owned() });
        }
        if let Some(kind) = OF_A_FUND.iter().find(|known| *known == field) {
            things.insert(Thing { kind, name: format!("{fund}/{name}") });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ENROLMENT, named};
    use serde_json::json;

    #[test]
    fn things_are_named_by_fields_and_those_of_a_fund_within_it() {
        let claim = json!({
            "claim": "c-1", "partner": "p-1", "programme": "gold", "activity": "ad",
            "parts": [{ "lot": "20260101-20260331", "amount": { "amount": "1", "currency": "USD" } }],
        });
        let named = named(&claim);
        let shown: Vec<_> =
            named.iter().map(|thing| format!("{} {}", thing.kind, thing.name)).collect();
        let expected = [
            "allocation gold/p-1",
            "claim c-1",
            "enrolment gold/p-1",
            "lot gold/p-1/20260101-20260331",
            "partner p-1",
            "programme gold",
        ];
        assert_eq!(shown, expected);
        assert!(expected.iter().any(|thing| thing.starts_with(ENROLMENT)));
    }
}
