//! AbsorbCustomer: the policy's end of a customer that was merged into another.

use super::known;
use crate::calendar::Zone;
use crate::{Context, Fact, Facts, Refusal};
use chl_commands::customer::AbsorbCustomer;
use chl_events::customer::CustomerAbsorbed;

pub(super) fn decide(
    command: &AbsorbCustomer,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    // One that has ended is refused, so that ending it twice is ending it once.
    known(facts, &command.customer)?;
    let AbsorbCustomer { customer, survivor } = command.clone();
    let event = CustomerAbsorbed { customer, survivor };
    Ok(vec![Fact::new(Zone::Utc.day(context.time), event)])
}
