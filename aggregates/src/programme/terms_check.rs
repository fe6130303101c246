//! What makes terms consistent in themselves; what is wrong is named by the field's path.

use crate::calendar::Zone;
use crate::rejection::AnyRejection;
use chl_commands::Command;
use chl_events::terms::{
    AccrualRate, ActivityCap, ApprovalMode, CoopTerms, DealTerms, MdfTerms, ScorecardTerms, Terms,
    UsableFrom,
};
use chl_events::{Code, Currency, Money, Rate};
use rust_decimal::Decimal;
use std::fmt::Display;

type Checked = Result<(), AnyRejection>;

/// The longest window that can be stated: a hundred years of days, months or hours.
const MAX_WINDOW: u32 = 36_525;

/// The longest list of conflict levels, bands, tiers and the like.
const MAX_LIST: usize = 1024;

/// Terms with the defaults that depend on other terms written out.
pub(super) fn with_defaults(terms: &Terms) -> Terms {
    let mut terms = terms.clone();
    if let Some(coop) = &mut terms.coop {
        coop.expiry_days.get_or_insert(coop.claim_days);
    }
    terms
}

fn wrong(field: impl Display, problem: impl Into<String>) -> AnyRejection {
    AnyRejection::data(field, problem)
}

fn must(holds: bool, field: impl Display, problem: &str) -> Checked {
    if holds { Ok(()) } else { Err(wrong(field, problem)) }
}

/// Checks the terms and the zone they are counted in.
pub(super) fn check(terms: &Terms, time_zone: &str) -> Checked {
    must(Zone::named(time_zone).is_some(), "time_zone", "is no IANA time zone")?;
    unique("terms.tiers", &terms.tiers)?;
    window("terms.tail_days", terms.tail_days)?;
    if let Some(deal) = &terms.deal_registration {
        check_deal(deal)?;
    }
    if let Some(coop) = &terms.coop {
        check_coop(coop, &terms.tiers)?;
    }
    if let Some(mdf) = &terms.mdf {
        check_mdf(mdf)?;
    }
    check_scorecard(&terms.scorecard)
}

fn check_deal(deal: &DealTerms) -> Checked {
    let at = |field: &str| format!("terms.deal_registration.{field}");
    if let Some(minimum) = deal.minimum_value {
        positive(at("minimum_value"), minimum)?;
    }
    must(deal.perpetual_years > 0, at("perpetual_years"), "must be at least 1")?;
    window(at("perpetual_years"), deal.perpetual_years)?;
    must(deal.protection_days > 0, at("protection_days"), "must be at least 1")?;
    for (field, days) in [
        ("protection_days", Some(deal.protection_days)),
        ("extension_days", Some(deal.extension_days)),
        ("max_extensions", Some(deal.max_extensions)),
        ("register_before_close_days", deal.register_before_close_days),
        ("register_within_days_of_signature", deal.register_within_days_of_signature),
        ("approval_sla_hours", deal.approval_sla_hours),
    ] {
        window(at(field), days.unwrap_or(0))?;
    }
    must(
        deal.max_extensions == 0 || deal.extension_days > 0,
        at("extension_days"),
        "must be at least 1 where extensions are allowed",
    )?;
    match (deal.approval, deal.auto_below) {
        (ApprovalMode::AutoBelow, None) => {
            return Err(wrong(at("auto_below"), "must be given with approval auto_below"));
        }
        (ApprovalMode::AutoBelow, Some(below)) => positive(at("auto_below"), below)?,
        (ApprovalMode::Auto | ApprovalMode::Manual, Some(_)) => {
            return Err(wrong(at("auto_below"), "has a meaning only with approval auto_below"));
        }
        (ApprovalMode::Auto | ApprovalMode::Manual, None) => {}
    }
    if let Some(rate) = deal.discount_rate {
        share(at("discount_rate"), rate)?;
    }
    unique(&at("product_lines"), &deal.product_lines)?;
    must(deal.reserved_accounts.len() <= MAX_LIST, at("reserved_accounts"), "is too long")?;
    check_levels(deal)
}

