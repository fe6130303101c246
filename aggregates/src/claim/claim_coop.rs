//! ClaimCoop: the vendor's share of an activity carried out, as far as the lots go.
//!
//! The terms in force on the activity's date decide; the money is held at once. Capping is final.

use super::state::{Claim, author, held_claim};
use super::{ClaimRejection, ClaimState, draw, proof};
use crate::posting::{Move, Posting};
use crate::rejection::AnyRejection;
use crate::{
    Context, Fact, Facts, Refusal, RowsMut, Unavailable, calendar, coop, money, partner, programme,
    rows,
};
use chl_commands::claim::ClaimCoop;
use chl_events::claim::CoopClaimed;
use chl_events::terms::CoopTerms;
use chl_events::{Commit, Date, Fund};

pub(super) fn decide(
    command: &ClaimCoop,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let ClaimCoop { claim, partner, programme, activity, cost, activity_date, proof } = command;
    money::positive(*cost, "cost")?;
    proof::check(proof, 0)?;
    partner::known(facts, partner)?;
    programme::known(facts, programme)?;
    if coop::fund(facts, programme, partner)?.is_none() {
        let (partner, programme) = (partner.clone(), programme.clone());
        return Err(ClaimRejection::UnknownFund { partner, programme }.into());
    }
    if facts.get::<Claim>(claim)?.is_some() {
        return Err(ClaimRejection::ClaimTaken { claim: claim.clone() }.into());
    }
    proof::check_free(facts, &proof::invoices(proof))?;
    partner::require_active(facts, partner)?;
    partner::require_enrolled(facts, partner, programme)?;
    let version = programme::terms_at(facts, programme, *activity_date)?;
    let zone = version.zone();
    let today = zone.day(context.time);
    context.require_time()?;
    context.require_past(zone, "data.activity_date", *activity_date)?;
    let terms = coop::terms(&version)?;
    check_terms(command, terms, today)?;
    let offers = draw::offers(facts, partner, &version, activity, *activity_date, Some(today))?;
    money::expect_currency(version.currency, *cost)?;
    let share = money::share(*cost, terms.match_rate, version.terms.rounding)
        .ok_or(AnyRejection::TooLarge { field: "data.cost" })?;
    let (granted, parts) = offers.take(share.amount, terms, activity)?;
    if !granted.is_positive() {
        let (available, requested) = (granted, share.amount);
        return Err(ClaimRejection::FundExhausted { available, requested }.into());
    }

    let lines = Posting::of(Fund::Coop, partner).add_parts(Move::HoldAccrued, &parts);
    let event = CoopClaimed {
        claim: claim.clone(),
        partner: partner.clone(),
        programme: programme.clone(),
        programme_version: version.version,
        activity: activity.clone(),
        cost: *cost,
        activity_date: *activity_date,
        proof: proof.clone(),
        match_rate: terms.match_rate,
        unrounded: share.unrounded,
        requested: share.amount,
        granted,
        parts,
    };
    Ok(vec![Fact::posting(today, event, lines.lines())])
}

fn check_terms(command: &ClaimCoop, terms: &CoopTerms, today: Date) -> Result<(), ClaimRejection> {
    let ClaimCoop { activity, activity_date, proof, .. } = command;
    if terms.excluded_activities.contains(activity) {
        return Err(ClaimRejection::ActivityExcluded { activity: activity.clone() });
    }
    proof::missing(&terms.proofs, activity, proof)?;
    window(*activity_date, terms.claim_days, today)
}

/// Checks that a claim comes after the activity and within so many days of it: the last day counts.
pub(super) fn window(activity_date: Date, days: u32, today: Date) -> Result<(), ClaimRejection> {
    if today < activity_date {
        return Err(ClaimRejection::TooEarly { activity_date, today });
    }
    let until = calendar::plus_days(activity_date, days);
    if today > until {
        return Err(ClaimRejection::TooLate { until, today });
    }
    Ok(())
}

