//! Customers: the end customers on which deals are registered, and which of them are one company.
//!
//! Two customers that look alike are reported, and then kept apart or merged. A merge is decided on
//! the survivor; a policy ends the stream of the absorbed one.

mod absorb_customer;
mod fold;
mod keep_customers_apart;
mod meetings;
mod merge_customers;
mod register_customer;
mod rejections;
mod report_possible_duplicate;
mod state;

pub(crate) use fold::evolve;
pub(crate) use rejections::CustomerRejection;
pub(crate) use state::{Customer, Pair};
pub(crate) use state::{is_now, known, require_unmerged, survivor};

use crate::{Context, Due, Fact, Facts, Refusal, Unavailable};
use chl_commands::customer::Customer as Command;
use chl_events::Instant;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::RegisterCustomer(command) => register_customer::decide(command, facts, context),
        Command::ReportPossibleDuplicate(command) => {
            report_possible_duplicate::decide(command, facts, context)
        }
        Command::KeepCustomersApart(command) => {
            keep_customers_apart::decide(command, facts, context)
        }
        Command::MergeCustomers(command) => merge_customers::decide(command, facts, context),
        Command::AbsorbCustomer(command) => absorb_customer::decide(command, facts, context),
    }
}

/// What the clock owes on the slots that a merge brings together.
pub(crate) fn due(
    command: &Command,
    facts: Facts<'_>,
    time: Instant,
) -> Result<Vec<Due>, Unavailable> {
    match command {
        Command::MergeCustomers(command) => merge_customers::due(command, facts, time),
        Command::RegisterCustomer(_)
        | Command::ReportPossibleDuplicate(_)
        | Command::KeepCustomersApart(_)
        | Command::AbsorbCustomer(_) => Ok(Vec::new()),
    }
}
