//! PublishProgramme: given, when, then.

use crate::given::given;
use crate::programme::{known, terms_at, terms_in_force};
use crate::story::{auto, bad_field, currency, deal_terms, id, publish, usd};
use chl_commands::programme::PublishProgramme;
use chl_events::Role;
use chl_events::terms::{
    AccrualRate, ActivityCap, ApprovalMode, Band, BandMode, ConflictLevel, CoopTerms, DealTerms,
    Gate, MdfTerms, RequiredCredential, Terms, UsableFrom,
};

fn coop() -> CoopTerms {
    CoopTerms { accrual: vec![rate(&[("0", "0.02")], None)], ..CoopTerms::default() }
}

fn rate(bands: &[(&str, &str)], mode: Option<BandMode>) -> AccrualRate {
    let bands = bands.iter().map(|(from, rate)| Band { from: id(from), rate: id(rate) }).collect();
    AccrualRate { tier: None, product_line: None, bands, mode }
}

#[track_caller]
fn wrong(terms: Terms, field: &str) {
    bad_field(&given().when(publish("prog", terms)), field);
}

fn wrong_deal(change: impl FnOnce(&mut DealTerms), field: &str) {
    let mut terms = auto();
    change(&mut terms);
    wrong(deal_terms(terms), &format!("terms.deal_registration.{field}"));
}

fn wrong_coop(change: impl FnOnce(&mut CoopTerms), field: &str) {
    let mut coop = coop();
    change(&mut coop);
    let terms = Terms { coop: Some(coop), ..Terms::default() };
    wrong(terms, &format!("terms.coop.{field}"));
}

fn wrong_mdf(change: impl FnOnce(&mut MdfTerms), field: &str) {
    let mut mdf = MdfTerms::default();
    change(&mut mdf);
    let terms = Terms { mdf: Some(mdf), ..Terms::default() };
    wrong(terms, &format!("terms.mdf.{field}"));
}

fn version(version: u32, from: &str) -> PublishProgramme {
    let effective_from = id(from);
    PublishProgramme { version, effective_from, ..publish("prog", Terms::default()) }
}

#[test]
fn versions_follow_each_other_and_stay() {
    let mut story = given().and(version(1, "2026-01-01"));
    story.when(version(1, "2026-01-01")).refused("programme.version_taken");
    story.when(version(3, "2026-01-01")).refused("programme.version_gap");
    story.when(version(0, "2026-01-01")).refused("programme.version_gap");
    story.when(version(2, "2025-12-31")).refused("programme.before_newest");
    let euros = PublishProgramme { currency: currency("EUR"), ..version(2, "2026-06-01") };
    story.when(euros).refused("programme.currency_changed");
    let story = story.and(version(2, "2026-06-01")).and(version(3, "2026-06-01"));
    let prog = id("prog");
    let at = |day: &str| terms_at(story.facts(), &prog, id(day)).map(|found| found.version).ok();
    assert_eq!(at("2025-12-31"), None);
    assert_eq!(at("2026-05-31"), Some(1));
    assert_eq!(at("2026-06-01"), Some(3));
    assert!(known(story.facts(), &id("none")).is_err());
    given().when(version(2, "2026-01-01")).refused("programme.version_gap");
    given()
        .claiming("2026-03-02T00:00:00Z")
        .when(version(1, "2026-01-01"))
        .refused("time.in_future");
}

#[test]
fn a_version_is_in_force_from_midnight_of_its_zone() {
    let auckland =
        PublishProgramme { time_zone: Some("Pacific/Auckland".into()), ..version(1, "2026-01-01") };
    let story = given().and(auckland);
    let prog = id("prog");
    let at = |time: &str| terms_in_force(story.facts(), &prog, id(time)).is_ok();
    assert!(!at("2025-12-31T10:59:59Z"));
    assert!(at("2025-12-31T11:00:00Z"));
}

#[test]
fn every_default_is_written_out() {
    let terms = Terms { coop: Some(coop()), ..Terms::default() };
    let made = given().when(publish("prog", terms)).events();
    let text = format!("{made:?}");
    assert!(text.contains("expiry_days: Some(60)"), "{text}");
    assert!(text.contains("time_zone: \"UTC\""), "{text}");
}

