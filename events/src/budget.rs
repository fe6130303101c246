//! Facts of MDF budgets, on the budget's own stream.

use crate::{BudgetId, Code, Money, PartnerId, Period, ProgrammeId, event::area};

area! {
    /// Facts of MDF budgets.
    BudgetEvent {
        /// A budget was created.
        80, 1 => MdfBudgetCreated {
            /// The budget.
            budget: BudgetId,
            /// The programme.
            programme: ProgrammeId,
            /// How much.
            amount: Money,
            /// Its period.
            period: Period,
        }
        /// A budget was closed; what was not allocated goes back to its source.
        81, 1 => MdfBudgetClosed {
            /// The budget.
            budget: BudgetId,
            /// The programme.
            programme: ProgrammeId,
            /// What was not allocated.
            returned: Money,
        }
        /// Part of a budget was allocated to a partner; a policy credits the partner's fund.
        82, 1 => MdfAllocated {
            /// The budget.
            budget: BudgetId,
            /// The programme.
            programme: ProgrammeId,
            /// The partner.
            partner: PartnerId,
            /// How much.
            amount: Money,
        }
        /// An allocation came back to the budget.
        83, 1 => MdfAllocationReturned {
            /// The budget.
            budget: BudgetId,
            /// The programme.
            programme: ProgrammeId,
            /// The partner.
            partner: PartnerId,
            /// How much.
            amount: Money,
            /// The code with which the partner's fund refused the credit; none when it was given
            /// back.
            refused: Option<Code>,
        }
    }
}
