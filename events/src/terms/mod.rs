//! Terms: the rules a programme version states. Data, never code; every default is written out
//! into the published version.

mod claims;
mod coop;
mod deals;
mod mdf;
mod scorecard;

pub use claims::{ActivityCap, OverAvailable, ProofRule};
pub use coop::{AccrualRate, Band, BandMode, CoopTerms, EarningPeriod, LateAccrual, UsableFrom};
pub use deals::{ApprovalMode, ConflictLevel, ConflictRule, DealTerms, SlotRule, ValueBasis};
pub use mdf::MdfTerms;
pub use scorecard::{
    Category, CategoryWeight, Gate, MetricTerms, RequiredCredential, ScorecardTerms,
};

use crate::{Code, posting::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// Where incentives are booked.
    IncentiveAccount {
        /// Reduces revenue: consideration payable to a customer (ASC 606-10-32-25).
        ContraRevenue = 1 => "contra_revenue",
        /// An expense.
        Expense = 2 => "expense",
    }
}

vocabulary! {
    /// How an amount is rounded to the currency's minor unit.
    Rounding {
        /// To the nearest; halves to the even neighbour.
        HalfEven = 1 => "half_even",
        /// To the nearest; halves away from zero.
        HalfUp = 2 => "half_up",
        /// Towards zero.
        Down = 3 => "down",
        /// Away from zero.
        Up = 4 => "up",
    }
}

/// The rules of one programme version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Terms {
    /// Where incentives are booked.
    pub incentive_account: IncentiveAccount,
    /// How amounts are rounded.
    pub rounding: Rounding,
    /// The tiers, lowest first; empty: no tiers.
    #[schemars(length(max = 32))]
    pub tiers: Vec<Code>,
    /// For how many days after a partner's termination its open claims run off.
    pub tail_days: u32,
    /// Deal registration; absent: none in this programme.
    pub deal_registration: Option<DealTerms>,
    /// Co-op; absent: none in this programme.
    pub coop: Option<CoopTerms>,
    /// MDF; absent: none in this programme.
    pub mdf: Option<MdfTerms>,
    /// How partners are graded.
    pub scorecard: ScorecardTerms,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            incentive_account: IncentiveAccount::ContraRevenue,
            rounding: Rounding::HalfEven,
            tiers: Vec::new(),
            tail_days: 90,
            deal_registration: None,
            coop: None,
            mdf: None,
            scorecard: ScorecardTerms::default(),
        }
    }
}