pub(super) fn evolve(
    event: &CoopClaimed,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let invoices = proof::invoices(&event.proof);
    proof::take(rows, &invoices, &event.claim);
    held_claim(rows, (&event.programme, &event.partner), &event.activity, &event.parts)?;
    let claim = Claim {
        fund: Fund::Coop,
        partner: event.partner.clone(),
        programme: event.programme.clone(),
        programme_version: event.programme_version,
        activity: event.activity.clone(),
        activity_date: event.activity_date,
        requested: event.requested,
        request: None,
        state: ClaimState::Submitted,
        latest: commit.time(),
        authors: vec![author(commit)],
        approved_by: None,
        disputed: false,
        outcome: false,
        proofs: event.proof.len(),
        invoices,
        parts: event.parts.iter().map(super::ClaimPart::held).collect(),
        payments: Vec::new(),
        settled: event.granted.currency().zero(),
    };
    rows::put(rows, &event.claim, claim);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::fund_story::{
        accrue, accrue_on, claim, claim_on, coop_terms, fund_of, p, proof, reject, two_percent,
    };
    use crate::given::{Given, Outcome};
    use crate::story::{id, publish, usd};
    use chl_commands::claim::ClaimCoop;
    use chl_commands::partner::SuspendPartner;
    use chl_commands::programme::PublishProgramme;
    use chl_events::claim::{ClaimEvent, CoopClaimed, Proof};
    use chl_events::terms::{ActivityCap, CoopTerms, OverAvailable, ProofRule};
    use chl_events::{Event, Fund};

    const LOT: &str = "20260101-20260331";

    fn claimed(outcome: &Outcome) -> CoopClaimed {
        match outcome.events().last() {
            Some(Event::Claim(ClaimEvent::CoopClaimed(event))) => event.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn with(coop: CoopTerms) -> Given {
        fund_of(coop_terms(coop)).and(accrue("s", "250000"))
    }

    #[test]
    fn half_of_an_ad_is_paid_and_the_next_is_capped_to_the_rest() {
        let mut story = with(two_percent());
        assert_eq!(story.available(LOT), usd("5000"));
        let first = claimed(&story.when(claim("c", "7200")));
        assert_eq!((first.requested, first.granted), (usd("3600"), usd("3600")));
        assert_eq!(story.available(LOT), usd("1400"));
        let second = claimed(&story.when(claim("d", "4000")));
        assert_eq!((second.requested, second.granted), (usd("2000"), usd("1400")));
        story.when(claim("e", "1")).refused("claim.fund_exhausted");
    }

    #[test]
    fn half_of_eighteen_hundred_leaves_eleven_hundred() {
        let story = fund_of(coop_terms(two_percent())).and(accrue("s", "100000"));
        assert_eq!(story.and(claim("c", "1800")).available(LOT), usd("1100"));
    }

    #[test]
    fn day_sixty_counts_and_day_sixty_one_does_not() {
        let mut story = with(two_percent()).at("2026-04-30T23:59:59Z");
        assert_eq!(claimed(&story.when(claim("c", "2"))).granted, usd("1"));
        let mut story = story.at("2026-05-01T00:00:00Z");
        story.when(claim("d", "2")).refused("claim.too_late");
        story.when(claim_on("d", "2", "2026-05-02")).refused("time.in_future");
        let mut before = story.claiming("2026-04-01T00:00:00Z");
        before.when(claim_on("d", "2", "2026-04-02")).refused("claim.too_early");
    }

    #[test]
    fn refused_where_the_terms_do_not_cap() {
        let mut story = with(CoopTerms { over_available: OverAvailable::Refuse, ..two_percent() });
        story.when(claim("c", "10000.02")).refused("claim.fund_exhausted");
        assert_eq!(claimed(&story.when(claim("c", "10000"))).granted, usd("5000"));
    }

    #[test]
    fn the_lot_that_expires_first_is_drawn_first() {
        let coop = CoopTerms { usage_months: 12, ..two_percent() };
        let mut story = fund_of(coop_terms(coop))
            .and(accrue("s", "1000"))
            .at("2026-04-02T00:00:00Z")
            .and(accrue_on("t", "1000", "2026-04-01"));
        let event = claimed(&story.when(claim_on("c", "50", "2026-04-02")));
        let parts: Vec<_> = event.parts.iter().map(|part| part.amount).collect();
        assert_eq!(parts, [usd("20"), usd("5")]);
        assert_eq!(event.parts.first().and_then(|part| part.lot.clone()), Some(id(LOT)));
    }

    #[test]
    fn caps_of_an_activity() {
        let cap = |amount: Option<&str>, share: Option<&str>| ActivityCap {
            activity: Some(id("ad")),
            amount: amount.map(usd),
            share_of_lot: share.map(id),
        };
        let caps = vec![cap(Some("800"), None), cap(None, Some("0.25"))];
        let mut story = with(CoopTerms { caps, ..two_percent() });
        assert_eq!(claimed(&story.when(claim("c", "7200"))).granted, usd("800"));
        assert_eq!(claimed(&story.when(claim("d", "7200"))).granted, usd("450"));
        story.when(claim("e", "1")).refused("claim.cap_reached");
        let other = ClaimCoop { activity: id("event"), ..claim("f", "200") };
        assert_eq!(claimed(&story.when(other)).granted, usd("100"));
        // What a rejected claim gives back counts no more.
        let mut story = story.and(reject(Fund::Coop, "d"));
        assert_eq!(claimed(&story.when(claim("g", "7200"))).granted, usd("450"));
    }

    #[test]
    fn an_invoice_stands_on_one_live_claim() {
        let of = |name: &str, proof: Proof| ClaimCoop { proof: vec![proof], ..claim(name, "2") };
        let named = |number: &str, digit| Proof {
            issuer: Some("Print Shop".into()),
            number: Some(number.into()),
            ..proof("receipt", digit)
        };
        let mut story = with(two_percent())
            .and(of("c", proof("invoice", 'a')))
            .and(of("d", named("7", 'b')))
            .and(of("e", proof("photo", 'c')))
            .and(of("f", proof("photo", 'c')));
        story.when(of("g", proof("invoice", 'a'))).refused("claim.invoice_taken");
        story.when(of("g", named(" 7", 'd'))).refused("claim.invoice_taken");
        story.when(of("g", named("8", 'b'))).refused("claim.invoice_taken");
        story.when(of("c", proof("invoice", 'f'))).refused("claim.taken");
        story.and(reject(Fund::Coop, "c")).and(of("g", proof("invoice", 'a')));
    }

    #[test]
    fn proof_that_the_terms_ask_for() {
        let rule = |activity: Option<&str>, kind: &str| ProofRule {
            activity: activity.map(id),
            kinds: vec![id(kind)],
        };
        let proofs = vec![rule(None, "invoice"), rule(Some("event"), "photo")];
        let mut story = with(CoopTerms { proofs, ..two_percent() });
        story.when(claim("c", "2")).refused("claim.proof_missing");
        let of = |kinds: &[(&str, char)]| {
            kinds.iter().map(|(kind, digit)| proof(kind, *digit)).collect::<Vec<_>>()
        };
        let ad = ClaimCoop { proof: of(&[("invoice", 'a')]), ..claim("c", "2") };
        let event = |proof| ClaimCoop { activity: id("event"), proof, ..claim("d", "2") };
        let mut story = story.and(ad);
        story.when(event(of(&[("invoice", 'b')]))).refused("claim.proof_missing");
        story.and(event(of(&[("invoice", 'b'), ("photo", 'c')])));
    }

    #[test]
    fn malformed_proof_is_named() {
        let mut story = with(two_percent());
        let short = Proof { sha256: "ab".into(), ..proof("invoice", 'a') };
        let of = |proof: Vec<Proof>| ClaimCoop { proof, ..claim("c", "2") };
        crate::story::bad_field(&story.when(of(vec![short])), "proof[0].sha256");
        let blank = Proof { issuer: Some(" ".into()), ..proof("invoice", 'a') };
        crate::story::bad_field(&story.when(of(vec![blank])), "proof[0].issuer");
        let many = vec![proof("photo", 'a'); 33];
        crate::story::bad_field(&story.when(of(many)), "proof");
        crate::story::bad_field(&story.when(claim("c", "0")), "cost");
    }

    #[test]
    fn who_may_not_claim_and_when() {
        let excluded = vec![id("travel")];
        let mut story = with(CoopTerms { excluded_activities: excluded, ..two_percent() });
        let travel = ClaimCoop { activity: id("travel"), ..claim("c", "2") };
        story.when(travel).refused("claim.activity_excluded");
        let empty = fund_of(coop_terms(two_percent()));
        empty.clone().when(claim("c", "2")).refused("fund.unknown");
        let euros = chl_events::Money::parse("1", crate::story::currency("EUR"));
        let euros = ClaimCoop { cost: euros.expect("a literal"), ..claim("c", "1") };
        story.when(euros).refused("money.currency_differs");
        let mut suspended = story.and(SuspendPartner { partner: p(), note: None });
        suspended.when(claim("c", "2")).refused("partner.not_active");
        // Lots of the first quarter pay for six months after it.
        let mut later = with(two_percent()).at("2026-10-01T00:00:00Z");
        later.when(claim_on("c", "2", "2026-10-01")).refused("claim.no_usable_lot");
    }

    #[test]
    fn a_second_import_says_already_and_not_too_late() {
        let story = with(two_percent()).and(claim("c", "2"));
        let mut late = story.at("2026-05-01T00:00:00Z");
        late.when(claim("c", "2")).refused("claim.taken");
        late.when(claim("d", "2")).refused("claim.too_late");
        // Money comes last: excluded or late is said before the currency.
        let euros = chl_events::Money::parse("1", crate::story::currency("EUR"));
        let euros = ClaimCoop { cost: euros.expect("a literal"), ..claim("d", "1") };
        late.when(euros).refused("claim.too_late");
        let mut gone = late.and(SuspendPartner { partner: p(), note: None });
        gone.when(claim("c", "2")).refused("claim.taken");
        gone.when(claim("d", "2")).refused("partner.not_active");
    }

    #[test]
    fn a_lot_keeps_its_own_last_day_for_claims() {
        // Usable until 30 September, claims until 29 November; later terms allow 120 days.
        let first = CoopTerms { expiry_days: Some(200), ..two_percent() };
        let later = CoopTerms { claim_days: 120, expiry_days: Some(200), ..two_percent() };
        let second = PublishProgramme {
            version: 2,
            effective_from: id("2026-07-01"),
            ..publish("prog", coop_terms(later))
        };
        let story = with(first).and(second);
        let mut story = story.at("2026-11-29T23:59:59Z").and(claim_on("c", "2", "2026-09-30"));
        story = story.at("2026-11-30T00:00:00Z");
        story.when(claim_on("d", "2", "2026-09-30")).refused("claim.no_usable_lot");
    }
}
