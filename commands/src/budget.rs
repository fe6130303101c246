//! Commands on MDF budgets.

use crate::catalog::area;
use chl_events::{BudgetId, Code, Money, PartnerId, Period, ProgrammeId, Stream};

area! {
    /// Commands on MDF budgets.
    Budget = "budget" {
        /// Creates an MDF budget.
        80, 1 => CreateMdfBudget by [Finance, ChannelManager]
            on |c| Some(Stream::Budget(c.budget.clone())); of |c| None; seals [] {
            /// The budget.
            budget: BudgetId,
            /// The programme.
            programme: ProgrammeId,
            /// How much.
            amount: Money,
            /// Its period.
            period: Period,
        }
        /// Closes a budget; what is not allocated goes back to its source.
        81, 1 => CloseMdfBudget by [Finance]
            on |c| Some(Stream::Budget(c.budget.clone())); of |c| None; seals [] {
            /// The budget.
            budget: BudgetId,
        }
        /// Allocates part of a budget to a partner.
        82, 1 => AllocateMdf by [Finance, ChannelManager]
            on |c| Some(Stream::Budget(c.budget.clone())); of |c| None; seals [] {
            /// The budget.
            budget: BudgetId,
            /// The partner.
            partner: PartnerId,
            /// How much.
            amount: Money,
        }
        /// Takes an allocation back into the budget; sent by a policy.
        83, 1 => RestoreMdfBudget by [Policy]
            on |c| Some(Stream::Budget(c.budget.clone())); of |c| None; seals [] {
            /// The budget.
            budget: BudgetId,
            /// The partner.
            partner: PartnerId,
            /// How much.
            amount: Money,
            /// The code with which the partner's fund refused the credit; absent: given back.
            #[serde(default)]
            refused: Option<Code>,
        }
    }
}
