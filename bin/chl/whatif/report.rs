//! The difference, as tables.

use super::{
    change::Change,
    deciding::Decided,
    differences::{Difference, Kind},
    money::{Amounts, Figure},
};
use crate::{
    failure::Outcome,
    output::{Sheet, Sink},
};
use chl_events::{Instant, Money};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The parts of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// How many decisions differ.
    Summary,
    /// What all partners' funds hold, programme by programme.
    Totals,
    /// What each partner's funds hold.
    Money,
    /// The decisions that differ.
    Decisions,
}

const SUMMARY: &[&str] = &[
    "programme",
    "from",
    "commits",
    "commands",
    "refused",
    "accepted",
    "capped",
    "otherwise",
    "tried",
    "tried_since",
    "same_history",
];
const TOTALS: &[&str] = &["programme", "fund", "currency", "figure", "then", "now", "difference"];
const MONEY: &[&str] =
    &["partner", "programme", "fund", "currency", "figure", "then", "now", "difference"];
const DECISIONS: &[&str] = &[
    "number",
    "under",
    "dependants",
    "position",
    "difference",
    "command",
    "id",
    "source",
    "recorded_at",
    "code",
    "message",
    "events_then",
    "events_now",
];
/// What of a decision fits on a terminal.
const PEOPLE: &[&str] = &[
    "number",
    "under",
    "dependants",
    "position",
    "difference",
    "command",
    "id",
    "code",
    "message",
];

/// What is different.
pub(super) struct Report<'a> {
    pub(super) change: &'a Change,
    pub(super) decided: &'a Decided,
    pub(super) differences: Vec<Difference>,
    pub(super) money: BTreeMap<Figure, Amounts>,
    /// How many commits the history has.
    pub(super) commits: u64,
    /// Since when refusals are noted, where any are.
    pub(super) noted_since: Option<Instant>,
    /// Whether the log that was decided again is the same, byte for byte.
    pub(super) same_history: bool,
}

impl Report<'_> {
    /// Shows it, or one part of it.
    pub(super) fn show(&self, only: Option<Part>, sink: &mut dyn Sink) -> Outcome {
        let wanted = |part| only.is_none_or(|only| only == part);
        let name = |name: &'static str| if only.is_some() { "" } else { name };
        if wanted(Part::Summary) {
            let sheet = Sheet::new(name("summary"), SUMMARY);
            sink.begin(&sheet)?;
            sink.row(sheet.values(self.summary()))?;
        }
        if wanted(Part::Totals) {
            self.money(&Sheet::new(name("totals"), TOTALS), false, sink)?;
        }
        if wanted(Part::Money) {
            self.money(&Sheet::new(name("money"), MONEY), true, sink)?;
        }
        if wanted(Part::Decisions) {
            self.decisions(&Sheet::new(name("decisions"), DECISIONS).people(PEOPLE), sink)?;
        }
        let tried = self.decided.tried;
        sink.note(&match self.noted_since {
            Some(since) => format!(
                "{tried} refused commands were tried again; the decision journal reaches back to \
                 {since}"
            ),
            None => "no refused command was tried again: the decision journal has none".into(),
        })
    }

    fn summary(&self) -> Value {
        let count = |kind| self.differences.iter().filter(|found| found.kind == kind).count();
        json!({
            "programme": self.change.programme(),
            "from": self.change.from().map(|from| from.to_string()),
            "commits": self.commits,
            "commands": self.decided.commands,
            "refused": count(Kind::Refused),
            "accepted": count(Kind::Accepted),
            "capped": count(Kind::Capped),
            "otherwise": count(Kind::Otherwise),
            "tried": self.decided.tried,
            "tried_since": self.noted_since,
            "same_history": self.same_history,
        })
    }

    fn money(&self, sheet: &Sheet<'_>, per_partner: bool, sink: &mut dyn Sink) -> Outcome {
        sink.begin(sheet)?;
        for (figure, amounts) in &self.money {
            if figure.partner.is_some() != per_partner {
                continue;
            }
            let [then, now, difference] = amounts.of(figure.currency).map(Money::amount);
            sink.row(sheet.values(json!({
                "partner": figure.partner,
                "programme": figure.programme,
                "fund": figure.fund,
                "currency": figure.currency,
                "figure": figure.name(),
                "then": then,
                "now": now,
                "difference": difference,
            })))?;
        }
        Ok(())
    }

    /// The decisions, each followed by what hangs under it.
    fn decisions(&self, sheet: &Sheet<'_>, sink: &mut dyn Sink) -> Outcome {
        sink.begin(sheet)?;
        let mut hanging: BTreeMap<Option<usize>, Vec<usize>> = BTreeMap::new();
        for (place, found) in self.differences.iter().enumerate() {
            hanging.entry(found.under).or_default().push(place);
        }
        let dependants = self.dependants();
        let mut next: Vec<usize> =
            hanging.get(&None).into_iter().flatten().rev().copied().collect();
        while let Some(place) = next.pop() {
            next.extend(hanging.get(&Some(place)).into_iter().flatten().rev());
            if let (Some(found), Some(count)) = (self.differences.get(place), dependants.get(place))
            {
                sink.row(sheet.values(row(place, found, *count)))?;
            }
        }
        Ok(())
    }

    /// How many decisions follow from each, directly or not.
    fn dependants(&self) -> Vec<u64> {
        let mut dependants = vec![0; self.differences.len()];
        // What follows from something stands behind it.
        for (place, found) in self.differences.iter().enumerate().rev() {
            let own = dependants.get(place).copied().unwrap_or(0);
            if let Some(cause) = found.under.and_then(|under| dependants.get_mut(under)) {
                *cause += own + 1;
            }
        }
        dependants
    }
}

fn row(place: usize, found: &Difference, dependants: u64) -> Value {
    json!({
        "number": place + 1,
        "under": found.under.map(|under| under + 1),
        "dependants": dependants,
        "position": found.position,
        "difference": found.kind.word(),
        "command": found.command,
        "id": found.id,
        "source": found.source,
        "recorded_at": found.recorded_at,
        "code": found.code,
        "message": found.message,
        "events_then": found.then.join(" "),
        "events_now": found.now.join(" "),
    })
}
