//! A random walk over the market: whatever is asked, states agree with each other, and deals take
//! every step of the domain and no other.

use crate::Row;
use crate::conflict::Conflict;
use crate::deal::standing::standing;
use crate::deal::{Deal, DealState, Slot};
use crate::given::{Given, Outcome};
use crate::story::{
    approve, auto, conflict_of, customer, deal, deal_terms, expire, extend, id, lost, market,
    publish, reject, resolve, withdraw, won,
};
use chl_commands::Command;
use chl_commands::conflict::EscalateConflict;
use chl_commands::deal::RegisterDeal;
use chl_commands::partner::{ReinstatePartner, SuspendPartner};
use chl_events::conflict::Resolution;
use chl_events::deal::Share;
use chl_events::terms::{ConflictRule, DealTerms, SlotRule};
use std::collections::{BTreeMap, BTreeSet};

const SEEDS: u64 = 12;
const COMMANDS: usize = 400;
const DAY_MICROS: i64 = 86_400_000_000;

/// A generator whose numbers stay the same (Steele, Lea, Flood: SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("less than the sides")
    }

    fn one_of<T: Clone>(&mut self, items: &[T]) -> T {
        items.get(self.roll(items.len())).cloned().expect("less than the sides")
    }
}

fn programmes() -> Given {
    let manual = DealTerms { slot: SlotRule::Territory, ..DealTerms::default() };
    let joint = DealTerms { conflict_rule: ConflictRule::Joint, ..auto() };
    let story = market(auto(), &[])
        .and(publish("manual", deal_terms(manual)))
        .and(publish("joint", deal_terms(joint)))
        .and(customer("other"));
    ["p1", "p2", "p3"].into_iter().fold(story, |story, partner| {
        let story = story.active(partner, "prog");
        let story = story.and(crate::story::enrol(partner, "manual"));
        story.and(crate::story::enrol(partner, "joint"))
    })
}

fn registration(dice: &mut Dice, next: &mut usize) -> Command {
    *next += 1;
    let partner = dice.one_of(&["p1", "p2", "p3"]);
    let territory = dice.one_of(&[None, Some(id("west")), Some(id("east"))]);
    let programme = dice.one_of(&["prog", "manual", "manual", "joint"]);
    let name = format!("d{next}");
    RegisterDeal { programme: id(programme), territory, ..deal(&name, partner) }.into()
}

fn decision(dice: &mut Dice, name: &str, story: &Given) -> Command {
    let resolutions = Resolution::ALL;
    let mut command = resolve(name, dice.one_of(resolutions));
    if command.resolution == Resolution::Split {
        command.shares = parties(name, story);
    }
    command.into()
}

fn parties(challenger: &str, story: &Given) -> Vec<Share> {
    let facts = story.facts();
    let row = facts.get::<Conflict>(conflict_of(challenger)).expect("rows are there");
    let deals = row.iter().flat_map(|row| [&row.incumbent, &row.challenger]);
    let partners = deals.filter_map(|id| facts.get::<Deal>(id).ok()??.partner.clone());
    partners.map(|partner| Share { partner, percent: id("50") }).collect()
}

/// A deal that is not yet decided by the market, or any at all.
fn some_deal(dice: &mut Dice, next: usize, story: &Given) -> String {
    let open = standings(story).into_iter().filter(|(_, state)| match state {
        DealState::Won | DealState::Lost | DealState::Withdrawn | DealState::Rejected => false,
        DealState::Submitted
        | DealState::Approved
        | DealState::Contested
        | DealState::Expired
        | DealState::Displaced => true,
    });
    let open: Vec<String> = open.map(|(name, _)| name).collect();
    let any = format!("d{}", dice.roll(next + 1));
    if open.is_empty() || dice.roll(10) == 0 { any } else { dice.one_of(&open) }
}

