//! States of co-op: a row for each fund, lot and sale.

use crate::money::{add, take};
use crate::{Facts, RowsMut, Unavailable, programme, rows};
use chl_events::coop::{
    CoopAccrualReversed, CoopAccrued, CoopLotExpired, CoopLotOpened, CoopPeriodClosed,
};
use chl_events::terms::IncentiveAccount;
use chl_events::{Code, Currency, Date, Instant, LotId, Money, PartnerId, ProgrammeId, SaleId};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A partner's co-op in a programme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CoopFund {
    /// Its currency.
    pub currency: Currency,
    /// What the partner owes: returns that lots no longer held, and clawbacks.
    pub owed: Money,
    /// The lots that have not expired: what a claim looks through.
    pub lots: BTreeMap<LotId, OpenLot>,
}

/// What a fund knows of a lot that has not expired.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenLot {
    /// First earning day.
    pub earning_from: Date,
    /// Last earning day.
    pub earning_until: Date,
    /// The first activity date it pays for.
    pub usable_from: Date,
    /// The last activity date it pays for.
    pub usable_until: Date,
    /// The last day a claim may draw on it.
    pub claims_until: Date,
    /// When its earning period is to be closed; none once it is.
    pub closes_at: Option<Instant>,
    /// When what is not held expires.
    pub expires_at: Instant,
}

impl OpenLot {
    fn of(event: &CoopLotOpened) -> Self {
        Self {
            earning_from: event.earning_from,
            earning_until: event.earning_until,
            usable_from: event.usable_from,
            usable_until: event.usable_until,
            claims_until: event.claims_until,
            closes_at: Some(event.closes_at),
            expires_at: event.expires_at,
        }
    }
}

/// A lot: what one earning period accrued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lot {
    /// The version whose terms it opened under; they close it and say where it is booked.
    pub programme_version: u32,
    /// The last activity date it pays for, and the last day on which it takes late accruals.
    pub usable_until: Date,
    /// When its earning period is over.
    pub closes_at: Instant,
    /// When what is not held expires.
    pub expires_at: Instant,
    /// What was earned, net of returns.
    pub earned: Money,
    /// What became rebate.
    pub converted: Money,
    /// What is accrued and neither held, paid, converted nor expired (AL).
    pub available: Money,
    /// Whether its earning period was closed.
    pub closed: bool,
    /// Whether all of it became rebate as it closed.
    pub became_rebate: bool,
    /// Whether it has expired.
    pub expired: bool,
    /// The net sales by the rate they accrued at, where bands depend on them.
    #[serde(serialize_with = "shown_as_pairs")]
    pub volumes: BTreeMap<RateKey, Money>,
    /// What claims drew of it, by activity, net of what went back.
    pub drawn: BTreeMap<Code, Money>,
}

/// Where people read it, a map whose keys are no texts is a list of pairs.
fn shown_as_pairs<S: Serializer>(
    volumes: &BTreeMap<RateKey, Money>,
    to: S,
) -> Result<S::Ok, S::Error> {
    if to.is_human_readable() { to.collect_seq(volumes) } else { volumes.serialize(to) }
}

/// What names a rate of accrual for ever: the version, and whom the rate is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RateKey {
    /// The version.
    pub programme_version: u32,
    /// Its tier, where it is for one.
    pub tier: Option<Code>,
    /// Its product line, where it is for one.
    pub product_line: Option<Code>,
}

/// A sale that accrued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sale {
    /// The lot that took it.
    pub lot: LotId,
    /// The rate it accrued at.
    pub rate: RateKey,
    /// When it was sold.
    pub sold_on: Date,
    /// Its net amount.
    pub net: Money,
    /// How much of the net amount was returned.
    pub returned: Money,
}

impl Lot {
    /// Where it is booked: the account of the terms it opened under.
    pub(crate) fn account(
        &self,
        facts: Facts<'_>,
        programme: &ProgrammeId,
    ) -> Result<IncentiveAccount, Unavailable> {
        let version = programme::version(facts, programme, self.programme_version)?;
        Ok(version.terms.incentive_account)
    }

