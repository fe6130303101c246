//! Generates histories: commands that follow from what the model knows, with slips on purpose.
//!
//! A choice is a kind of command; its target is one for which the command makes sense, and now and
//! then any other. Amounts, dates, roles and currencies slip in the same way, so that every
//! obstacle of the domain is met while most commands are accepted.

mod customers;
mod deals;
mod funds;
mod partners;
mod scorecards;

use super::naive::{Model, PartnerState, exact};
use super::sent::{Sender, Sent};
use super::world;
use chl_commands::Command;
use chl_events::{Date, Instant, PartnerId, Role};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Who sends what.
pub(crate) type Choice = (Sender, Command);

/// Makes the next command.
pub(crate) struct Maker<'a> {
    pub(crate) model: &'a Model,
    pub(crate) rng: &'a mut ChaCha8Rng,
    pub(crate) now: Instant,
    /// A number no command has had.
    pub(crate) next: usize,
}

type Kind = fn(&mut Maker<'_>) -> Option<Choice>;

/// The kinds of commands and how often each is tried.
const KINDS: &[(u32, Kind)] = &[
    (14, |maker| maker.register_deal()),
    (6, |maker| maker.decide_deal()),
    (4, |maker| maker.amend_deal()),
    (3, |maker| maker.extend_deal()),
    (3, |maker| maker.withdraw_deal()),
    (10, |maker| maker.close_deal()),
    (6, |maker| maker.escalate()),
    (16, |maker| maker.resolve()),
    (10, |maker| maker.accrue()),
    (4, |maker| maker.take_back()),
    (10, |maker| maker.claim_coop()),
    (5, |maker| maker.allocate()),
    (2, |maker| maker.give_back()),
    (5, |maker| maker.request()),
    (6, |maker| maker.decide_request()),
    (3, |maker| maker.cancel_request()),
    (8, |maker| maker.claim_mdf()),
    (14, |maker| maker.decide_claim()),
    (3, |maker| maker.add_proof()),
    (3, |maker| maker.withdraw_claim()),
    (4, |maker| maker.dispute()),
    (14, |maker| maker.pay()),
    (4, |maker| maker.fail_payment()),
    (5, |maker| maker.claw_back()),
    (5, |maker| maker.recover()),
    (3, |maker| maker.sweep()),
    (2, |maker| maker.budget()),
    (3, |maker| maker.life()),
    (2, |maker| maker.partner_facts()),
    (2, |maker| maker.enrol()),
    (1, |maker| maker.publish()),
    (1, |maker| maker.customer()),
    (2, |maker| maker.publish_scorecard()),
    (3, |maker| maker.dispute_scorecard()),
    (3, |maker| maker.settle_scorecard()),
    (3, |maker| maker.report_duplicate()),
    (1, |maker| maker.keep_apart()),
    (3, |maker| maker.merge()),
];

impl Maker<'_> {
    /// The next command: mostly one that makes sense, in the sender's own name.
    pub(crate) fn make(&mut self) -> Sent {
        let choice = self.choose();
        let id = format!("h-{}", self.next);
        let (mut sender, command) = choice;
        if self.slip(2) {
            sender = self.stranger();
        }
        let mut sent = Sent::new(id, self.now, sender, command);
        if self.slip(1) {
            sent.expected_version = Some(self.rng.random_range(0..40));
        }
        if sent.sender.role == Role::Operator && self.slip(30) {
            let hours = self.rng.random_range(1..200_i64);
            sent.time = Some(Instant::from_micros(self.now.micros() - hours * 3_600_000_000));
            sent.backfill = self.slip(50);
        }
        sent
    }

    fn choose(&mut self) -> Choice {
        let total: u32 = KINDS.iter().map(|(weight, _)| weight).sum();
        loop {
            let mut drawn = self.rng.random_range(0..total);
            for (weight, kind) in KINDS {
                if drawn < *weight {
                    if let Some(choice) = kind(self) {
                        return choice;
                    }
                    break;
                }
                drawn -= weight;
            }
        }
    }

    /// Moves the time on: minutes mostly, days now and then, weeks rarely.
    pub(crate) fn tick(rng: &mut ChaCha8Rng, now: Instant) -> Instant {
        let minutes = match rng.random_range(0..100) {
            0..55 => rng.random_range(1..600),
            55..92 => rng.random_range(600..4_000),
            92..98 => rng.random_range(4_000..20_000),
            _ => rng.random_range(20_000..60_000),
        };
        Instant::from_micros(now.micros() + minutes * 60_000_000)
    }

    /// Whether something goes wrong on purpose, in so many of a hundred cases.
    fn slip(&mut self, percent: u32) -> bool {
        self.rng.random_range(0..100) < percent
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        let last = all.len().checked_sub(1)?;
        all.get(self.rng.random_range(0..=last)).cloned()
    }

    /// One of those that make sense; now and then any.
    fn target<T: Clone>(&mut self, sensible: Vec<T>, any: Vec<T>) -> Option<T> {
        let chance = if sensible.is_empty() { 12 } else { 4 };
        if self.slip(chance) { self.one_of(&any) } else { self.one_of(&sensible) }
    }

    fn word<'w>(&mut self, words: &[&'w str]) -> &'w str {
        self.one_of(words).unwrap_or_default()
    }

    fn today(&self, programme: &str) -> Date {
        exact::day(&self.model.zone(&programme.parse().unwrap()), self.now)
    }

    fn day(&mut self, programme: &str, from: i32, to: i32) -> Date {
        let days = self.rng.random_range(from..=to);
        self.today(programme).plus_days(days).unwrap()
    }

    /// Gold or euro, seldom the one that offers nothing, rarely one that does not exist.
    fn programme(&mut self) -> &'static str {
        match self.rng.random_range(0..200) {
            0..110 => "gold",
            110..193 => "euro",
            193..198 => "bare",
            _ => "nowhere",
        }
    }

    /// An active partner mostly.
    fn partner(&mut self) -> PartnerId {
        let active: Vec<PartnerId> = self.partners(|state| state == PartnerState::Active);
        let all = self.model.partners.keys().cloned().collect();
        if self.slip(1) {
            return world::partner(99);
        }
        self.target(active, all).unwrap_or_else(|| world::partner(99))
    }

    fn partners(&self, of: fn(PartnerState) -> bool) -> Vec<PartnerId> {
        let mine = self.model.partners.iter().filter(|(_, one)| of(one.state));
        mine.map(|(id, _)| id.clone()).collect()
    }

    fn currency(&mut self, programme: &str) -> &'static str {
        if self.slip(2) {
            return self.word(&["USD", "EUR", "CHF"]);
        }
        match programme {
            "gold" => "USD",
            "euro" => "EUR",
            _ => "JPY",
        }
    }

    /// An amount between two numbers of whole units, with cents where there are any.
    fn money(&mut self, programme: &str, from: u32, to: u32) -> Value {
        let currency = self.currency(programme);
        let whole = self.rng.random_range(from..=to);
        let cents = if self.slip(50) { 0 } else { self.rng.random_range(0..100) };
        let amount = match currency {
            "JPY" => whole.to_string(),
            _ => format!("{whole}.{cents:02}"),
        };
        let amount = if self.slip(1) { "0".into() } else { amount };
        json!({"amount": amount, "currency": currency})
    }

    /// All of an amount, or part of it, or now and then more.
    fn part(&mut self, programme: &str, minor: i128) -> Option<Value> {
        if minor <= 1 || self.slip(50) {
            return None;
        }
        let more = self.slip(8);
        let minor = i64::try_from(minor).ok()?;
        let part = if more { minor + 1 } else { self.rng.random_range(1..=minor) };
        let currency = chl_events::Currency::new(self.currency(programme)).ok()?;
        let money = chl_events::Money::from_minor(part.into(), currency);
        Some(json!(money))
    }

    /// The partner's own user, or the portal for it.
    fn own(&mut self, partner: &PartnerId) -> Sender {
        if self.slip(3) {
            return Sender::partner(&self.partner());
        }
        if self.slip(30) { world::portal() } else { Sender::partner(partner) }
    }

    fn stranger(&mut self) -> Sender {
        let partner = self.partner();
        let strangers = [
            Sender::partner(&partner),
            world::portal(),
            world::junior(),
            world::payer(),
            world::operator(),
            world::operator(),
            Sender::of(Role::Auditor, "aud-1"),
        ];
        self.one_of(&strangers).unwrap_or_else(world::operator)
    }

    fn managing(&mut self) -> Sender {
        match self.rng.random_range(0..10) {
            0 => world::junior(),
            1 => world::operator(),
            _ => world::manager(),
        }
    }
}

fn said(sender: Sender, name: &str, data: Value) -> Option<Choice> {
    Some((sender, world::command(name, data)))
}
