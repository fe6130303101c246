//! States of deals.

use super::DealRejection;
use crate::calendar::Zone;
use crate::programme::{self, Version};
use crate::{Facts, Unavailable};
use chl_events::deal::Contract;
use chl_events::{
    Code, ConflictId, CustomerId, Date, DealId, Instant, Money, PartnerId, ProgrammeId,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DealState {
    /// Registered, not decided.
    Submitted,
    /// Protected.
    Approved,
    /// Registered on another's guarded slot; submitted again once its conflict has lapsed.
    Contested,
    /// Won.
    Won,
    /// Lost.
    Lost,
    /// Its protection ran out.
    Expired,
    /// Withdrawn by its partner.
    Withdrawn,
    /// Lost its slot to a challenger.
    Displaced,
    /// Rejected by the vendor.
    Rejected,
}

impl DealState {
    /// The word, as in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Approved => "approved",
            Self::Contested => "contested",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Expired => "expired",
            Self::Withdrawn => "withdrawn",
            Self::Displaced => "displaced",
            Self::Rejected => "rejected",
        }
    }
}

/// A deal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deal {
    /// The customer.
    pub customer: CustomerId,
    /// The partner; none when the vendor sells itself.
    pub partner: Option<PartnerId>,
    /// The programme.
    pub programme: ProgrammeId,
    /// The version of the terms it was registered under.
    pub registered_under: u32,
    /// The version it was approved under; extension follows it.
    pub approved_under: Option<u32>,
    /// The product line.
    pub product_line: Code,
    /// The territory.
    pub territory: Option<Code>,
    /// Where it stands; `Contested` for as long as its conflict is not decided, see `standing`.
    pub state: DealState,
    /// Its value.
    pub value: Money,
    /// Its contract.
    pub contract: Option<Contract>,
    /// When it is expected to close.
    pub expected_close: Option<Date>,
    /// When it was registered.
    pub registered_at: Instant,
    /// The end of its protection, once approved.
    pub protected_until: Option<Instant>,
    /// How often it was extended.
    pub extensions: u32,
    /// The one conflict it came into as the challenger.
    pub conflict: Option<ConflictId>,
    /// Whether it guards its slot.
    pub guards: bool,
}

impl Deal {
    /// The version of the terms that counts for it now.
    pub(crate) fn version(&self, facts: Facts<'_>) -> Result<Arc<Version>, Unavailable> {
        let number = self.approved_under.unwrap_or(self.registered_under);
        programme::version(facts, &self.programme, number)
    }

    /// The zone its days are counted in.
    pub(crate) fn zone(&self, facts: Facts<'_>) -> Result<Zone, Unavailable> {
        Ok(self.version(facts)?.zone().clone())
    }
}

/// The rejection of a command that a deal's state does not allow.
pub(crate) fn wrong_state(deal: &DealId, state: DealState) -> DealRejection {
    DealRejection::WrongState { deal: deal.clone(), state: state.as_str() }
}

/// The rejection of a command that would take a deal to `done` and cannot: it stands there
/// already, or where the command does not lead on.
pub(super) fn done_or_wrong(deal: &DealId, state: DealState, done: DealState) -> DealRejection {
    if state == done {
        DealRejection::AlreadySo { deal: deal.clone(), state: state.as_str() }
    } else {
        wrong_state(deal, state)
    }
}

/// Checks that a deal waits for the vendor's decision, which takes it to `done`; a contested one
/// waits for its conflict's.
pub(super) fn require_submitted(
    id: &DealId,
    deal: &Deal,
    state: DealState,
    done: DealState,
) -> Result<(), DealRejection> {
    match (state, &deal.conflict) {
        (DealState::Submitted, _) => Ok(()),
        (DealState::Contested, Some(conflict)) => {
            let (deal, conflict) = (id.clone(), conflict.clone());
            Err(DealRejection::Contested { deal, conflict })
        }
        _ => Err(done_or_wrong(id, state, done)),
    }
}
