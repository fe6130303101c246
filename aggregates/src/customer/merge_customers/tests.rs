//! Stories of merges: who is contested, who goes on, and what is refused.

use super::*;
use crate::customer::survivor as now;
use crate::given::Given;
use crate::story::{
    approve, auto, bad_field, conflict_of, customer, deal, id, kept_apart, lost, market, merge,
    reported, resolve, won,
};
use chl_commands::conflict::ResolveConflict;
use chl_commands::customer::RegisterCustomer;
use chl_commands::deal::{ExtendDeal, MarkDealWon, RegisterDeal};
use chl_events::conflict::{ConflictEvent, Resolution};
use chl_events::deal::Route;
use chl_events::terms::DealTerms;
use chl_events::{ConflictId, Event};

/// A deal at the customer that is to be absorbed.
fn elsewhere(name: &str, partner: &str) -> RegisterDeal {
    RegisterDeal { customer: id("acme-inc"), ..deal(name, partner) }
}

/// `acme` and `acme-inc`, and the partners that sell to both.
fn two_customers(terms: DealTerms) -> Given {
    market(terms, &["p1", "p2", "p3"]).and(customer("acme-inc"))
}

/// `d1` of `p1` guards at `acme`, and a day later `d2` of `p2` at `acme-inc`.
fn rivals(terms: DealTerms) -> Given {
    let story = two_customers(terms).and(deal("d1", "p1")).at("2026-03-02T09:00:00Z");
    story.and(elsewhere("d2", "p2")).at("2026-03-05T09:00:00Z")
}

/// The conflict that the last command opened.
fn opened(story: &Given) -> ConflictId {
    let opened = story.events().filter_map(|event| {
        let Event::Conflict(ConflictEvent::ConflictOpened(event)) = event else { return None };
        Some(event.conflict.clone())
    });
    opened.last().expect("a conflict was opened")
}

fn decide_it(story: &Given, resolution: Resolution) -> ResolveConflict {
    ResolveConflict { conflict: opened(story), ..resolve("d2", resolution) }
}

