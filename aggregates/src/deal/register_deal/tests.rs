//! RegisterDeal: given, when, then.

use crate::given::Given;
use crate::story::{
    auto, bad_field, conflict_of, customer, deal, id, lost, market, publish, recruit, usd, won,
};
use chl_commands::deal::RegisterDeal;
use chl_commands::partner::{EnrolPartner, SuspendPartner};
use chl_events::deal::{Contract, Route};
use chl_events::terms::{ApprovalMode, DealTerms, SlotRule, Terms, ValueBasis};
use chl_events::{Money, Role};

fn perpetual(tcv: &str) -> Option<Contract> {
    Some(Contract { tcv: usd(tcv), months: None, perpetual: true, signed_on: None })
}

#[test]
fn the_terms_approve_and_protect_for_their_days() {
    let mut story = market(auto(), &["p1"]);
    let made = story.when(deal("d1", "p1"));
    assert_eq!(made.names(), ["DealRegistered", "DealApproved"]);
    let text = format!("{:?}", made.events());
    assert!(text.contains("protected_until: 2026-05-30T09:00:00Z"), "{text}");
    assert!(text.contains("automatic: true"), "{text}");
}

#[test]
fn a_person_approves_from_an_amount_on() {
    let below = Some(usd("50000.01"));
    let terms =
        DealTerms { approval: ApprovalMode::AutoBelow, auto_below: below, ..DealTerms::default() };
    let mut story = market(terms, &["p1"]);
    assert_eq!(story.when(deal("d1", "p1")).names().len(), 2);
    let big = RegisterDeal { value: usd("50000.01"), ..deal("d2", "p1") };
    assert_eq!(story.when(big).names(), ["DealRegistered"]);
}

#[test]
fn the_deadline_of_the_decision_is_computed_once() {
    let terms = DealTerms { approval_sla_hours: Some(48), ..DealTerms::default() };
    let made = market(terms, &["p1"]).when(deal("d1", "p1")).events();
    assert!(format!("{made:?}").contains("decision_due: Some(2026-03-03T09:00:00Z)"));
}

#[test]
fn anothers_guarded_slot_is_contested() {
    let mut story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
    let made = story.when(deal("d2", "p2"));
    assert_eq!(made.names(), ["DealRegistered", "ConflictOpened"]);
    assert_eq!(made.commits().len(), 2, "the challenger's commit does not show the incumbent");
    let registered = format!("{:?}", made.events().first());
    assert!(registered.contains(conflict_of("d2").as_str()), "{registered}");
}

#[test]
fn a_pending_registration_guards_its_slot() {
    let mut story = market(DealTerms::default(), &["p1", "p2"]).and(deal("d1", "p1"));
    assert_eq!(story.when(deal("d2", "p2")).names(), ["DealRegistered", "ConflictOpened"]);
}

#[test]
fn a_contested_deal_guards_nothing() {
    let story = market(auto(), &["p1", "p2", "p3"]).and(deal("d1", "p1")).and(deal("d2", "p2"));
    let mut story = story.and(lost("d1"));
    assert_eq!(story.when(deal("d3", "p3")).names(), ["DealRegistered", "DealApproved"]);
}

#[test]
fn a_partner_may_hold_several_deals_in_its_own_slot() {
    let mut story = market(auto(), &["p1"]).and(deal("d1", "p1"));
    assert_eq!(story.when(deal("d2", "p1")).names(), ["DealRegistered", "DealApproved"]);
    let terms = DealTerms { one_deal_per_slot: true, ..auto() };
    let mut story = market(terms, &["p1"]).and(deal("d1", "p1"));
    story.when(deal("d2", "p1")).refused("deal.own_slot_taken");
}

#[test]
fn a_slot_is_free_at_the_instant_protection_ends() {
    let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1"));
    let mut held = story.clone().at("2026-05-30T08:59:59Z");
    assert_eq!(held.when(deal("d2", "p2")).names(), ["DealRegistered", "ConflictOpened"]);
    let mut free = story.at("2026-05-30T09:00:00Z");
    assert_eq!(
        free.when(deal("d2", "p2")).names(),
        ["DealExpired", "ProtectionEnded", "DealRegistered", "DealApproved"],
    );
}

