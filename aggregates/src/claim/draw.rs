//! What a claim on co-op may draw: the lots usable on its activity's date, earliest expiry first.

use super::ClaimRejection;
use super::state::{self, take_from};
use crate::programme::Version;
use crate::rejection::AnyRejection;
use crate::{Facts, Refusal, coop, money};
use chl_events::claim::Part;
use chl_events::terms::{CoopTerms, OverAvailable};
use chl_events::{Code, Date, Money, PartnerId};

/// What the usable lots offer to a claim.
pub(super) struct Offers {
    /// What each offers, as far as the caps on its share go; earliest expiry first.
    parts: Vec<Part>,
    /// What they hold, caps aside.
    available: Money,
}

/// Looks through the lots. A claim must come by a lot's last day for claims (`by`); a dispute of a
/// claim that came in time needs only that the lot has not expired.
pub(super) fn offers(
    facts: Facts<'_>,
    partner: &PartnerId,
    version: &Version,
    activity: &Code,
    activity_date: Date,
    by: Option<Date>,
) -> Result<Offers, Refusal> {
    let programme = &version.programme;
    let fund = coop::fund(facts, programme, partner)?.ok_or_else(|| {
        let (partner, programme) = (partner.clone(), programme.clone());
        ClaimRejection::UnknownFund { partner, programme }
    })?;
    let mut usable: Vec<_> = fund
        .lots
        .iter()
        .filter(|(_, lot)| lot.usable_from <= activity_date && activity_date <= lot.usable_until)
        .filter(|(_, lot)| by.is_none_or(|day| day <= lot.claims_until))
        .collect();
    if usable.is_empty() {
        return Err(ClaimRejection::NoUsableLot { activity_date }.into());
    }
    usable.sort_by(|(a, x), (b, y)| x.expires_at.cmp(&y.expires_at).then_with(|| a.cmp(b)));

    let terms = coop::terms(version)?;
    let mut offers = Offers { parts: Vec::new(), available: fund.currency.zero() };
    for (id, _) in usable {
        let lot = coop::lot_of_fact(facts, programme, partner, id)?;
        money::add(&mut offers.available, lot.available);
        let left = left_by_caps(&lot, terms, version, activity)
            .ok_or(AnyRejection::TooLarge { field: "data.cost" })?;
        let amount = left.map_or(lot.available, |left| money::min(left, lot.available));
        offers.parts.push(Part { lot: Some(id.clone()), amount });
    }
    let none = offers.parts.iter().all(|part| !part.amount.is_positive());
    if none && offers.available.is_positive() {
        return Err(ClaimRejection::CapReached { activity: activity.clone() }.into());
    }
    Ok(offers)
}

/// What the caps on the share of a lot leave to an activity: of what the lot earned for co-op, less
/// what its claims drew already. None where no such cap holds.
fn left_by_caps(
    lot: &coop::Lot,
    terms: &CoopTerms,
    version: &Version,
    activity: &Code,
) -> Option<Option<Money>> {
    let earned = money::less(lot.earned, lot.converted);
    let mut left: Option<Money> = None;
    for cap in money::caps_of(&terms.caps, activity) {
        let Some(rate) = cap.share_of_lot else { continue };
        let share = money::share(earned, rate, version.terms.rounding)?.amount;
        let of_cap = money::less(share, lot.drawn(activity));
        left = Some(left.map_or(of_cap, |left| money::min(left, of_cap)));
    }
    Some(left)
}

impl Offers {
    /// Takes what is asked for, capped by the terms: the sum and its parts.
    pub(super) fn take(
        &self,
        requested: Money,
        terms: &CoopTerms,
        activity: &Code,
    ) -> Result<(Money, Vec<Part>), ClaimRejection> {
        let asked = money::capped(requested, &terms.caps, activity);
        let available = self.available;
        let short = asked.minor() > available.minor();
        if available.is_zero() || (short && terms.over_available == OverAvailable::Refuse) {
            return Err(ClaimRejection::FundExhausted { available, requested: asked });
        }
        let (parts, _) = take_from(&self.parts, asked);
        Ok((state::sum(requested.currency(), &parts), parts))
    }
}
