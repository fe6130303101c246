//! Terms of co-op: accrual, lots, claims.

use super::claims::{ActivityCap, OverAvailable, ProofRule};
use crate::{Code, Exact, Money, Rate, posting::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// How volume bands apply.
    BandMode {
        /// Each part of the volume at the rate of its own band.
        Marginal = 1 => "marginal",
        /// The whole volume at the rate of the band it reaches.
        WholeAmount = 2 => "whole_amount",
    }
}

vocabulary! {
    /// How long an earning period is.
    EarningPeriod {
        /// A month.
        Month = 1 => "month",
        /// Three months.
        Quarter = 2 => "quarter",
        /// Six months.
        Half = 3 => "half",
        /// Twelve months.
        Year = 4 => "year",
    }
}

vocabulary! {
    /// From when on what was earned can be used.
    UsableFrom {
        /// From the first earning day.
        AtOnce = 1 => "at_once",
        /// After the earning period.
        AfterPeriod = 2 => "after_period",
    }
}

vocabulary! {
    /// What happens to an accrual whose lot is past its window.
    LateAccrual {
        /// The lot of the recording date takes it.
        NextLot = 1 => "next_lot",
        /// It is refused.
        Refuse = 2 => "refuse",
    }
}

/// A band of volume and its rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Where it begins, in units of the programme's currency; the first at 0.
    pub from: Exact,
    /// Its rate.
    pub rate: Rate,
}

/// A rate of accrual and whom it is for; the first that fits counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccrualRate {
    /// Only partners of this tier.
    #[serde(default)]
    pub tier: Option<Code>,
    /// Only sales of this product line.
    #[serde(default)]
    pub product_line: Option<Code>,
    /// Its bands by volume; a single one from 0 is a flat rate.
    #[schemars(length(min = 1, max = 32))]
    pub bands: Vec<Band>,
    /// How the bands apply; must be said where there are several.
    #[serde(default)]
    pub mode: Option<BandMode>,
}

/// Rules of co-op.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CoopTerms {
    /// Rates of accrual; the first that fits counts.
    #[schemars(length(max = 256))]
    pub accrual: Vec<AccrualRate>,
    /// How long an earning period is.
    pub earning_period: EarningPeriod,
    /// The month the fiscal year starts in, 1 to 12.
    #[schemars(range(min = 1, max = 12))]
    pub fiscal_start_month: u8,
    /// From when on what was earned can be used.
    pub usable: UsableFrom,
    /// For how many months after the earning period a lot pays for activities.
    pub usage_months: u32,
    /// Within how many days of the activity a claim must come.
    pub claim_days: u32,
    /// How many days after its last usable day a lot expires; absent: `claim_days`.
    pub expiry_days: Option<u32>,
    /// The share of what was earned that becomes rebate when the period closes.
    pub rebate_share: Rate,
    /// A lot whose co-op share is below this when its period closes becomes rebate as a whole.
    pub conversion_threshold: Option<Money>,
    /// The vendor's share of an activity's cost.
    pub match_rate: Rate,
    /// Caps per activity.
    #[schemars(length(max = 64))]
    pub caps: Vec<ActivityCap>,
    /// Proof per activity.
    #[schemars(length(max = 64))]
    pub proofs: Vec<ProofRule>,
    /// Activities that are not paid for.
    #[schemars(length(max = 64))]
    pub excluded_activities: Vec<Code>,
    /// What happens to a claim above what is available.
    pub over_available: OverAvailable,
    /// What happens to an accrual whose lot is past its window.
    pub late_accrual: LateAccrual,
}

impl Default for CoopTerms {
    fn default() -> Self {
        Self {
            accrual: Vec::new(),
            earning_period: EarningPeriod::Quarter,
            fiscal_start_month: 1,
            usable: UsableFrom::AtOnce,
            usage_months: 6,
            claim_days: 60,
            expiry_days: None,
            rebate_share: Rate::ZERO,
            conversion_threshold: None,
            match_rate: Rate::ONE,
            caps: Vec::new(),
            proofs: Vec::new(),
            excluded_activities: Vec::new(),
            over_available: OverAvailable::Cap,
            late_accrual: LateAccrual::NextLot,
        }
    }
}
