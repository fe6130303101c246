//! What the terms of both funds say of claims: caps, proof, what is above the money there.

use crate::{Code, Money, Rate, posting::vocabulary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

vocabulary! {
    /// What happens to a claim above what is available.
    OverAvailable {
        /// It is capped, for good.
        Cap = 1 => "cap",
        /// It is refused.
        Refuse = 2 => "refuse",
    }
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