#[test]
fn territories_part_slots_where_the_terms_say_so() {
    let west = |deal: RegisterDeal| RegisterDeal { territory: Some(id("west")), ..deal };
    let east = |deal: RegisterDeal| RegisterDeal { territory: Some(id("east")), ..deal };
    let contested = ["DealRegistered", "ConflictOpened"];
    let by_territory = DealTerms { slot: SlotRule::Territory, ..auto() };
    let mut story = market(by_territory, &["p1", "p2"]).and(west(deal("d1", "p1")));
    assert_eq!(story.clone().when(west(deal("d2", "p2"))).names(), contested);
    assert_eq!(story.clone().when(deal("d2", "p2")).names(), contested, "one is absent");
    assert_eq!(story.when(east(deal("d2", "p2"))).names(), ["DealRegistered", "DealApproved"],);
    let mut story = market(auto(), &["p1", "p2"]).and(west(deal("d1", "p1")));
    assert_eq!(story.when(east(deal("d2", "p2"))).names(), contested);
}

#[test]
fn slots_overlap_across_programmes() {
    let terms = Terms { deal_registration: Some(auto()), ..Terms::default() };
    let story = market(auto(), &["p1"]).and(publish("other", terms)).active("p2", "other");
    let mut story = story.and(deal("d1", "p1"));
    let other = RegisterDeal { programme: id("other"), ..deal("d2", "p2") };
    assert_eq!(story.when(other).names(), ["DealRegistered", "ConflictOpened"]);
}

#[test]
fn direct_sales_conflict_both_ways() {
    let direct = RegisterDeal { partner: None, route: Some(Route::Direct), ..deal("d0", "p1") };
    let mut story = market(auto(), &["p1"]).and(direct.clone());
    let made = story.when(deal("d1", "p1"));
    assert!(format!("{:?}", made.events()).contains("kind: DirectPartner"));
    let mut story = market(auto(), &["p1"]).and(deal("d1", "p1"));
    let made = story.when(direct.clone());
    assert!(format!("{:?}", made.events()).contains("incumbent_partner: Some(\"p1\")"));
    story.by_partner("p1").when(direct).refused("deal.direct_not_permitted");
}

#[test]
fn what_the_types_cannot_rule_out() {
    let mut story = market(auto(), &["p1"]);
    bad_field(&story.when(RegisterDeal { partner: None, ..deal("d", "p1") }), "partner");
    let both = RegisterDeal { route: Some(Route::Direct), ..deal("d", "p1") };
    bad_field(&story.when(both), "partner");
    bad_field(&story.when(RegisterDeal { value: usd("0.00"), ..deal("d", "p1") }), "value");
    let contract = |months, perpetual| RegisterDeal {
        contract: Some(Contract { tcv: usd("1.00"), months, perpetual, signed_on: None }),
        ..deal("d", "p1")
    };
    bad_field(&story.when(contract(None, false)), "contract.months");
    bad_field(&story.when(contract(Some(0), false)), "contract.months");
    bad_field(&story.when(contract(Some(12), true)), "contract.months");
}

