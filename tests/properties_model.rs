//! The ledger against a naive model: sequences of commands of which the model is sure, shrunk when
//! one surprises it.
//!
//! The model knows the rules of the domain and nothing of aggregates, events or postings
//! (`tests/model/naive`). It predicts what is accepted, in which class the rest is refused, and
//! the figures: available, held, payable and paid per fund and lot, where deals and conflicts
//! stand, and who holds a slot. `CHL_MODEL_CASES` says how many sequences, `CHL_MODEL_SEED` from
//! which seed: the same seed gives the same sequences.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "JSON objects are read by their keys")]

#[expect(dead_code, reason = "other tests use the rest")]
mod model;

use chl_events::{Fund, Instant};
use chl_runtime::View;
use model::{
    generate::Maker,
    history::{agrees, minor},
    naive::{Claim, Model, Verdict},
    path::Ledger,
    sent::Sent,
    world,
};
use proptest::{prelude::*, test_runner::RngSeed};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The model, and where the story stands.
#[derive(Debug, Clone)]
struct Story {
    model: Model,
    now: Instant,
    told: usize,
    verdict: Verdict,
}

struct NaiveModel;

impl ReferenceStateMachine for NaiveModel {
    type State = Story;
    type Transition = Sent;

    fn init_state() -> BoxedStrategy<Story> {
        let mut story = Story {
            model: Model::default(),
            now: world::BEGINS.parse().unwrap(),
            told: 0,
            verdict: Verdict::Accepted,
        };
        for sent in world::opened("open") {
            story = Self::apply(story, &sent);
            assert_eq!(story.verdict, Verdict::Accepted, "{}", sent.line());
        }
        Just(story).boxed()
    }

    fn transitions(story: &Story) -> BoxedStrategy<Sent> {
        let story = story.clone();
        let next = move |seed: u64| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let now = Maker::tick(&mut rng, story.now);
            loop {
                let (model, next) = (&story.model, story.told);
                let sent = Maker { model, rng: &mut rng, now, next }.make();
                if is_sure(model, &sent) {
                    return sent;
                }
            }
        };
        any::<u64>().prop_map(next).no_shrink().boxed()
    }

    fn apply(mut story: Story, sent: &Sent) -> Story {
        story.now = story.now.max(sent.at);
        story.told += 1;
        story.verdict = story.model.step(sent);
        story
    }

    fn preconditions(story: &Story, sent: &Sent) -> bool {
        sent.at >= story.now && is_sure(&story.model, sent)
    }
}

fn is_sure(model: &Model, sent: &Sent) -> bool {
    model.clone().step(sent) != Verdict::Unsure
}

struct WholePath;

impl StateMachineTest for WholePath {
    type SystemUnderTest = Ledger;
    type Reference = NaiveModel;

    fn init_test(_: &Story) -> Ledger {
        let ledger = Ledger::open(64);
        let lines: Vec<String> = world::opened("open").iter().map(Sent::line).collect();
        for (line, answer) in lines.iter().zip(ledger.answers(&lines)) {
            assert!(answer.is_accepted(), "{answer:?} to {line}");
        }
        ledger
    }

    fn apply(mut ledger: Ledger, story: &Story, sent: Sent) -> Ledger {
        let line = ledger.line(&sent);
        let answer = ledger.answer(&line);
        ledger.learn(&answer);
        let told = serde_json::to_string(&answer).unwrap();
        let verdict = &story.verdict;
        assert!(agrees(verdict, &answer), "{verdict:?} was expected of {line}, not {told}");
        ledger
    }

    fn teardown(ledger: Ledger, story: Story) {
        let mut story = story;
        story.model.settle(story.now);
        sweep(&ledger, &story);
        deals(&ledger, &story.model);
        conflicts(&ledger, &story.model);
        figures(&ledger, &story.model);
        funds(&ledger, &story.model);
    }
}

/// Has the ledger record what is due: it waits for somebody to touch it, the model does not.
fn sweep(ledger: &Ledger, story: &Story) {
    let model = &story.model;
    let mut commands = Vec::new();
    for (deal, held) in &model.deals {
        commands.push(("ExpireDeal", json!({"deal": deal, "customer": held.customer})));
    }
    for (request, held) in &model.requests {
        let (partner, programme) = (&held.partner, &held.programme);
        let data = json!({"request": request, "partner": partner, "programme": programme});
        commands.push(("LapseMdfRequest", data));
    }
    for (programme, partner, lot) in model.lots.keys() {
        let data = json!({"programme": programme, "partner": partner, "lot": lot});
        commands.push(("CloseCoopPeriod", data.clone()));
        commands.push(("ExpireCoopLot", data));
    }
    for (index, (name, data)) in commands.into_iter().enumerate() {
        let command = world::command(name, data);
        let sent = Sent::new(format!("sweep-{index}"), story.now, world::operator(), command);
        // What is not due, or was recorded before, is refused.
        ledger.answer(&sent.line());
    }
}

