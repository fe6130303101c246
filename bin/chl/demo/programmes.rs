//! The three programmes of the demo, with terms from published worked examples.

use serde_json::{Value, json};

/// What the generator knows of a programme's terms, to send what fits them.
#[derive(Debug)]
pub(super) struct Programme {
    /// Its identifier.
    pub(super) id: &'static str,
    /// The currency of its funds.
    pub(super) currency: &'static str,
    /// For how many days an approved deal is protected.
    pub(super) protection_days: i64,
    /// By how many days an extension prolongs protection.
    pub(super) extension_days: i64,
    /// Below which value, in minor units, the terms approve a registration themselves.
    pub(super) auto_below: i64,
    /// The least value of a deal, in minor units.
    pub(super) minimum_value: i64,
    /// The most a deal is worth here, in minor units.
    pub(super) largest_value: i64,
    /// Whether registrations name a contract: the terms look at its annual value.
    pub(super) contracts: bool,
    /// Whether a second partner at a slot is protected too, without a person.
    pub(super) joint: bool,
    /// The months of an earning period.
    pub(super) period_months: i32,
    /// For how many months after the period a lot pays.
    pub(super) usage_months: i32,
    /// Whether a lot pays only once its period is over.
    pub(super) after_period: bool,
    /// Within how many days of the activity a claim must come.
    pub(super) claim_days: i64,
    /// What of a sale becomes co-op in the end, about, per mille.
    pub(super) yield_per_mille: i64,
    /// The vendor's share of an activity's cost, in percent.
    pub(super) match_percent: i64,
    /// The largest sale here, in minor units.
    pub(super) largest_sale: i64,
}

/// The programmes, by their place.
pub(super) const PROGRAMMES: [Programme; 3] = [
    Programme {
        id: "accelerate",
        currency: "USD",
        protection_days: 90,
        extension_days: 30,
        auto_below: 2_500_000,
        minimum_value: 500_000,
        largest_value: 25_000_000,
        contracts: false,
        joint: false,
        period_months: 3,
        usage_months: 3,
        after_period: false,
        claim_days: 60,
        yield_per_mille: 20,
        match_percent: 50,
        largest_sale: 12_000_000,
    },
    Programme {
        id: "momentum",
        currency: "EUR",
        protection_days: 60,
        extension_days: 30,
        auto_below: 0,
        minimum_value: 100_000,
        largest_value: 12_000_000,
        contracts: false,
        joint: false,
        period_months: 1,
        usage_months: 2,
        after_period: false,
        claim_days: 30,
        yield_per_mille: 30,
        match_percent: 50,
        largest_sale: 6_000_000,
    },
    Programme {
        id: "summit",
        currency: "GBP",
        protection_days: 120,
        extension_days: 45,
        auto_below: 0,
        minimum_value: 2_500_000,
        largest_value: 60_000_000,
        contracts: true,
        joint: true,
        period_months: 6,
        usage_months: 6,
        after_period: true,
        claim_days: 60,
        yield_per_mille: 20,
        match_percent: 100,
        largest_sale: 40_000_000,
    },
];

/// The product lines that partners sell.
pub(super) const PRODUCT_LINES: [&str; 6] =
    ["routing", "switching", "wireless", "storage", "security", "analytics"];

/// The territories.
pub(super) const TERRITORIES: [&str; 5] = ["north", "south", "east", "west", "central"];

/// The tiers, lowest first.
pub(super) const TIERS: [&str; 3] = ["silver", "gold", "platinum"];

/// Activities that the funds pay for.
pub(super) const ACTIVITIES: [&str; 6] =
    ["advertising", "event", "webinar", "direct_mail", "demo_unit", "training"];

/// An activity that they do not pay for.
pub(super) const EXCLUDED_ACTIVITY: &str = "travel";

/// The versions that are published as the year begins, as data of PublishProgramme.
pub(super) fn first_versions() -> [Value; 3] {
    [
        json!({ "programme": "accelerate", "version": 1, "effective_from": "2025-01-01",
            "currency": "USD", "time_zone": "America/New_York", "terms": accelerate("0.02") }),
        json!({ "programme": "momentum", "version": 1, "effective_from": "2025-01-01",
            "currency": "EUR", "time_zone": "Europe/Berlin", "terms": momentum() }),
        json!({ "programme": "summit", "version": 1, "effective_from": "2025-01-01",
            "currency": "GBP", "time_zone": "Europe/London", "terms": summit() }),
    ]
}

/// The version that raises a rate in the middle of the year.
pub(super) fn second_version() -> Value {
    json!({ "programme": "accelerate", "version": 2, "effective_from": "2025-07-01",
        "currency": "USD", "time_zone": "America/New_York", "terms": accelerate("0.025") })
}

