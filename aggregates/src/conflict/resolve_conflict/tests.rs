//! ResolveConflict and EscalateConflict: given, when, then.

use crate::given::Given;
use crate::story::{auto, bad_field, conflict_of, deal, id, lost, market, resolve, withdraw, won};
use chl_commands::conflict::{EscalateConflict, ResolveConflict};
use chl_commands::partner::SuspendPartner;
use chl_events::Role;
use chl_events::conflict::{Criterion, Resolution};
use chl_events::deal::Share;
use chl_events::terms::{ConflictLevel, DealTerms};

fn two(terms: DealTerms) -> Given {
    market(terms, &["p1", "p2", "p3"]).and(deal("d1", "p1")).and(deal("d2", "p2"))
}

fn shares(of: &[(&str, &str)]) -> Vec<Share> {
    of.iter()
        .map(|(partner, percent)| Share { partner: id(partner), percent: id(percent) })
        .collect()
}

fn split(of: &[(&str, &str)]) -> ResolveConflict {
    ResolveConflict { shares: shares(of), ..resolve("d2", Resolution::Split) }
}

fn escalate(level: u8) -> EscalateConflict {
    let (conflict, customer) = (conflict_of("d2"), id("acme"));
    EscalateConflict { conflict, customer, level, note: None }
}

#[test]
fn the_incumbent_is_upheld() {
    let mut story = two(auto());
    let made = story.when(resolve("d2", Resolution::UpholdIncumbent));
    assert_eq!(made.names(), ["ConflictResolved", "DealRejected"]);
    story.when(won("d2")).refused("deal.wrong_state");
    assert_eq!(story.when(won("d1")).names(), ["DealWon", "ProtectionEnded"]);
}

#[test]
fn the_challenger_is_awarded_a_full_window() {
    let mut story = two(auto()).at("2026-03-10T09:00:00Z");
    let made = story.when(resolve("d2", Resolution::AwardChallenger));
    assert_eq!(
        made.names(),
        ["ConflictResolved", "DealDisplaced", "ProtectionEnded", "DealApproved"],
    );
    assert!(format!("{made:?}").contains("protected_until: 2026-06-08T09:00:00Z"));
    let next = story.when(deal("d3", "p3"));
    assert!(format!("{next:?}").contains("incumbent: \"d2\""));
}

#[test]
fn jointly_each_has_its_own_end() {
    let mut story = two(auto()).at("2026-03-10T09:00:00Z");
    let made = story.when(resolve("d2", Resolution::Joint));
    assert_eq!(made.names(), ["ConflictResolved", "DealApproved"]);
    // Both partners hold the slot now; a third one meets the first holder.
    assert_eq!(story.when(deal("d4", "p2")).names(), ["DealRegistered", "DealApproved"]);
    assert!(format!("{:?}", story.when(deal("d3", "p3"))).contains("incumbent: \"d1\""));
    let pending = two(DealTerms::default()).when(resolve("d2", Resolution::Joint)).names();
    assert_eq!(pending, ["ConflictResolved", "DealApproved", "DealApproved"]);
}

#[test]
fn a_split_shares_the_credit_out() {
    let mut story = two(auto());
    let made = story.clone().when(split(&[("p1", "33.34"), ("p2", "66.66")]));
    assert_eq!(
        made.names(),
        ["ConflictResolved", "AttributionSet", "DealApproved", "AttributionSet"],
    );
    for wrong in [
        &[][..],
        &[("p1", "100")],
        &[("p1", "50"), ("p1", "50")],
        &[("p1", "50"), ("p2", "49.99")],
        &[("p1", "33.333"), ("p2", "66.667")],
        &[("p1", "-1"), ("p2", "101")],
        &[("p1", "0"), ("p2", "100")],
    ] {
        bad_field(&story.when(split(wrong)), "shares");
    }
    story.when(split(&[("p1", "50"), ("p3", "50")])).refused("conflict.not_a_party");
    let not_split =
        ResolveConflict { resolution: Resolution::Joint, ..split(&[("p1", "50"), ("p2", "50")]) };
    bad_field(&story.when(not_split), "shares");
}

