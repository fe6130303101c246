//! Facts of customers into their states.

use super::state::{Customer, Pair, PairState};
use crate::{RowsMut, Unavailable, deal, rows};
use chl_events::customer::{CustomerEvent, CustomersMerged};
use chl_events::{Commit, Instant};

pub(crate) fn evolve(
    event: &CustomerEvent,
    commit: &Commit,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let decided = |state| Pair { state, latest: commit.time() };
    match event {
        CustomerEvent::CustomerRegistered(event) => {
            let customer = Customer {
                parent: event.parent.clone(),
                product_lines: Vec::new(),
                absorbed: Vec::new(),
                merged_into: None,
            };
            rows::put(rows, &event.customer, customer);
            Ok(())
        }
        CustomerEvent::PossibleDuplicateReported(event) => {
            rows::put(rows, &event.conflict, decided(PairState::Reported));
            Ok(())
        }
        CustomerEvent::CustomersKeptApart(event) => {
            rows::put(rows, &event.conflict, decided(PairState::KeptApart));
            Ok(())
        }
        CustomerEvent::CustomersMerged(event) => {
            rows::put(rows, &event.conflict, decided(PairState::Merged));
            merged(event, commit.time(), rows)
        }
        CustomerEvent::CustomerAbsorbed(event) => {
            rows::update::<Customer>(rows, &event.customer, |customer| {
                customer.merged_into = Some(event.survivor.clone());
            })
        }
    }
}

/// The slots go over with who guards them. What guards nothing is found through the customer it
/// was registered on, and goes over when somebody touches it.
fn merged(
    event: &CustomersMerged,
    time: Instant,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let CustomersMerged { survivor, absorbed, .. } = event;
    let missing = || Unavailable(format!("{absorbed} was merged, and nobody registered it").into());
    let gone = rows::get::<Customer>(rows, absorbed)?.ok_or_else(missing)?;
    for product_line in &gone.product_lines {
        deal::move_slot(rows, (absorbed, survivor), product_line, time)?;
    }
    rows::update::<Customer>(rows, survivor, |customer| {
        let lines = gone.product_lines.iter();
        let new: Vec<_> =
            lines.filter(|line| !customer.product_lines.contains(line)).cloned().collect();
        customer.product_lines.extend(new);
        customer.absorbed.push(absorbed.clone());
        customer.absorbed.extend(gone.absorbed.iter().cloned());
    })
}