fn command(dice: &mut Dice, next: &mut usize, story: &Given) -> Command {
    let name = some_deal(dice, *next, story);
    let partner = id(dice.one_of(&["p1", "p2", "p3"]));
    match dice.roll(26) {
        0..=6 => registration(dice, next),
        7..=9 => approve(&name).into(),
        10 => reject(&name).into(),
        11 => withdraw(&name).into(),
        12 | 13 => extend(&name).into(),
        14 | 15 => expire(&name).into(),
        16 | 24 => won(&name).into(),
        17 | 25 => lost(&name).into(),
        18..=20 => decision(dice, &name, story),
        21 if dice.roll(4) == 0 => SuspendPartner { partner, note: None }.into(),
        22 => {
            let (conflict, customer) = (conflict_of(&name), id("acme"));
            EscalateConflict { conflict, customer, level: 2, note: None }.into()
        }
        _ => ReinstatePartner { partner, note: None }.into(),
    }
}

/// What must hold of the rows whatever happened.
fn check(story: &Given) {
    let facts = story.facts();
    let mut guarding = BTreeSet::new();
    for (key, row) in story.rows() {
        let Row::Slot(slot) = row else { continue };
        let Slot { guards, .. } = slot.as_ref();
        for guard in guards {
            let deal = facts.get::<Deal>(&guard.deal).expect("rows are there");
            let deal = deal.expect("a guard is a deal");
            assert_eq!(key.id, format!("{}/{}", deal.customer, deal.product_line));
            assert_eq!(guard.until, deal.protected_until);
            assert_eq!(guard.partner, deal.partner);
            assert!(guarding.insert(guard.deal.to_string()), "{} guards twice", guard.deal);
        }
    }
    for (key, row) in story.rows() {
        let Row::Deal(deal) = row else { continue };
        assert_eq!(deal.guards, guarding.contains(key.id.as_str()), "{} {deal:?}", key.id);
        let pending = deal.state == DealState::Submitted && deal.conflict.is_none();
        assert_eq!(deal.guards, pending || deal.state == DealState::Approved, "{deal:?}");
    }
}

fn standings(story: &Given) -> BTreeMap<String, DealState> {
    let deals = story.rows().filter_map(|(key, row)| {
        let Row::Deal(deal) = row else { return None };
        Some((key.id.to_string(), deal))
    });
    let stands = |deal| standing(story.facts(), deal).expect("rows are there");
    deals.map(|(id, deal)| (id, stands(deal))).collect()
}

/// The steps of the domain's states, by their words. One command may take two of them: what is
/// due comes first.
const STEPS: &[(&str, &[&str])] = &[
    ("", &["submitted", "approved", "contested"]),
    ("submitted", &["approved", "rejected", "withdrawn", "won", "lost", "displaced"]),
    ("approved", &["expired", "withdrawn", "won", "lost", "displaced"]),
    ("contested", &["submitted", "approved", "rejected", "withdrawn", "won", "lost"]),
    ("expired", &["won", "lost"]),
    ("displaced", &["won", "lost"]),
];

#[test]
fn deals_take_every_step_of_the_domain_and_no_other() {
    let mut taken = BTreeSet::new();
    for seed in 0..SEEDS {
        let mut dice = Dice(seed);
        let (mut story, mut next) = (programmes(), 0);
        let mut accepted = 0;
        for turn in 0..COMMANDS {
            let command = command(&mut dice, &mut next, &story);
            let days = dice.one_of(&[0, 0, 0, 1, 5, 20]);
            story = story.later(days * DAY_MICROS);
            let before = standings(&story);
            let outcome = story.when(command.clone());
            accepted += usize::from(matches!(outcome, Outcome::Accepted(_)));
            check(&story);
            for (deal, state) in standings(&story) {
                let from = before.get(&deal).map_or("", |state| state.as_str());
                if from != state.as_str() {
                    let known = STEPS
                        .iter()
                        .any(|(begin, ends)| *begin == from && ends.contains(&state.as_str()));
                    assert!(
                        known,
                        "seed {seed} turn {turn}: {deal} {from} to {state:?}: {command:?}"
                    );
                    taken.insert((from, state.as_str()));
                }
            }
        }
        assert!(accepted * 4 > COMMANDS, "seed {seed}: only {accepted} of {COMMANDS} accepted");
    }
    let expected = STEPS.iter().flat_map(|(from, ends)| ends.iter().map(|to| (*from, *to)));
    assert_eq!(taken, expected.collect());
}
