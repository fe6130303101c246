//! Customers: the end customers on which deals are registered.

mod register_customer;
mod rejections;
mod state;

pub(crate) use rejections::CustomerRejection;
pub(crate) use state::Customer;
pub(crate) use state::known;

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rows};
use chl_commands::customer::Customer as Command;
use chl_events::customer::CustomerEvent;

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::RegisterCustomer(command) => register_customer::decide(command, facts, context),
    }
}

pub(crate) fn evolve(event: &CustomerEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        CustomerEvent::CustomerRegistered(event) => {
            let customer = Customer { parent: event.parent.clone() };
            rows::put(rows, &event.customer, customer);
            Ok(())
        }
    }
}