    /// The volume that its bands have seen at a rate.
    pub(super) fn volume(&self, rate: &RateKey) -> Money {
        let zero = self.earned.currency().zero();
        self.volumes.get(rate).copied().unwrap_or(zero)
    }

    /// What claims of an activity drew of it.
    pub(crate) fn drawn(&self, activity: &Code) -> Money {
        let zero = self.earned.currency().zero();
        self.drawn.get(activity).copied().unwrap_or(zero)
    }
}

/// The fund, once it has a lot.
pub(crate) fn fund(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
) -> Result<Option<Arc<CoopFund>>, Unavailable> {
    facts.get((programme, partner))
}

/// A lot of a fund.
pub(crate) fn lot(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    lot: &LotId,
) -> Result<Option<Arc<Lot>>, Unavailable> {
    facts.get((programme, partner, lot))
}

/// A lot that a recorded fact names.
pub(crate) fn lot_of_fact(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    id: &LotId,
) -> Result<Arc<Lot>, Unavailable> {
    let missing = || Unavailable(format!("no lot {id}, which a fact names").into());
    lot(facts, programme, partner, id)?.ok_or_else(missing)
}

/// A sale that accrued in a fund.
pub(crate) fn sale(
    facts: Facts<'_>,
    programme: &ProgrammeId,
    partner: &PartnerId,
    sale: &SaleId,
) -> Result<Option<Arc<Sale>>, Unavailable> {
    facts.get((programme, partner, sale))
}

pub(super) fn opened(event: &CoopLotOpened, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let version = programme::version(Facts(&*rows), programme, event.programme_version)?;
    let zero = version.currency.zero();
    let fund = rows::get::<CoopFund>(&*rows, (programme, partner))?;
    let empty = || CoopFund { currency: version.currency, owed: zero, lots: BTreeMap::new() };
    let mut fund = fund.map_or_else(empty, Arc::unwrap_or_clone);
    fund.lots.insert(event.lot.clone(), OpenLot::of(event));
    rows::put(rows, (programme, partner), fund);
    let lot = Lot {
        programme_version: event.programme_version,
        usable_until: event.usable_until,
        closes_at: event.closes_at,
        expires_at: event.expires_at,
        earned: zero,
        converted: zero,
        available: zero,
        closed: false,
        became_rebate: false,
        expired: false,
        volumes: BTreeMap::new(),
        drawn: BTreeMap::new(),
    };
    rows::put(rows, (programme, partner, &event.lot), lot);
    Ok(())
}

pub(super) fn accrued(event: &CoopAccrued, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    let rate = RateKey {
        programme_version: event.programme_version,
        tier: event.tier.clone(),
        product_line: event.product_line.clone(),
    };
    let zero = event.net_amount.currency().zero();
    let lot = (&event.programme, &event.partner, &event.lot);
    rows::update::<Lot>(rows, lot, |lot| {
        add(&mut lot.available, event.amount);
        add(&mut lot.earned, event.amount);
        add(lot.volumes.entry(rate.clone()).or_insert(zero), event.net_amount);
    })?;
    let sale = Sale {
        lot: event.lot.clone(),
        rate,
        sold_on: event.sold_on,
        net: event.net_amount,
        returned: zero,
    };
    rows::put(rows, (&event.programme, &event.partner, &event.sale), sale);
    Ok(())
}

/// Undoes an accrual that was an error: the sale may accrue anew.
pub(crate) fn accrual_undone(
    event: &CoopAccrued,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    let rate = RateKey {
        programme_version: event.programme_version,
        tier: event.tier.clone(),
        product_line: event.product_line.clone(),
    };
    rows::update::<Lot>(rows, (&event.programme, &event.partner, &event.lot), |lot| {
        take(&mut lot.available, event.amount);
        take(&mut lot.earned, event.amount);
        lot.volumes.entry(rate).and_modify(|volume| take(volume, event.net_amount));
    })?;
    rows::remove::<Sale>(rows, (&event.programme, &event.partner, &event.sale));
    Ok(())
}

