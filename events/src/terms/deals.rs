//! Terms of deal registration: protection, slots, conflicts.

use crate::{Code, CustomerId, Money, Rate, Role, posting::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