/// Levels are unique and ascending, and each role is one that the catalog lets decide.
fn check_levels(deal: &DealTerms) -> Checked {
    let field = "terms.deal_registration.conflict_levels";
    must(!deal.conflict_levels.is_empty(), field, "must name who decides")?;
    let levels = deal.conflict_levels.iter().map(|level| level.level);
    must(levels.is_sorted_by(|a, b| a < b), field, "must ascend by level")?;
    let decides = Command::kind_named("ResolveConflict").expect("the catalog lists it");
    for (index, level) in deal.conflict_levels.iter().enumerate() {
        let at = format!("{field}[{index}]");
        must(level.level > 0, format!("{at}.level"), "must be at least 1")?;
        must(decides.allows(level.role), format!("{at}.role"), "may not decide conflicts")?;
        window(format!("{at}.days"), level.days)?;
    }
    Ok(())
}

fn check_coop(coop: &CoopTerms, tiers: &[Code]) -> Checked {
    let at = |field: &str| format!("terms.coop.{field}");
    must(!coop.accrual.is_empty(), at("accrual"), "must state at least one rate")?;
    for (index, rate) in coop.accrual.iter().enumerate() {
        check_accrual(&at(&format!("accrual[{index}]")), rate, tiers)?;
    }
    must((1..=12).contains(&coop.fiscal_start_month), at("fiscal_start_month"), "must be 1 to 12")?;
    window(at("usage_months"), coop.usage_months)?;
    window(at("claim_days"), coop.claim_days)?;
    window(at("expiry_days"), coop.expiry_days.unwrap_or(0))?;
    must(
        coop.expiry_days.is_none_or(|days| days >= coop.claim_days),
        at("expiry_days"),
        "must not end before the claim window, claim_days",
    )?;
    share(at("rebate_share"), coop.rebate_share)?;
    share(at("match_rate"), coop.match_rate)?;
    must(coop.match_rate > Rate::ZERO, at("match_rate"), "must be more than 0")?;
    // What is spent before the period closes could not be split any more.
    let split = coop.rebate_share > Rate::ZERO || coop.conversion_threshold.is_some();
    must(
        !split || coop.usable == UsableFrom::AfterPeriod,
        at("usable"),
        "must be after_period where earnings are split or converted as the period closes",
    )?;
    if let Some(threshold) = coop.conversion_threshold {
        positive(at("conversion_threshold"), threshold)?;
    }
    check_caps("terms.coop.caps", &coop.caps)?;
    for (index, proof) in coop.proofs.iter().enumerate() {
        unique(&at(&format!("proofs[{index}].kinds")), &proof.kinds)?;
    }
    unique(&at("excluded_activities"), &coop.excluded_activities)
}

fn check_accrual(at: &str, rate: &AccrualRate, tiers: &[Code]) -> Checked {
    if let Some(tier) = &rate.tier {
        must(tiers.contains(tier), format!("{at}.tier"), "is none of the programme's tiers")?;
    }
    let bands = || format!("{at}.bands");
    let first = rate.bands.first().ok_or_else(|| wrong(bands(), "must state a band"))?;
    must(first.from.get().is_zero(), bands(), "must begin at 0")?;
    let starts = rate.bands.iter().map(|band| band.from);
    must(starts.is_sorted_by(|a, b| a < b), bands(), "must ascend")?;
    must(rate.bands.len() <= MAX_LIST, bands(), "are too many")?;
    must(
        rate.bands.len() == 1 || rate.mode.is_some(),
        format!("{at}.mode"),
        "must be said where there are several bands: marginal or whole_amount",
    )?;
    for (index, band) in rate.bands.iter().enumerate() {
        share(format!("{at}.bands[{index}].rate"), band.rate)?;
    }
    Ok(())
}

