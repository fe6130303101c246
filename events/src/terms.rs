//! Terms: the rules a programme version states. Data, never code; every default is written out
//! into the published version.

use crate::{Code, CustomerId, Exact, Money, Rate, Role, posting::vocabulary};
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

vocabulary! {
    /// Who approves a registration.
    ApprovalMode {
        /// The terms, as it is registered.
        Auto = 1 => "auto",
        /// A person.
        Manual = 2 => "manual",
        /// The terms below an amount, a person from it on.
        AutoBelow = 3 => "auto_below",
    }
}

vocabulary! {
    /// What happens when a second partner comes to a guarded slot.
    ConflictRule {
        /// The first registered stands until a person decides otherwise.
        FirstRegistered = 1 => "first_registered",
        /// A person decides who is most qualified.
        MostQualified = 2 => "most_qualified",
        /// Both are protected, without a person.
        Joint = 3 => "joint",
    }
}

vocabulary! {
    /// What a minimum value is held against.
    ValueBasis {
        /// The deal's value.
        Deal = 1 => "deal",
        /// The annual contract value.
        Acv = 2 => "acv",
    }
}

vocabulary! {
    /// What makes a slot.
    SlotRule {
        /// Customer and product line.
        ProductLine = 1 => "product_line",
        /// Customer, product line and territory.
        Territory = 2 => "territory",
    }
}

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
    /// What happens to a claim above what is available.
    OverAvailable {
        /// It is capped, for good.
        Cap = 1 => "cap",
        /// It is refused.
        Refuse = 2 => "refuse",
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

/// A level of authority over conflicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictLevel {
    /// The level, from 1 up.
    pub level: u8,
    /// The role that may decide at it.
    pub role: Role,
    /// Within how many days it should decide.
    pub days: u32,
}

/// Rules of deal registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DealTerms {
    /// The least value that may be registered.
    pub minimum_value: Option<Money>,
    /// What the minimum is held against.
    pub minimum_basis: ValueBasis,
    /// Over how many years a perpetual contract counts for its annual value.
    pub perpetual_years: u32,
    /// For how many days an approved deal is protected.
    pub protection_days: u32,
    /// By how many days an extension prolongs protection.
    pub extension_days: u32,
    /// How often protection may be extended.
    pub max_extensions: u32,
    /// Who approves.
    pub approval: ApprovalMode,
    /// The amount below which approval is automatic, for `auto_below`.
    pub auto_below: Option<Money>,
    /// What happens at a guarded slot.
    pub conflict_rule: ConflictRule,
    /// What makes a slot.
    pub slot: SlotRule,
    /// Whether a partner may hold only one deal in its own slot.
    pub one_deal_per_slot: bool,
    /// How many days before its expected close a deal must be registered.
    pub register_before_close_days: Option<u32>,
    /// Within how many days of the contract's signature a deal must be registered.
    pub register_within_days_of_signature: Option<u32>,
    /// The discount or credit a registered deal earns.
    pub discount_rate: Option<Rate>,
    /// Within how many hours the vendor should decide.
    pub approval_sla_hours: Option<u32>,
    /// Who decides conflicts, by level.
    #[schemars(length(max = 16))]
    pub conflict_levels: Vec<ConflictLevel>,
    /// The product lines that can be registered; empty: all.
    #[schemars(length(max = 256))]
    pub product_lines: Vec<Code>,
    /// Customers the vendor sells to directly.
    #[schemars(length(max = 1024))]
    pub reserved_accounts: Vec<CustomerId>,
}

