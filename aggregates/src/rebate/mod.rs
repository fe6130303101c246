//! Rebates: what co-op lots became. The lot's event posts it; the fund keeps count.

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, money, partner, programme, rows};
use chl_commands::rebate::{CreditRebate, Rebate as Command};
use chl_events::Money;
use chl_events::rebate::{RebateCredited, RebateEvent};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A partner's rebate in a programme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RebateFund {
    /// What co-op lots became.
    pub credited: Money,
}

pub(crate) fn decide(
    command: &Command,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    match command {
        Command::CreditRebate(command) => credit(command, facts, context),
    }
}

/// CreditRebate: tells the rebate fund what a lot became, whatever the partner's state is now.
fn credit(
    command: &CreditRebate,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let CreditRebate { partner, programme, lot, amount } = command;
    money::positive(*amount, "amount")?;
    partner::known(facts, partner)?;
    let newest = programme::known(facts, programme)?.newest;
    let today = programme::version(facts, programme, newest)?.zone().day(context.time);
    let fund = facts.get::<RebateFund>((programme, partner))?;
    let credited = fund.map_or_else(|| amount.currency().zero(), |fund| fund.credited);
    money::sum(credited, *amount, "data.amount")?;
    let event = RebateCredited {
        partner: partner.clone(),
        programme: programme.clone(),
        lot: lot.clone(),
        amount: *amount,
    };
    Ok(vec![Fact::new(today, event)])
}

pub(crate) fn evolve(event: &RebateEvent, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    match event {
        RebateEvent::RebateCredited(event) => {
            let key = (&event.programme, &event.partner);
            let fund = rows::get::<RebateFund>(&*rows, key)?;
            let none = RebateFund { credited: event.amount.currency().zero() };
            let mut fund = fund.map_or(none, Arc::unwrap_or_clone);
            money::add(&mut fund.credited, event.amount);
            rows::put(rows, key, fund);
            Ok(())
        }
    }
}