#[test]
fn who_came_second_is_contested_and_the_stream_ends() {
    let mut story = rivals(auto());
    let made = story.when(merge("acme", "acme-inc"));
    assert_eq!(
        made.names(),
        [
            "CustomersMerged",
            "DealContested",
            "ProtectionEnded",
            "ConflictOpened",
            "CustomerAbsorbed",
        ],
    );
    let streams: Vec<String> = made.commits().iter().map(|one| one.stream.to_string()).collect();
    assert_eq!(streams, ["customer/acme", "customer/acme-inc"]);
    let text = format!("{made:?}");
    for part in [
        "absorbed_version: 2",
        "guarding: [\"d2\"]",
        "incumbent: \"d1\"",
        "challenger: \"d2\"",
        "challenged_at: 2026-03-02T09:00:00Z",
        "cause: Contested",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert_ne!(opened(&story), conflict_of("d2"), "d2 may have been in a conflict before");
}

#[test]
fn the_order_of_registration_counts_and_not_who_survives() {
    let mut story = rivals(auto());
    let made = story.when(merge("acme-inc", "acme"));
    let text = format!("{made:?}");
    assert!(text.contains("incumbent: \"d1\"") && text.contains("guarding: [\"d1\"]"), "{text}");
    let other = MarkDealWon { customer: id("acme-inc"), ..won("d2") };
    assert_eq!(story.when(other).names(), ["DealWon", "ConflictLapsed"]);
}

#[test]
fn each_decision_of_such_a_conflict_is_taken_through_the_survivor() {
    for (resolution, made) in [
        (Resolution::UpholdIncumbent, &["ConflictResolved", "DealRejected"][..]),
        (
            Resolution::AwardChallenger,
            &["ConflictResolved", "DealDisplaced", "ProtectionEnded", "DealApproved"],
        ),
        (Resolution::Joint, &["ConflictResolved", "DealApproved"]),
    ] {
        let mut story = rivals(auto()).and(merge("acme", "acme-inc"));
        let mut stale = decide_it(&story, resolution);
        stale.customer = id("acme-inc");
        story.when(stale).refused("customer.merged");
        assert_eq!(story.when(decide_it(&story.clone(), resolution)).names(), made);
    }
    let mut story = rivals(auto()).and(merge("acme", "acme-inc"));
    assert_eq!(story.when(lost("d1")).names(), ["DealLost", "ProtectionEnded"]);
    // The conflict has lapsed: the challenger is submitted, and looks at the slot again.
    assert_eq!(story.when(approve("d2")).names(), ["DealApproved"]);
    assert_eq!(story.when(deal("d3", "p3")).names(), ["DealRegistered", "ConflictOpened"]);
}

#[test]
fn joint_terms_let_both_stand() {
    let joint = DealTerms { conflict_rule: ConflictRule::Joint, ..auto() };
    let mut story = rivals(joint);
    assert_eq!(
        story.when(merge("acme", "acme-inc")).names(),
        ["CustomersMerged", "ConflictOpened", "ConflictResolved", "CustomerAbsorbed"],
    );
    for step in ["d1", "d2"] {
        assert_eq!(story.when(won(step)).names(), ["DealWon", "ProtectionEnded"]);
    }
}

#[test]
fn a_partners_own_deals_do_not_meet() {
    let story = two_customers(auto()).and(deal("d1", "p1")).and(elsewhere("d2", "p1"));
    let mut story = story.and(merge("acme", "acme-inc"));
    let made = story.when(deal("d3", "p2"));
    assert_eq!(made.names(), ["DealRegistered", "ConflictOpened"]);
    assert_eq!(story.when(won("d2")).names(), ["DealWon", "ProtectionEnded"]);
    assert_eq!(story.when(lost("d1")).names(), ["DealLost", "ProtectionEnded"]);
}

#[test]
fn direct_sales_meet_partners() {
    let direct =
        RegisterDeal { partner: None, route: Some(Route::Direct), ..elsewhere("d2", "p2") };
    let story = two_customers(auto()).and(deal("d1", "p1")).and(direct);
    let made = format!("{:?}", story.clone().when(merge("acme", "acme-inc")));
    assert!(made.contains("kind: DirectPartner"), "{made}");
}

#[test]
fn every_deal_of_the_absorbed_goes_on_through_the_survivor() {
    let story = two_customers(auto()).and(elsewhere("d2", "p2")).and(elsewhere("d4", "p3"));
    let story = story.and(merge("acme", "acme-inc"));
    // d4 was contested where it was registered, and still is.
    let mut contested = story.clone();
    contested.when(approve("d4")).refused("deal.contested");
    let extend =
        |customer: &str| ExtendDeal { customer: id(customer), ..crate::story::extend("d2") };
    contested.when(extend("acme-inc")).refused("customer.merged");
    assert_eq!(contested.when(extend("acme")).names(), ["DealExtended"]);
    let mut decided = story.clone();
    let award = resolve("d4", Resolution::AwardChallenger);
    assert!(decided.when(award).names().contains(&"DealDisplaced"));
    assert_eq!(decided.when(won("d2")).names(), ["DealWon"], "a displaced deal may still be won");
    let mut expired = story.at("2026-09-01T00:00:00Z");
    assert_eq!(expired.when(won("d2")).names(), ["DealExpired", "ProtectionEnded", "DealWon"]);
    assert_eq!(expired.when(approve("d4")).names(), ["DealApproved"]);
}

#[test]
fn what_is_over_is_recorded_first_and_meets_nobody() {
    let mut story = rivals(auto()).at("2026-09-01T00:00:00Z");
    assert_eq!(
        story.when(merge("acme", "acme-inc")).names(),
        [
            "DealExpired",
            "ProtectionEnded",
            "DealExpired",
            "ProtectionEnded",
            "CustomersMerged",
            "CustomerAbsorbed",
        ],
    );
}

#[test]
fn the_absorbed_is_named_no_more() {
    let mut story = rivals(auto()).and(merge("acme", "acme-inc"));
    for command in [merge("acme", "acme-inc"), merge("acme-inc", "acme")] {
        story.when(command).refused("customer.merged");
    }
    story.when(elsewhere("d5", "p3")).refused("customer.merged");
    story.when(customer("acme-inc")).refused("customer.merged");
    let child = RegisterCustomer { parent: Some(id("acme-inc")), ..customer("acme-west") };
    story.when(child).refused("customer.merged");
    bad_field(&story.when(merge("acme", "acme")), "absorbed");
    story.when(merge("acme", "nobody")).refused("customer.unknown");
}

#[test]
fn a_customer_that_absorbed_is_absorbed_with_all_it_has() {
    let story = rivals(auto()).and(customer("group")).and(merge("acme", "acme-inc"));
    let mut story = story.and(merge("group", "acme"));
    let refused = story.when(elsewhere("d5", "p3"));
    refused.refused("customer.merged");
    assert!(format!("{refused:?}").contains("survivor: \"group\""), "{refused:?}");
    let end = now(story.facts(), &id("acme-inc")).expect("rows are there");
    assert_eq!(end, id("group"));
    let at_group = MarkDealWon { customer: id("group"), ..won("d2") };
    assert_eq!(story.when(at_group).names(), ["DealWon", "ConflictLapsed"]);
}

#[test]
fn a_merge_decides_a_report_and_outdoes_a_separation() {
    let story = rivals(auto()).and(reported("acme-inc", "acme"));
    story.clone().and(merge("acme", "acme-inc"));
    story.and(kept_apart("acme", "acme-inc")).and(merge("acme", "acme-inc"));
}

#[test]
fn reserved_accounts_are_reserved_under_their_new_name() {
    let reserved = DealTerms { reserved_accounts: vec![id("acme-inc")], ..auto() };
    let mut story = two_customers(reserved).and(deal("d1", "p1")).and(merge("acme", "acme-inc"));
    story.when(deal("d2", "p2")).refused("deal.reserved_account");
}

#[test]
fn a_merge_has_its_time_and_its_measure() {
    let story = rivals(auto());
    story
        .clone()
        .claiming("2026-03-06T09:00:00Z")
        .when(merge("acme", "acme-inc"))
        .refused("time.in_future");
    story
        .clone()
        .claiming("2026-03-02T08:00:00Z")
        .when(merge("acme", "acme-inc"))
        .refused("time.before_history");
    let many = (0..=MAX_MEETINGS)
        .fold(story, |story, number| story.and(elsewhere(&format!("d-{number}"), "p2")));
    many.clone().when(merge("acme", "acme-inc")).refused("customer.too_many_deals");
    many.clone().when(merge("acme-inc", "acme")).refused("customer.too_many_deals");
    let much = (0..MAX_GUARDS)
        .fold(many, |story, number| story.and(elsewhere(&format!("e-{number}"), "p2")));
    much.at("2026-09-01T00:00:00Z")
        .when(merge("acme", "acme-inc"))
        .refused("customer.too_many_deals");
}