fn levels() -> Value {
    json!([
        { "level": 1, "role": "channel_manager", "days": 14 },
        { "level": 2, "role": "channel_manager", "days": 10 },
        { "level": 3, "role": "channel_manager", "days": 5 },
    ])
}

/// A share of purchases, half of an activity, sixty days to claim (worked examples 1 and 2).
fn accelerate(rate: &str) -> Value {
    json!({
        "tiers": TIERS,
        "deal_registration": {
            "minimum_value": { "amount": "5000.00", "currency": "USD" },
            "protection_days": 90, "extension_days": 30, "max_extensions": 1,
            "approval": "auto_below",
            "auto_below": { "amount": "25000.00", "currency": "USD" },
            "conflict_rule": "first_registered", "slot": "product_line",
            "discount_rate": "0.05", "approval_sla_hours": 72, "conflict_levels": levels(),
        },
        "coop": {
            "accrual": [{ "bands": [{ "from": "0", "rate": rate }] }],
            "earning_period": "quarter", "usage_months": 3, "claim_days": 60,
            "match_rate": "0.5", "excluded_activities": [EXCLUDED_ACTIVITY],
            "proofs": [
                { "kinds": ["invoice"] },
                { "activity": "advertising", "kinds": ["invoice", "screenshot"] },
            ],
        },
        "mdf": {
            "match_rate": "0.5", "claim_days": 45, "tail_days": 60,
            "proofs": [{ "kinds": ["invoice"] }], "excluded_activities": [EXCLUDED_ACTIVITY],
        },
        "scorecard": {
            "count_won_value": true,
            "required_credentials": [{ "credential": "sales_associate", "people": 2 }],
        },
    })
}

/// Bands of volume, each part at the rate of its own (worked example 3).
fn momentum() -> Value {
    json!({
        "incentive_account": "expense", "rounding": "half_up", "tiers": TIERS,
        "deal_registration": {
            "minimum_value": { "amount": "1000.00", "currency": "EUR" },
            "protection_days": 60, "extension_days": 30, "max_extensions": 2,
            "approval": "manual", "conflict_rule": "most_qualified", "slot": "territory",
            "one_deal_per_slot": true, "conflict_levels": levels(),
        },
        "coop": {
            "accrual": [{
                "mode": "marginal",
                "bands": [
                    { "from": "0", "rate": "0.03" },
                    { "from": "7500", "rate": "0.04" },
                    { "from": "25000", "rate": "0.05" },
                ],
            }],
            "earning_period": "month", "usage_months": 2, "claim_days": 30,
            "match_rate": "0.5", "over_available": "refuse",
            "proofs": [{ "kinds": ["invoice"] }], "excluded_activities": [EXCLUDED_ACTIVITY],
        },
        "mdf": {
            "match_rate": "0.75", "claim_days": 30, "tail_days": 30, "roi_report": true,
            "proofs": [{ "kinds": ["invoice"] }], "excluded_activities": [EXCLUDED_ACTIVITY],
            "caps": [{ "activity": "event",
                "amount": { "amount": "20000.00", "currency": "EUR" } }],
        },
    })
}

/// Half a year's earnings split between rebate and co-op (worked example 4), registrations held
/// against the annual value of their contract (worked example 6).
fn summit() -> Value {
    json!({
        "tiers": TIERS, "tail_days": 60,
        "deal_registration": {
            "minimum_value": { "amount": "25000.00", "currency": "GBP" }, "minimum_basis": "acv",
            "perpetual_years": 6, "register_within_days_of_signature": 60,
            "protection_days": 120, "extension_days": 45, "max_extensions": 1,
            "approval": "manual", "conflict_rule": "joint", "slot": "product_line",
            "conflict_levels": levels(),
        },
        "coop": {
            "accrual": [
                { "tier": "platinum", "bands": [{ "from": "0", "rate": "0.06" }] },
                { "tier": "gold", "bands": [{ "from": "0", "rate": "0.055" }] },
                { "bands": [{ "from": "0", "rate": "0.05" }] },
            ],
            "earning_period": "half", "usable": "after_period", "usage_months": 6,
            "claim_days": 60, "rebate_share": "0.6",
            "conversion_threshold": { "amount": "10000.00", "currency": "GBP" },
            "caps": [{ "share_of_lot": "0.25" }],
            "proofs": [{ "kinds": ["invoice"] }], "excluded_activities": [EXCLUDED_ACTIVITY],
        },
        "mdf": {
            "match_rate": "0.5", "claim_days": 60, "tail_days": 90,
            "proofs": [{ "kinds": ["invoice"] }], "excluded_activities": [EXCLUDED_ACTIVITY],
        },
    })
}