#[test]
fn unknown_before_done_before_state_before_terms_before_money() {
    let terms = DealTerms { minimum_value: Some(usd("60000.00")), ..auto() };
    let mut story = market(terms, &["p1"]).and(recruit("p2"));
    let other = |deal: RegisterDeal| RegisterDeal {
        value: Money::parse("1.00", crate::story::currency("EUR")).expect("a literal"),
        ..deal
    };
    let wrong = RegisterDeal { customer: id("nobody"), ..deal("d1", "nobody") };
    story.when(wrong.clone()).refused("partner.unknown");
    let wrong = RegisterDeal { partner: Some(id("p2")), programme: id("none"), ..wrong };
    story.when(wrong.clone()).refused("programme.unknown");
    let wrong = RegisterDeal { programme: id("prog"), ..wrong };
    story.when(wrong).refused("customer.unknown");
    story.when(deal("d1", "p2")).refused("partner.not_active");
    story.when(deal("d1", "p1")).refused("deal.below_minimum");
    story.when(other(deal("d1", "p1"))).refused("money.currency_differs");
    let enough = RegisterDeal { value: usd("60000.00"), ..deal("d1", "p1") };
    let mut story = story.and(enough).and(SuspendPartner { partner: id("p1"), note: None });
    story.when(deal("d1", "p1")).refused("deal.id_taken");
    story.when(deal("d2", "p1")).refused("partner.not_active");
}

#[test]
fn a_partner_outside_the_programme_registers_nothing() {
    let terms = Terms { deal_registration: Some(auto()), ..Terms::default() };
    let mut story = market(auto(), &["p1"]).and(publish("other", terms));
    let other = RegisterDeal { programme: id("other"), ..deal("d1", "p1") };
    story.when(other.clone()).refused("partner.not_enrolled");
    let bare = publish("bare", Terms::default());
    let enrol = EnrolPartner { partner: id("p1"), programme: id("bare"), tier: None };
    let mut story = story.and(bare).and(enrol);
    story.when(RegisterDeal { programme: id("bare"), ..other }).refused("deal.not_offered");
    let mut early = story.claiming("2025-12-31T23:00:00Z");
    early.when(deal("d1", "p1")).refused("programme.not_in_force");
}

#[test]
fn rules_of_engagement() {
    let terms =
        DealTerms { product_lines: vec![id("gtx")], reserved_accounts: vec![id("big")], ..auto() };
    let mut limited = recruit("p2");
    limited.territories = vec![id("west")];
    let mut story = market(terms, &["p1"]).and(customer("big"));
    let other_line = RegisterDeal { product_line: id("mg"), ..deal("d1", "p1") };
    story.when(other_line).refused("deal.product_line_excluded");
    let reserved = RegisterDeal { customer: id("big"), ..deal("d1", "p1") };
    story.when(reserved).refused("deal.reserved_account");
    let mut story = active(story.and(limited), "p2");
    let east = RegisterDeal { territory: Some(id("east")), ..deal("d1", "p2") };
    story.when(east.clone()).refused("deal.outside_territory");
    assert_eq!(story.when(RegisterDeal { territory: Some(id("west")), ..east }).names().len(), 2);
}

fn active(story: Given, partner: &str) -> Given {
    use chl_commands::partner::{ActivatePartner, ApplyForProgramme, ApprovePartner};
    story
        .and(ApplyForProgramme { partner: id(partner), note: None })
        .and(ApprovePartner { partner: id(partner), note: None })
        .and(ActivatePartner { partner: id(partner), note: None })
        .and(crate::story::enrol(partner, "prog"))
}

/// Worked example 6 of published programmes: a perpetual contract counts over six years.
#[test]
fn a_perpetual_contract_counts_over_six_years() {
    let terms = DealTerms {
        minimum_value: Some(usd("25000.00")),
        minimum_basis: ValueBasis::Acv,
        ..auto()
    };
    let mut story = market(terms, &["p1"]);
    story.when(deal("d0", "p1")).refused("deal.contract_missing");
    let enough = RegisterDeal { contract: perpetual("300000.00"), ..deal("d1", "p1") };
    let made = story.when(enough).events();
    assert!(format!("{made:?}").contains("acv: Some(50000.00 USD)"), "{made:?}");
    let short = RegisterDeal { contract: perpetual("140000.00"), ..deal("d2", "p1") };
    let refused = story.when(short);
    refused.refused("deal.below_minimum");
    assert!(format!("{refused:?}").contains("23333.33 USD"), "{refused:?}");
    // 24,999.9983 a year rounds to the minimum and does not reach it.
    let nearly = RegisterDeal { contract: perpetual("149999.99"), ..deal("d3", "p1") };
    story.when(nearly).refused("deal.below_minimum");
}

