//! Holds every answer of a year against the naive model of the whole-system tests, which was written
//! from the domain's description alone and knows neither streams nor events.

use crate::{
    model::{
        history::agrees,
        naive::{Model, Verdict, conflict_name},
        sent::{Sender, Sent},
    },
    year,
};
use anyhow::{Context, Result, bail};
use chl_aggregates::Class;
use chl_bus::{Answer, Defaults, Document, decode};
use chl_commands::{Command, conflict::Conflict};
use chl_events::{ConflictId, Event, deal::DealEvent};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
};

/// How many surprises are shown.
const SHOWN: usize = 5;

/// What came of the check.
#[derive(Debug, Default)]
pub struct Checked {
    /// Answers the model expected.
    agreed: usize,
    /// Answers where the description leaves it open.
    open: usize,
    /// Documents refused before any rule is asked, and lines sent once more.
    door: usize,
    again: usize,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { agreed, open, door, again } = self;
        write!(
            f,
            "every answer was checked: {agreed} as the naive model has them, {open} where the domain \
             leaves it open, {door} malformed, {again} given again"
        )
    }
}

/// A year as the model follows it.
#[derive(Default)]
struct Following {
    model: Model,
    /// The model's names of conflicts by the ledger's.
    names: BTreeMap<ConflictId, ConflictId>,
    /// The first answer of every key.
    first: HashMap<(String, String), usize>,
    /// What the ledger was followed in where the domain is silent: deals, requests, claims, and the
    /// funds these draw on. What the model says of them afterwards is a guess.
    guessed: BTreeSet<String>,
    checked: Checked,
    surprises: Vec<String>,
}

/// Checks every answer; fails where the ledger did something else than the model.
pub fn check(lines: &[String], answers: &[Answer]) -> Result<Checked> {
    if lines.len() != answers.len() {
        bail!("{} lines and {} answers", lines.len(), answers.len());
    }
    let mut following = Following::default();
    for (at, (line, answer)) in lines.iter().zip(answers).enumerate() {
        following.take(at, line, answer, answers)?;
    }
    let Following { checked, surprises, .. } = following;
    if surprises.is_empty() {
        return Ok(checked);
    }
    let shown: Vec<&str> = surprises.iter().take(SHOWN).map(String::as_str).collect();
    bail!(
        "{checked}; and {} were not as the model has them:\n{}",
        surprises.len(),
        shown.join("\n")
    )
}

impl Following {
    fn take(&mut self, at: usize, line: &str, answer: &Answer, all: &[Answer]) -> Result<()> {
        let Ok(document) = decode(line.as_bytes(), Defaults::default()) else {
            let malformed = |refused: &chl_bus::Refused| refused.class() == Class::Malformed;
            match answer {
                Answer::Rejected { refused, .. } if malformed(refused) => self.checked.door += 1,
                other => self.surprises.push(format!("malformed, but {other:?} to {line}")),
            }
            return Ok(());
        };
        let key = (document.envelope.source.clone(), document.envelope.id.clone());
        if let Some(first) = self.first.get(&key) {
            self.again(&all[*first], answer, line);
            return Ok(());
        }
        if answer.is_accepted() {
            self.first.insert(key, at);
        }
        let sent = self.sent(document)?;
        // What the ledger refused leaves the model as it was, whatever the model thinks of it.
        let verdict = match answer.is_accepted() {
            true => self.model.step(&sent),
            false => self.model.clone().step(&sent),
        };
        let subjects = subjects(&sent.command)?;
        // A sale adds to a fund, whatever the fund holds.
        let adds = matches!(sent.command, Command::Coop(_));
        let guess = !adds && subjects.iter().any(|subject| self.guessed.contains(subject));
        let open = verdict == Verdict::Unsure || guess;
        if !open && !agrees(&verdict, answer) {
            self.surprises.push(format!("{verdict:?} was expected of {line}, not {answer:?}"));
        }
        if open && answer.is_accepted() {
            self.guessed.extend(subjects);
        }
        match (&verdict, answer.is_accepted()) {
            (Verdict::Refused(_) | Verdict::Unsure, true) => self.model.follow(&sent),
            (_, false) => self.model.settle(sent.at),
            (Verdict::Accepted, true) => {}
        }
        if open {
            self.checked.open += 1;
        } else {
            self.checked.agreed += 1;
        }
        self.learn(answer);
        Ok(())
    }

    /// A key that was accepted before: the first answer again, or a refusal of other content.
    fn again(&mut self, first: &Answer, answer: &Answer, line: &str) {
        let same = match (first, answer) {
            (Answer::Accepted(first), Answer::Accepted(again)) => {
                again.duplicate && first.commit.position == again.commit.position
            }
            (Answer::Accepted(_), Answer::Rejected { refused, .. }) => {
                refused.code() == "command.id_reused"
            }
            _ => false,
        };
        if same {
            self.checked.again += 1;
        } else {
            self.surprises.push(format!("sent again, but {answer:?} to {line}"));
        }
    }

    /// The document as the model takes it.
    fn sent(&self, document: Document) -> Result<Sent> {
        let Document { envelope, mut command, recorded_at, trace: _ } = document;
        if let Command::Conflict(command) = &mut command {
            let conflict = match command {
                Conflict::OpenConflict(c) => &mut c.conflict,
                Conflict::EscalateConflict(c) => &mut c.conflict,
                Conflict::ResolveConflict(c) => &mut c.conflict,
            };
            if let Some(name) = self.names.get(conflict) {
                *conflict = name.clone();
            }
        }
        let connection = year::connection()?;
        let sender = Sender {
            actor: envelope.actor.unwrap_or(connection.actor),
            role: envelope.role.unwrap_or(connection.role),
            partner: envelope.partner,
            level: envelope.level,
        };
        let at = recorded_at.context("a line of the year names its recorded time")?;
        let mut sent = Sent::new(envelope.id, at, sender, command);
        sent.backfill = envelope.backfill;
        sent.expected_version = envelope.expected_version;
        Ok(sent)
    }

    /// Learns from an answer what the ledger calls a conflict.
    fn learn(&mut self, answer: &Answer) {
        let Answer::Accepted(accepted) = answer else { return };
        for recorded in &accepted.commit.events {
            if let Event::Deal(DealEvent::DealRegistered(registered)) = &recorded.event
                && let Some(conflict) = &registered.contested
            {
                self.names.insert(conflict.clone(), conflict_name(&registered.deal));
            }
        }
    }
}

/// The deal, request and claim a command names, and the fund it draws on or adds to.
fn subjects(command: &Command) -> Result<Vec<String>> {
    let data = serde_json::to_value(command)?;
    let text = |field: &str| data.get(field).and_then(|value| value.as_str());
    let named = ["claim", "deal", "request"]
        .into_iter()
        .filter_map(|field| Some(format!("{field} {}", text(field)?)));
    let mut subjects: Vec<String> = named.collect();
    if matches!(command, Command::Coop(_) | Command::Claim(_))
        && let (Some(programme), Some(partner)) = (text("programme"), text("partner"))
    {
        let fund = if matches!(command, Command::Coop(_)) {
            "coop"
        } else {
            text("fund").unwrap_or("coop")
        };
        let fund = if text("request").is_some() { "mdf" } else { fund };
        subjects.push(format!("{fund} {programme} {partner}"));
    }
    Ok(subjects)
}