/// Deals stand where the model has them, and the same one holds a slot.
fn deals(ledger: &Ledger, model: &Model) {
    let rows = ledger.rows(View::Deals, &[]);
    assert_eq!(rows.len(), model.deals.len());
    let guards = |state: &str| matches!(state, "approved");
    for row in rows {
        let deal = &model.deals[&row["deal"].as_str().unwrap().parse().unwrap()];
        assert_eq!(row["state"], deal.state.word(), "{row}");
        assert_eq!(row["customer"], deal.customer.as_str(), "{row}");
        if guards(deal.state.word()) {
            let until = deal.protected_until.unwrap().to_string();
            assert_eq!(row["protected_until"], until, "who holds the slot: {row}");
        }
    }
}

fn conflicts(ledger: &Ledger, model: &Model) {
    let rows = ledger.rows(View::Conflicts, &[]);
    let (pairs, rows): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row["kind"] == "possible_duplicate");
    duplicates(&pairs, model);
    assert_eq!(rows.len(), model.conflicts.len());
    let states: BTreeMap<_, _> =
        rows.iter().map(|row| (row["conflict"].to_string(), row)).collect();
    for (name, conflict) in &model.conflicts {
        let name = json!(ledger.name(name).unwrap()).to_string();
        let row = states[&name];
        assert_eq!(row["state"], conflict.state, "{row}");
        assert_eq!(row["customer"], conflict.customer.as_str(), "{row}");
        assert_eq!(row["incumbent"], conflict.incumbent.as_str(), "{row}");
        assert_eq!(row["challenger"], conflict.challenger.as_str(), "{row}");
    }
}

/// Customers that look alike, and who was merged into whom.
fn duplicates(rows: &[Value], model: &Model) {
    assert_eq!(rows.len(), model.pairs.len());
    for row in rows {
        let side = |column: &str| row[column].as_str().unwrap().parse().unwrap();
        let (one, other) = (side("customer"), side("other_customer"));
        let pair = if one <= other { (one, other) } else { (other, one) };
        assert_eq!(row["state"], model.pairs[&pair], "{row}");
    }
}

/// What became of published figures that somebody disputed.
fn figures(ledger: &Ledger, model: &Model) {
    let rows = ledger.rows(View::Figures, &[]);
    let mut expected = model.figures.clone();
    for row in rows {
        let period =
            format!("{}/{}", row["first_day"].as_str().unwrap(), row["last_day"].as_str().unwrap());
        let of = |column: &str| row[column].as_str().unwrap();
        let key = (
            of("partner").parse().unwrap(),
            of("programme").parse().unwrap(),
            period.parse().unwrap(),
            of("figure").parse().unwrap(),
        );
        // The total and the points of categories stand beside the metrics.
        let Some(state) = expected.remove(&key) else { continue };
        assert_eq!(row["dispute"].as_str().unwrap_or("published"), state, "{row}");
    }
    assert!(expected.is_empty(), "figures the ledger does not show: {expected:?}");
}

/// Available, held, payable, paid: of every fund, and available of every lot.
fn funds(ledger: &Ledger, model: &Model) {
    let mut expected: BTreeMap<String, [i128; 4]> = BTreeMap::new();
    let key = |fund: Fund, programme: &dyn ToString, partner: &dyn ToString, lot: &str| {
        format!("{fund}/{}/{}/{lot}", programme.to_string(), partner.to_string())
    };
    for ((programme, partner, lot), held) in &model.lots {
        for lot in [lot.as_str(), "total"] {
            let sums = expected.entry(key(Fund::Coop, programme, partner, lot)).or_default();
            sums[0] += held.available;
        }
    }
    for ((programme, partner), fund) in &model.mdf {
        let sums = expected.entry(key(Fund::Mdf, programme, partner, "total")).or_default();
        sums[0] += fund.available;
    }
    for claim in model.claims.values() {
        let Claim { fund, programme, partner, .. } = claim;
        let sums = expected.entry(key(*fund, programme, partner, "total")).or_default();
        sums[1] += claim.sum(|part| part.held);
        sums[2] += claim.sum(|part| part.payable);
        sums[3] += claim.sum(|part| part.paid);
    }
    for row in ledger.rows(View::Balances, &[]) {
        let text = |column: &str| row[column].as_str().unwrap().to_owned();
        if text("fund") == "rebate" || (text("fund") == "mdf" && text("lot") != "total") {
            continue;
        }
        let fund = text("fund").parse().unwrap();
        let key = key(fund, &text("programme"), &text("partner"), &text("lot"));
        let sums = expected.remove(&key).unwrap_or_default();
        let columns = ["available", "held", "payable", "paid"].map(|column| minor(&row[column]));
        if text("lot") == "total" {
            assert_eq!(columns, sums, "{row}");
        } else {
            assert_eq!(columns[0], sums[0], "{row}");
        }
    }
    expected.retain(|_, sums| sums.iter().any(|sum| *sum != 0));
    assert!(expected.is_empty(), "funds the ledger does not show: {expected:?}");
}

/// A number that the environment gives, or the usual one.
fn asked(name: &str, usual: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(usual, |text| text.parse().expect("a number"))
}

prop_state_machine! {
    #![proptest_config(ProptestConfig {
        cases: u32::try_from(asked("CHL_MODEL_CASES", 100)).unwrap(),
        rng_seed: RngSeed::Fixed(asked("CHL_MODEL_SEED", 1)),
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_ledger_does_what_the_naive_model_says(sequential 20..160 => WholePath);
}
