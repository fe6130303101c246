//! Rejections of MDF budgets.

use crate::rejection::rejections;
use chl_events::{BudgetId, Money};

rejections! {
    /// Rejections of MDF budgets, in order of precedence.
    BudgetRejection {
        /// No such budget was created. Create it first.
        UnknownBudget { budget: BudgetId }
            = "budget.unknown", Unknown, "no budget {budget} is known";
        /// The identifier of the budget is taken.
        BudgetTaken { budget: BudgetId }
            = "budget.taken", AlreadyDone, "a budget {budget} exists already";
        /// The budget is closed; nothing is allocated from it any more.
        BudgetClosed { budget: BudgetId }
            = "budget.closed", WrongState, "budget {budget} is closed";
        /// The budget does not hold so much that is not allocated.
        OverBudget { unallocated: Money, given: Money }
            = "budget.exhausted", Money, "{given} is more than the {unallocated} not allocated";
    }
}
