//! Lots: which one takes an accrual, and which rate of the terms fits it.

use super::window::{Earning, Window};
use super::{CoopRejection, Lot, RateKey, state};
use crate::programme::{self, Version};
use crate::{Context, Facts, Refusal};
use chl_events::terms::{AccrualRate, CoopTerms, LateAccrual};
use chl_events::{Code, Date, LotId, PartnerId};
use std::sync::Arc;

/// The co-op terms of a version, or the rejection that it has none (class 6).
pub(crate) fn terms(version: &Version) -> Result<&CoopTerms, CoopRejection> {
    version.terms.coop.as_ref().ok_or_else(|| CoopRejection::NotOffered {
        programme: version.programme.clone(),
        version: version.version,
    })
}

/// The first rate of the terms that fits a tier and a product line.
pub(super) fn fitting<'a>(
    coop: &'a CoopTerms,
    tier: Option<&Code>,
    product_line: Option<&Code>,
) -> Result<&'a AccrualRate, CoopRejection> {
    let fits = |wanted: &Option<Code>, given: Option<&Code>| {
        wanted.as_ref().is_none_or(|wanted| given == Some(wanted))
    };
    let rate = coop
        .accrual
        .iter()
        .find(|rate| fits(&rate.tier, tier) && fits(&rate.product_line, product_line));
    rate.ok_or_else(|| CoopRejection::NoRate {
        tier: tier.cloned(),
        product_line: product_line.cloned(),
    })
}

/// The rate of a key: of rates for the same tier and product line, only the first ever fits.
pub(super) fn rate_named<'a>(version: &'a Version, key: &RateKey) -> Option<&'a AccrualRate> {
    let coop = version.terms.coop.as_ref()?;
    let is = |rate: &&AccrualRate| rate.tier == key.tier && rate.product_line == key.product_line;
    coop.accrual.iter().find(is)
}

/// The lot that takes an accrual.
pub(super) struct Taker {
    /// Its earning period.
    earning: Earning,
    /// The version whose terms give its dates.
    dated_by: Arc<Version>,
    /// The lot, when it is open already.
    pub(super) lot: Option<Arc<Lot>>,
    /// The version it opened or opens under.
    pub(super) version: Arc<Version>,
    /// Whether the sale's own lot was past its window.
    pub(super) late: bool,
}

impl Taker {
    /// Its id.
    pub(super) fn id(&self) -> &LotId {
        &self.earning.lot
    }

    /// Its dates: asked for when it opens, or was closed before.
    pub(super) fn window(&self) -> Result<Window, CoopRejection> {
        let (coop, zone) = (terms(&self.dated_by)?, self.dated_by.zone());
        Ok(Window::of(coop, zone, self.earning.clone()))
    }
}

/// The lot of the date of sale or, when that one is past its window (expired, become rebate, or
/// its last usable day over), the lot of the date of `time`, where the terms allow it.
pub(super) fn taker(
    facts: Facts<'_>,
    partner: &PartnerId,
    version: &Arc<Version>,
    sold_on: Date,
    context: &Context<'_>,
) -> Result<Taker, Refusal> {
    let own = lot_at(facts, partner, version, sold_on)?;
    let today = version.zone().day(context.time);
    let usable_until = match &own.lot {
        Some(lot) => lot.usable_until,
        None => own.window()?.usable_until,
    };
    let state = match own.lot.as_ref() {
        Some(lot) if lot.became_rebate => "became rebate",
        Some(lot) if lot.expired => "has expired",
        Some(_) | None if today > usable_until => "is past its window",
        Some(_) | None => return Ok(own),
    };
    if terms(version)?.late_accrual == LateAccrual::Refuse {
        let (lot, until) = (own.earning.lot, usable_until);
        return Err(CoopRejection::TooLate { lot, until, state }.into());
    }
    let current = programme::terms_in_force(facts, &version.programme, context.time)?;
    let today = current.zone().day(context.time);
    Ok(Taker { late: true, ..lot_at(facts, partner, &current, today)? })
}

fn lot_at(
    facts: Facts<'_>,
    partner: &PartnerId,
    version: &Arc<Version>,
    day: Date,
) -> Result<Taker, Refusal> {
    let edge =
        || crate::rejection::AnyRejection::data("sold_on", "lies at the edge of the calendar");
    let earning = Earning::at(terms(version)?, day).ok_or_else(edge)?;
    let lot = state::lot(facts, &version.programme, partner, &earning.lot)?;
    let dated_by = Arc::clone(version);
    let version = match &lot {
        Some(lot) => programme::version(facts, &version.programme, lot.programme_version)?,
        None => Arc::clone(version),
    };
    Ok(Taker { earning, dated_by, lot, version, late: false })
}
