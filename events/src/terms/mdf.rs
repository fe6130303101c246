//! Terms of MDF.

use super::claims::{ActivityCap, OverAvailable, ProofRule};
use crate::{Code, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