#[test]
fn both_lose() {
    let mut approved = two(auto());
    assert_eq!(
        approved.when(resolve("d2", Resolution::RejectBoth)).names(),
        ["ConflictResolved", "DealDisplaced", "ProtectionEnded", "DealRejected"],
    );
    let mut pending = two(DealTerms::default());
    assert_eq!(
        pending.when(resolve("d2", Resolution::RejectBoth)).names(),
        ["ConflictResolved", "DealRejected", "ProtectionEnded", "DealRejected"],
    );
    assert_eq!(pending.when(deal("d3", "p3")).names(), ["DealRegistered"]);
}

#[test]
fn a_conflict_lapses_with_either_deal() {
    let mut story = two(auto());
    let third = story.when(deal("d3", "p3")).names();
    assert_eq!(third, ["DealRegistered", "ConflictOpened"]);
    // One fact lapses both conflicts of the incumbent.
    let mut ended = story.clone();
    assert_eq!(ended.when(lost("d1")).names(), ["DealLost", "ProtectionEnded"]);
    for challenger in ["d2", "d3"] {
        ended.when(resolve(challenger, Resolution::Joint)).refused("conflict.lapsed");
    }
    assert_eq!(ended.when(withdraw("d2")).names(), ["DealWithdrawn"]);
    let mut ended = story.clone().and(withdraw("d2"));
    ended.when(resolve("d2", Resolution::Joint)).refused("conflict.lapsed");
    let mut over = story.at("2026-05-30T09:00:00Z");
    over.when(resolve("d2", Resolution::Joint)).refused("conflict.lapsed");
}

#[test]
fn a_resolution_is_final() {
    let mut story = two(auto()).and(resolve("d2", Resolution::UpholdIncumbent));
    story.when(resolve("d2", Resolution::Joint)).refused("conflict.already_resolved");
    story.when(escalate(2)).refused("conflict.already_resolved");
    story.when(resolve("d9", Resolution::Joint)).refused("conflict.unknown");
}

#[test]
fn a_decision_needs_authority_a_ground_and_an_active_partner() {
    let levels = |roles: &[(u8, Role)]| -> Vec<ConflictLevel> {
        roles
            .iter()
            .map(|(level, role)| ConflictLevel { level: *level, role: *role, days: 7 })
            .collect()
    };
    let manager = Role::ChannelManager;
    let terms = DealTerms { conflict_levels: levels(&[(1, manager), (3, manager)]), ..auto() };
    let mut story = two(terms).by_manager("m1", 1);
    story.when(escalate(1)).refused("conflict.level_reached");
    story.when(escalate(2)).refused("conflict.level_unknown");
    let made = format!("{:?}", story.when(escalate(3)));
    assert!(made.contains("due: Some(2026-03-08T09:00:00Z)"), "{made}");
    story.when(resolve("d2", Resolution::Joint)).refused("conflict.not_authorised");
    let mut story = story.by_manager("m3", 3);
    let by_terms =
        ResolveConflict { criterion: Criterion::Terms, ..resolve("d2", Resolution::Joint) };
    bad_field(&story.when(by_terms), "criterion");
    assert_eq!(story.clone().when(resolve("d2", Resolution::Joint)).names().len(), 2);
    let mut gone = story.by_operator().and(SuspendPartner { partner: id("p2"), note: None });
    gone.when(resolve("d2", Resolution::Joint)).refused("partner.not_active");
    assert_eq!(gone.when(resolve("d2", Resolution::UpholdIncumbent)).names().len(), 2);
}

#[test]
fn decisions_keep_their_order() {
    let story = two(auto()).at("2026-03-05T09:00:00Z");
    let mut before = story.clone().claiming("2026-02-28T09:00:00Z");
    before.when(resolve("d2", Resolution::Joint)).refused("time.before_history");
    let mut future = story.claiming("2026-03-06T09:00:00Z");
    future.when(resolve("d2", Resolution::Joint)).refused("time.in_future");
}