impl Default for DealTerms {
    fn default() -> Self {
        Self {
            minimum_value: None,
            minimum_basis: ValueBasis::Deal,
            perpetual_years: 6,
            protection_days: 90,
            extension_days: 30,
            max_extensions: 1,
            approval: ApprovalMode::Manual,
            auto_below: None,
            conflict_rule: ConflictRule::FirstRegistered,
            slot: SlotRule::ProductLine,
            one_deal_per_slot: false,
            register_before_close_days: None,
            register_within_days_of_signature: None,
            discount_rate: None,
            approval_sla_hours: None,
            conflict_levels: vec![ConflictLevel { level: 1, role: Role::ChannelManager, days: 14 }],
            product_lines: Vec::new(),
            reserved_accounts: Vec::new(),
        }
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

/// A cap on the claims of an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityCap {
    /// The activity; absent: every activity.
    #[serde(default)]
    pub activity: Option<Code>,
    /// The most one claim pays.
    #[serde(default)]
    pub amount: Option<Money>,
    /// The most the claims of the activity draw of one lot, as a share of what it earned.
    #[serde(default)]
    pub share_of_lot: Option<Rate>,
}

/// Which kinds of proof an activity needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofRule {
    /// The activity; absent: every activity.
    #[serde(default)]
    pub activity: Option<Code>,
    /// The kinds, all of which are needed.
    #[schemars(length(max = 16))]
    pub kinds: Vec<Code>,
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

/// Rules of MDF.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MdfTerms {
    /// The vendor's share of an activity's cost.
    pub match_rate: Rate,
    /// Within how many days of the activity a claim must come.
    pub claim_days: u32,
    /// For how many days after a request's claim window its money, clawed back, returns to the
    /// partner.
    pub tail_days: u32,
    /// Caps per activity; `share_of_lot` has no meaning here.
    #[schemars(length(max = 64))]
    pub caps: Vec<ActivityCap>,
    /// Proof per activity.
    #[schemars(length(max = 64))]
    pub proofs: Vec<ProofRule>,
    /// Activities that are not paid for.
    #[schemars(length(max = 64))]
    pub excluded_activities: Vec<Code>,
    /// Whether the outcome must be reported before payment.
    pub roi_report: bool,
    /// What happens to a claim above what is reserved.
    pub over_available: OverAvailable,
}

impl Default for MdfTerms {
    fn default() -> Self {
        Self {
            match_rate: Rate::ONE,
            claim_days: 60,
            tail_days: 90,
            caps: Vec::new(),
            proofs: Vec::new(),
            excluded_activities: Vec::new(),
            roi_report: false,
            over_available: OverAvailable::Cap,
        }
    }
}

vocabulary! {
    /// A category of the scorecard.
    Category {
        /// Money.
        Financial = 1 => "financial",
        /// How deals go.
        Operational = 2 => "operational",
        /// What its people can do.
        Capability = 3 => "capability",
        /// What its customers say and do.
        Customer = 4 => "customer",
        /// How it uses the programme.
        Engagement = 5 => "engagement",
    }
}

/// How a metric becomes points: `clamp((x − lo) / (hi − lo), 0, 1)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricTerms {
    /// The metric, by its name in the scorecard.
    pub metric: Code,
    /// The value that scores 0.
    pub lo: Exact,
    /// The value that scores 1; below `lo` where lower is better.
    pub hi: Exact,
    /// Its weight within its category.
    pub weight: Rate,
}

/// The weight of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryWeight {
    /// The category.
    pub category: Category,
    /// Its weight in points.
    pub weight: Rate,
}

/// What a partner must reach at the least.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// The least total, in points of 100.
    pub threshold: Rate,
    /// Whether a metric at zero fails the gate.
    #[serde(default)]
    pub no_metric_at_zero: bool,
}

/// How many people should hold a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredCredential {
    /// The credential.
    pub credential: Code,
    /// How many people.
    pub people: u32,
}

/// How partners are graded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScorecardTerms {
    /// The weights of the five categories.
    #[schemars(length(max = 5))]
    pub weights: Vec<CategoryWeight>,
    /// How metrics become points; a metric not named here is shown and not scored.
    #[schemars(length(max = 64))]
    pub metrics: Vec<MetricTerms>,
    /// What a partner must reach; absent: nothing.
    pub gate: Option<Gate>,
    /// Whether the value of a won deal counts as revenue beside recorded sales.
    pub count_won_value: bool,
    /// The people a partner needs.
    #[schemars(length(max = 64))]
    pub required_credentials: Vec<RequiredCredential>,
}

impl Default for ScorecardTerms {
    fn default() -> Self {
        let weight = |category, points: u8| CategoryWeight {
            category,
            weight: Rate::new(points.into()).expect("two digits are within nine"),
        };
        let unit = |metric: &str| MetricTerms {
            metric: Code::new(metric).expect("a literal of the allowed characters"),
            lo: Exact::new(0.into()),
            hi: Exact::new(1.into()),
            weight: Rate::ONE,
        };
        Self {
            weights: vec![
                weight(Category::Financial, 30),
                weight(Category::Operational, 25),
                weight(Category::Capability, 15),
                weight(Category::Customer, 20),
                weight(Category::Engagement, 10),
            ],
            metrics: ["win_rate", "registration_conversion", "forecast_accuracy"]
                .into_iter()
                .chain(["coverage", "satisfaction", "renewal_rate", "mdf_utilisation"])
                .chain(["growth", "plan_attainment"])
                .map(unit)
                .collect(),
            gate: None,
            count_won_value: false,
            required_credentials: Vec::new(),
        }
    }
}