pub(super) fn reversed(
    event: &CoopAccrualReversed,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    change_return(event, rows, take, add)
}

/// Undoes a return that was an error.
pub(crate) fn return_undone(
    event: &CoopAccrualReversed,
    rows: &mut dyn RowsMut,
) -> Result<(), Unavailable> {
    change_return(event, rows, add, take)
}

type Change = fn(&mut Money, Money);

/// What a return does to lot, sale and fund: `lot` changes what is earned, `sale` what is returned.
fn change_return(
    event: &CoopAccrualReversed,
    rows: &mut dyn RowsMut,
    lot_change: Change,
    sale_change: Change,
) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    let mut rate = None;
    rows::update::<Sale>(rows, (programme, partner, &event.sale), |sale| {
        sale_change(&mut sale.returned, event.net_amount);
        rate = Some(sale.rate.clone());
    })?;
    rows::update::<Lot>(rows, (programme, partner, &event.lot), |lot| {
        lot_change(&mut lot.available, event.from_lot);
        lot_change(&mut lot.earned, event.from_lot);
        lot_change(&mut lot.earned, event.owed);
        if let Some(volume) = rate.and_then(|rate| lot.volumes.get_mut(&rate)) {
            lot_change(volume, event.net_amount);
        }
    })?;
    rows::update::<CoopFund>(rows, (programme, partner), |fund| {
        sale_change(&mut fund.owed, event.owed);
    })
}

pub(super) fn closed(event: &CoopPeriodClosed, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    rows::update::<Lot>(rows, (programme, partner, &event.lot), |lot| {
        lot.closed = true;
        lot.became_rebate |= event.below_threshold;
        take(&mut lot.available, event.converted);
        add(&mut lot.converted, event.converted);
    })?;
    rows::update::<CoopFund>(rows, (programme, partner), |fund| {
        fund.lots.entry(event.lot.clone()).and_modify(|lot| lot.closes_at = None);
    })
}

pub(super) fn expired(event: &CoopLotExpired, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    let (programme, partner) = (&event.programme, &event.partner);
    rows::update::<Lot>(rows, (programme, partner, &event.lot), |lot| {
        lot.expired = true;
        take(&mut lot.available, event.amount);
    })?;
    rows::update::<CoopFund>(rows, (programme, partner), |fund| {
        fund.lots.remove(&event.lot);
    })
}

/// A claim holds money of a lot.
pub(crate) fn held(
    rows: &mut dyn RowsMut,
    (programme, partner, id): (&ProgrammeId, &PartnerId, &LotId),
    activity: &Code,
    amount: Money,
) -> Result<(), Unavailable> {
    rows::update::<Lot>(rows, (programme, partner, id), |lot| {
        take(&mut lot.available, amount);
        add(lot.drawn.entry(activity.clone()).or_insert(amount.currency().zero()), amount);
    })
}

/// Money of a lot is no longer held; in an expired lot it has expired at once.
pub(crate) fn released(
    rows: &mut dyn RowsMut,
    (programme, partner, id): (&ProgrammeId, &PartnerId, &LotId),
    activity: &Code,
    amount: Money,
) -> Result<(), Unavailable> {
    rows::update::<Lot>(rows, (programme, partner, id), |lot| {
        if !lot.expired {
            add(&mut lot.available, amount);
        }
        if let Some(drawn) = lot.drawn.get_mut(activity) {
            take(drawn, amount);
        }
    })
}

/// Changes what the partner owes the fund.
pub(crate) fn change_owed(
    rows: &mut dyn RowsMut,
    programme: &ProgrammeId,
    partner: &PartnerId,
    change: impl FnOnce(&mut Money),
) -> Result<(), Unavailable> {
    rows::update::<CoopFund>(rows, (programme, partner), |fund| change(&mut fund.owed))
}