#[test]
fn terms_of_the_programme() {
    let zone = PublishProgramme { time_zone: Some("Mars/Base".into()), ..version(1, "2026-01-01") };
    bad_field(&given().when(zone), "time_zone");
    wrong(Terms { tiers: vec![id("a"), id("a")], ..Terms::default() }, "terms.tiers");
    wrong(Terms { tail_days: u32::MAX, ..Terms::default() }, "terms.tail_days");
    let mut terms = Terms::default();
    terms.scorecard.gate = Some(Gate { threshold: id("101"), no_metric_at_zero: false });
    wrong(terms.clone(), "terms.scorecard.gate.threshold");
    terms.scorecard.gate = None;
    let twice = RequiredCredential { credential: id("pro"), people: 1 };
    terms.scorecard.required_credentials = vec![twice.clone(), twice];
    wrong(terms.clone(), "terms.scorecard.required_credentials");
    let first = terms.scorecard.weights.first().cloned();
    terms.scorecard.weights.extend(first);
    wrong(terms, "terms.scorecard.weights");
    let mut terms = Terms::default();
    terms.scorecard.metrics.iter_mut().for_each(|metric| metric.hi = metric.lo);
    wrong(terms.clone(), "terms.scorecard.metrics[0].hi");
    terms.scorecard.metrics.iter_mut().for_each(|metric| metric.weight = id("-1"));
    wrong(terms, "terms.scorecard.metrics[0].weight");
}

#[test]
fn terms_of_deal_registration() {
    wrong_deal(|terms| terms.minimum_value = Some(usd("0.00")), "minimum_value");
    wrong_deal(|terms| terms.perpetual_years = 0, "perpetual_years");
    wrong_deal(|terms| terms.protection_days = 0, "protection_days");
    wrong_deal(|terms| terms.protection_days = 40_000, "protection_days");
    wrong_deal(|terms| terms.extension_days = 0, "extension_days");
    wrong_deal(|terms| terms.approval = ApprovalMode::AutoBelow, "auto_below");
    wrong_deal(|terms| terms.auto_below = Some(usd("1.00")), "auto_below");
    wrong_deal(|terms| terms.discount_rate = Some(id("1.1")), "discount_rate");
    wrong_deal(|terms| terms.product_lines = vec![id("a"), id("a")], "product_lines");
    wrong_deal(|terms| terms.conflict_levels.clear(), "conflict_levels");
    let level = |level, role| ConflictLevel { level, role, days: 7 };
    let manager = Role::ChannelManager;
    let levels = vec![level(2, manager), level(2, manager)];
    wrong_deal(|terms| terms.conflict_levels = levels, "conflict_levels");
    let levels = vec![level(0, manager)];
    wrong_deal(|terms| terms.conflict_levels = levels, "conflict_levels[0].level");
    let levels = vec![level(1, Role::Auditor)];
    wrong_deal(|terms| terms.conflict_levels = levels, "conflict_levels[0].role");
}

#[test]
fn terms_of_coop() {
    wrong_coop(|terms| terms.accrual.clear(), "accrual");
    let late = rate(&[("1", "0.02")], None);
    wrong_coop(|terms| terms.accrual = vec![late], "accrual[0].bands");
    let falling = rate(&[("0", "0.03"), ("0", "0.04")], Some(BandMode::Marginal));
    wrong_coop(|terms| terms.accrual = vec![falling], "accrual[0].bands");
    let unsaid = rate(&[("0", "0.03"), ("7500", "0.04")], None);
    wrong_coop(|terms| terms.accrual = vec![unsaid], "accrual[0].mode");
    let none = rate(&[], None);
    wrong_coop(|terms| terms.accrual = vec![none], "accrual[0].bands");
    let tier = AccrualRate { tier: Some(id("gold")), ..rate(&[("0", "0.02")], None) };
    wrong_coop(|terms| terms.accrual = vec![tier], "accrual[0].tier");
    wrong_coop(|terms| terms.fiscal_start_month = 13, "fiscal_start_month");
    wrong_coop(|terms| terms.rebate_share = id("0.6"), "usable");
    wrong_coop(|terms| terms.conversion_threshold = Some(usd("1.00")), "usable");
    wrong_coop(|terms| terms.match_rate = id("0"), "match_rate");
    wrong_coop(|terms| terms.match_rate = id("1.5"), "match_rate");
    wrong_coop(|terms| terms.expiry_days = Some(59), "expiry_days");
    let cap = ActivityCap { activity: None, amount: None, share_of_lot: None };
    wrong_coop(|terms| terms.caps = vec![cap], "caps[0]");
    let split = CoopTerms { rebate_share: id("0.6"), usable: UsableFrom::AfterPeriod, ..coop() };
    let terms = Terms { coop: Some(split), ..Terms::default() };
    assert_eq!(given().when(publish("prog", terms)).names(), ["ProgrammePublished"]);
}

#[test]
fn terms_of_mdf() {
    wrong_mdf(|terms| terms.match_rate = id("0"), "match_rate");
    wrong_mdf(|terms| terms.claim_days = u32::MAX, "claim_days");
    let share = ActivityCap { activity: None, amount: None, share_of_lot: Some(id("0.5")) };
    wrong_mdf(|terms| terms.caps = vec![share], "caps[0].share_of_lot");
}

#[test]
fn money_in_the_terms_is_of_the_programmes_currency() {
    let mut euros =
        publish("prog", deal_terms(DealTerms { minimum_value: Some(usd("1.00")), ..auto() }));
    euros.currency = currency("EUR");
    given().when(euros).refused("money.currency_differs");
}