fn check_mdf(mdf: &MdfTerms) -> Checked {
    let at = |field: &str| format!("terms.mdf.{field}");
    share(at("match_rate"), mdf.match_rate)?;
    must(mdf.match_rate > Rate::ZERO, at("match_rate"), "must be more than 0")?;
    window(at("claim_days"), mdf.claim_days)?;
    window(at("tail_days"), mdf.tail_days)?;
    check_caps("terms.mdf.caps", &mdf.caps)?;
    for (index, cap) in mdf.caps.iter().enumerate() {
        let field = at(&format!("caps[{index}].share_of_lot"));
        must(cap.share_of_lot.is_none(), field, "has no meaning for MDF, which has no lots")?;
    }
    for (index, proof) in mdf.proofs.iter().enumerate() {
        unique(&at(&format!("proofs[{index}].kinds")), &proof.kinds)?;
    }
    unique(&at("excluded_activities"), &mdf.excluded_activities)
}

fn check_caps(at: &str, caps: &[ActivityCap]) -> Checked {
    for (index, cap) in caps.iter().enumerate() {
        let at = format!("{at}[{index}]");
        must(
            cap.amount.is_some() || cap.share_of_lot.is_some(),
            at.clone(),
            "must cap an amount or a share",
        )?;
        if let Some(amount) = cap.amount {
            positive(format!("{at}.amount"), amount)?;
        }
        if let Some(rate) = cap.share_of_lot {
            share(format!("{at}.share_of_lot"), rate)?;
        }
    }
    Ok(())
}

fn check_scorecard(scorecard: &ScorecardTerms) -> Checked {
    let at = |field: &str| format!("terms.scorecard.{field}");
    let categories: Vec<_> = scorecard.weights.iter().map(|weight| weight.category).collect();
    unique(&at("weights"), &categories)?;
    for (index, weight) in scorecard.weights.iter().enumerate() {
        not_negative(at(&format!("weights[{index}].weight")), weight.weight)?;
    }
    let metrics: Vec<_> = scorecard.metrics.iter().map(|metric| &metric.metric).collect();
    unique(&at("metrics"), &metrics)?;
    for (index, metric) in scorecard.metrics.iter().enumerate() {
        not_negative(at(&format!("metrics[{index}].weight")), metric.weight)?;
        must(metric.lo != metric.hi, at(&format!("metrics[{index}].hi")), "must differ from lo")?;
    }
    if let Some(gate) = &scorecard.gate {
        let threshold = gate.threshold.get();
        let within = (Decimal::ZERO..=Decimal::ONE_HUNDRED).contains(&threshold);
        must(within, at("gate.threshold"), "must be 0 to 100 points")?;
    }
    let credentials: Vec<_> =
        scorecard.required_credentials.iter().map(|required| &required.credential).collect();
    unique(&at("required_credentials"), &credentials)
}

/// Checks that every amount in the terms is of the programme's currency.
pub(super) fn check_currency(terms: &Terms, expected: Currency) -> Checked {
    let deal =
        terms.deal_registration.iter().flat_map(|deal| [deal.minimum_value, deal.auto_below]);
    let threshold = terms.coop.iter().map(|coop| coop.conversion_threshold);
    let coop_caps = terms.coop.iter().flat_map(|coop| &coop.caps);
    let mdf_caps = terms.mdf.iter().flat_map(|mdf| &mdf.caps);
    let caps = coop_caps.chain(mdf_caps).map(|cap| cap.amount);
    match deal.chain(threshold).chain(caps).flatten().find(|money| money.currency() != expected) {
        Some(other) => Err(AnyRejection::CurrencyDiffers { expected, given: other.currency() }),
        None => Ok(()),
    }
}

fn unique<T: PartialEq>(field: &str, items: &[T]) -> Checked {
    must(items.len() <= MAX_LIST, field, "is too long")?;
    let twice = items.iter().enumerate().any(|(at, item)| items.iter().take(at).any(|i| i == item));
    must(!twice, field, "names one twice")
}

fn window(field: impl Display, length: u32) -> Checked {
    must(length <= MAX_WINDOW, field, "is longer than a hundred years of days")
}

fn positive(field: impl Display, money: Money) -> Checked {
    must(money.is_positive(), field, "must be more than 0")
}

fn share(field: impl Display, rate: Rate) -> Checked {
    must((Rate::ZERO..=Rate::ONE).contains(&rate), field, "must be 0 to 1")
}

fn not_negative(field: impl Display, rate: Rate) -> Checked {
    must(rate >= Rate::ZERO, field, "must not be negative")
}