/// Worked example 6: signed 61 days ago where registration is due within 60.
#[test]
fn registration_is_due_within_days_of_the_signature() {
    let terms = DealTerms { register_within_days_of_signature: Some(60), ..auto() };
    let mut story = market(terms, &["p1"]);
    let signed = |name: &str, day: &str| {
        let mut contract = perpetual("300000.00");
        contract.iter_mut().for_each(|contract| contract.signed_on = Some(id(day)));
        RegisterDeal { contract, ..deal(name, "p1") }
    };
    // 1 March is day 60 of 31 December.
    assert_eq!(story.when(signed("d1", "2025-12-31")).names().len(), 2);
    story.when(signed("d2", "2025-12-30")).refused("deal.too_late_after_signature");
    story.when(signed("d3", "2026-03-02")).refused("time.in_future");
}

#[test]
fn registration_comes_some_days_before_the_closing() {
    let terms = DealTerms { register_before_close_days: Some(30), ..auto() };
    let mut story = market(terms, &["p1"]);
    story.when(deal("d1", "p1")).refused("deal.expected_close_missing");
    let closing =
        |name: &str, day: &str| RegisterDeal { expected_close: Some(id(day)), ..deal(name, "p1") };
    story.when(closing("d1", "2026-03-30")).refused("deal.too_late_before_close");
    story.when(closing("d1", "0001-01-02")).refused("deal.too_late_before_close");
    assert_eq!(story.when(closing("d1", "2026-03-31")).names().len(), 2);
}

#[test]
fn sums_beyond_exact_amounts_are_refused() {
    let terms = DealTerms {
        minimum_value: Some(usd("25000.00")),
        minimum_basis: ValueBasis::Acv,
        ..auto()
    };
    let tcv = Money::from_minor(i128::MAX, crate::story::currency("USD"));
    let contract = Contract { tcv, months: Some(12), perpetual: false, signed_on: None };
    let huge = RegisterDeal { contract: Some(contract), ..deal("d1", "p1") };
    market(terms, &["p1"]).when(huge).refused("money.too_large");
}

#[test]
fn nobody_jumps_the_queue() {
    let story = market(auto(), &["p1", "p2"]).and(deal("d1", "p1")).at("2026-03-05T09:00:00Z");
    let mut early = story.clone().claiming("2026-02-28T09:00:00Z");
    early.when(deal("d2", "p2")).refused("time.before_history");
    let mut future = story.claiming("2026-03-05T09:00:01Z");
    future.when(deal("d2", "p2")).refused("time.in_future");
}

#[test]
fn a_late_registration_displaces_nobody() {
    let story = market(auto(), &["p1", "p2", "p3"]).and(deal("d1", "p1"));
    let late = |story: Given| story.at("2026-03-05T09:00:00Z").claiming("2026-02-28T09:00:00Z");
    let mut backfill = late(story.clone()).backfilling();
    assert_eq!(backfill.when(deal("d2", "p2")).names(), ["DealRegistered", "ConflictOpened"],);
    // The guard it comes behind has ended since: the conflict is opened and lapses.
    let ended = story.at("2026-03-04T09:00:00Z").and(won("d1"));
    let mut backfill = late(ended).backfilling();
    let made = backfill.when(deal("d2", "p2"));
    assert_eq!(made.names(), ["DealRegistered", "ConflictOpened", "ConflictLapsed"]);
    // It guards nothing, and neither does its partner's own late one.
    assert_eq!(backfill.when(deal("d3", "p1")).names(), ["DealRegistered"]);
    let mut next = backfill.at("2026-03-06T09:00:00Z").by_operator();
    assert_eq!(next.when(deal("d4", "p3")).names(), ["DealRegistered", "DealApproved"]);
    // Only an operator's word counts.
    let mut manager = late(next).by(Role::ChannelManager, "m1").backfilling();
    manager.when(deal("d5", "p2")).refused("time.before_history");
}
