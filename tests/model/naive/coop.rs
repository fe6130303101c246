//! The model of co-op: lots by earning period, accruals and returns.

use super::{Check, Model, PartnerState, Verdict, Version, exact, lot_id};
use crate::model::sent::Sent;
use chl_commands::coop::{AccrueCoop, Coop as Asked, ReverseAccrual};
use chl_events::{
    Code, Date, Instant, LotId, PartnerId, ProgrammeId, Rate, SaleId,
    terms::{AccrualRate, BandMode, CoopTerms, EarningPeriod, LateAccrual, UsableFrom},
};
use exact::Fraction;

/// What a partner earned in one period.
#[derive(Debug, Clone)]
pub(crate) struct Lot {
    pub(crate) last: Date,
    pub(crate) usable_from: Date,
    pub(crate) usable_until: Date,
    pub(crate) claims_until: Date,
    pub(crate) closes_at: Instant,
    pub(crate) expires_at: Instant,
    pub(crate) version: Version,
    /// The net sales counted in it, for bands.
    pub(crate) volume: i128,
    /// Neither held, nor payable, nor gone.
    pub(crate) available: i128,
    pub(crate) accrued: i128,
    pub(crate) reversed: i128,
    pub(crate) converted: i128,
    pub(crate) closed: bool,
    pub(crate) expired: bool,
}

/// A sale that accrued.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) lot: LotId,
    pub(crate) net: i128,
    pub(crate) rate: AccrualRate,
    pub(crate) version: Version,
    pub(crate) sold_on: Date,
}

/// The amount a volume earns, not yet rounded.
fn earns(rate: &AccrualRate, volume: i128, minor: i128) -> Fraction {
    let from = |index: usize| {
        let band = rate.bands.get(index)?.from.get();
        Some(band.mantissa() * minor / 10_i128.pow(band.scale()))
    };
    let reached = rate.bands.iter().enumerate().rev();
    let mut reached = reached.filter(|(index, _)| from(*index).is_some_and(|at| at <= volume));
    if rate.mode == Some(BandMode::Marginal) {
        let mut sum = exact::share(0, Rate::ONE);
        let mut until = volume;
        for (index, band) in reached {
            let begins = from(index).unwrap_or(0);
            sum = sum.plus(exact::share(until - begins, band.rate));
            until = begins;
        }
        return sum;
    }
    reached.next().map_or(exact::share(0, Rate::ONE), |(_, band)| exact::share(volume, band.rate))
}

/// The earning period a day lies in.
fn period(terms: &CoopTerms, day: Date) -> (Date, Date) {
    let months = match terms.earning_period {
        EarningPeriod::Month => 1,
        EarningPeriod::Quarter => 3,
        EarningPeriod::Half => 6,
        EarningPeriod::Year => 12,
    };
    let civil = day.civil();
    let into = (i32::from(civil.month()) - i32::from(terms.fiscal_start_month)).rem_euclid(months);
    let first = civil.first_of_month() - jiff::Span::new().months(into);
    let last = (first + jiff::Span::new().months(months)).yesterday().unwrap();
    (Date::from_civil(first), Date::from_civil(last))
}

impl Model {
    pub(super) fn coop_command(&mut self, asked: &Asked, sent: &Sent) -> Check {
        match asked {
            Asked::AccrueCoop(c) => self.accrue(c, sent),
            Asked::ReverseAccrual(c) => self.take_back(c, sent),
            Asked::CloseCoopPeriod(c) => {
                let key = (c.programme.clone(), c.partner.clone(), c.lot.clone());
                let lot = self.lots.get(&key).ok_or(Verdict::Refused(vec![3]))?;
                // The ledger's clock may have been there first.
                self.unsure(lot.closed || lot.expired)?;
                self.deny(true, &[5, 6])
            }
            Asked::ExpireCoopLot(c) => {
                let key = (c.programme.clone(), c.partner.clone(), c.lot.clone());
                let lot = self.lots.get(&key).ok_or(Verdict::Refused(vec![3]))?;
                self.unsure(lot.expired)?;
                self.deny(true, &[5, 6])
            }
        }
    }

    fn accrue(&mut self, c: &AccrueCoop, sent: &Sent) -> Check {
        let partner = self.known(&c.programme, &c.partner)?.clone();
        let sale = (c.programme.clone(), c.partner.clone(), c.sale.clone());
        self.deny(self.sales.contains_key(&sale), &[4])?;
        let grown = matches!(partner.state, PartnerState::Active | PartnerState::Suspended);
        self.unsure(!grown && partner.state != PartnerState::Terminated)?;
        self.deny(partner.state == PartnerState::Terminated, &[5])?;
        self.deny(!partner.enrolled.contains_key(&c.programme), &[5])?;
        let today = exact::day(&self.zone(&c.programme), sent.at);
        let version = self.terms_at(&c.programme, c.sold_on)?;
        self.deny(c.sold_on > today, &[6])?;
        let Some(terms) = version.terms.coop.clone() else { return self.deny(true, &[5, 6]) };
        let tier = partner.enrolled.get(&c.programme).cloned().flatten();
        let fits = |rate: &&AccrualRate| {
            (rate.tier.is_none() || rate.tier == tier)
                && (rate.product_line.is_none() || rate.product_line == c.product_line)
        };
        let Some(rate) = terms.accrual.iter().find(fits).cloned() else {
            return self.deny(true, &[6]);
        };
        let own = self.lot_for(&version, &terms, c.sold_on, &c.programme, &c.partner);
        let past = today > own.1.usable_until;
        let other = c.net_amount.currency() != version.currency;
        // A lot that was closed but can still be used, or is between window and expiry: the
        // domain leaves its share of rebate open.
        self.unsure(!past && own.1.closed && terms.usable == UsableFrom::AfterPeriod)?;
        self.unsure(past && sent.at < own.1.expires_at)?;
        let (id, lot) = if past {
            self.deny(terms.late_accrual == LateAccrual::Refuse, &[6])?;
            let now = self.terms_at(&c.programme, today)?;
            let terms = now.terms.coop.clone().unwrap_or_default();
            self.lot_for(&now, &terms, today, &c.programme, &c.partner)
        } else {
            own
        };
        self.deny(other, &[7])?;
        // Whether bands run on over a change of the terms within a lot the domain does not say.
        let other_terms =
            |(_, one): (_, &Sale)| one.lot == id && one.version.version != version.version;
        let mixed = self.sales_of(&c.programme, &c.partner).any(other_terms);
        self.unsure(mixed && rate.bands.len() > 1)?;
        let net = c.net_amount.minor();
        let rounding = version.terms.rounding;
        let minor = 10_i128.pow(version.currency.places());
        let amount = if rate.bands.len() > 1 {
            earns(&rate, lot.volume + net, minor).round(rounding)
                - earns(&rate, lot.volume, minor).round(rounding)
        } else {
            earns(&rate, net, minor).round(rounding)
        };
        let entry = (c.programme.clone(), c.partner.clone(), id.clone());
        let lot = self.lots.entry(entry).or_insert(lot);
        lot.volume += net;
        lot.accrued += amount;
        lot.available += amount;
        let kept = Sale { lot: id, net, rate, version, sold_on: c.sold_on };
        self.sales.insert(sale, kept);
        Ok(())
    }

    /// The lot of a day: as it was opened, or as it would be.
    fn lot_for(
        &self,
        version: &Version,
        terms: &CoopTerms,
        day: Date,
        programme: &ProgrammeId,
        partner: &PartnerId,
    ) -> (LotId, Lot) {
        let (first, last) = period(terms, day);
        let id = lot_id(first, last);
        let key = (programme.clone(), partner.clone(), id.clone());
        if let Some(lot) = self.lots.get(&key) {
            return (id, lot.clone());
        }
        let zone = &version.zone;
        let month =
            last.civil().first_of_month() + jiff::Span::new().months(i64::from(terms.usage_months));
        let usable_until = Date::from_civil(month.last_of_month());
        let expiry = terms.expiry_days.unwrap_or(terms.claim_days);
        let lot = Lot {
            last,
            usable_from: match terms.usable {
                UsableFrom::AtOnce => first,
                UsableFrom::AfterPeriod => exact::later(last, 1),
            },
            usable_until,
            claims_until: exact::later(usable_until, terms.claim_days),
            closes_at: exact::after_day(zone, last),
            expires_at: exact::after_day(zone, exact::later(usable_until, expiry)),
            version: version.clone(),
            volume: 0,
            available: 0,
            accrued: 0,
            reversed: 0,
            converted: 0,
            closed: false,
            expired: false,
        };
        (id, lot)
    }

    fn take_back(&mut self, c: &ReverseAccrual, sent: &Sent) -> Check {
        let partner = self.known(&c.programme, &c.partner)?;
        self.unsure(partner.state == PartnerState::Terminated)?;
        let key = (c.programme.clone(), c.partner.clone(), c.sale.clone());
        let sale = self.sales.get(&key).cloned().ok_or(Verdict::Refused(vec![3]))?;
        let today = exact::day(&sale.version.zone, sent.at);
        let future = c.returned_on.is_some_and(|day| day > today);
        let wrong = c.sold_on.is_some_and(|day| day != sale.sold_on);
        let before = c.returned_on.is_some_and(|day| day < sale.sold_on);
        let other = c.net_amount.currency() != sale.version.currency;
        let more = c.net_amount.minor() > sale.net;
        self.unsure(before || (more && sale.net == 0))?;
        self.unsure(u8::from(future) + u8::from(wrong) + u8::from(other) + u8::from(more) > 1)?;
        self.deny(future, &[6])?;
        self.deny(wrong, &[3, 6])?;
        self.deny(other, &[7])?;
        self.deny(more, &[5, 6, 7])?;
        let minor = 10_i128.pow(sale.version.currency.places());
        let net = c.net_amount.minor();
        let rounding = sale.version.terms.rounding;
        let entry = (c.programme.clone(), c.partner.clone(), sale.lot.clone());
        let Some(lot) = self.lots.get_mut(&entry) else { return Ok(()) };
        let (from, to) = if sale.rate.bands.len() > 1 {
            (lot.volume, lot.volume - net)
        } else {
            (sale.net, sale.net - net)
        };
        let amount = earns(&sale.rate, from, minor).round(rounding)
            - earns(&sale.rate, to, minor).round(rounding);
        let from_lot = amount.min(lot.available);
        lot.volume -= net;
        lot.available -= from_lot;
        lot.reversed += from_lot;
        if let Some(sale) = self.sales.get_mut(&key) {
            sale.net -= net;
        }
        Ok(())
    }

    pub(super) fn close_and_expire_lots(&mut self, now: Instant) {
        for lot in self.lots.values_mut() {
            if !lot.closed && lot.closes_at <= now {
                lot.close();
            }
            if !lot.expired && lot.expires_at <= now {
                lot.expired = true;
                lot.available = 0;
            }
        }
    }

    /// Whether an activity is among the excluded ones.
    pub(super) fn excluded(activities: &[Code], activity: &Code) -> bool {
        activities.contains(activity)
    }

    /// The sales of a fund, to return some of.
    pub(crate) fn sales_of<'a>(
        &'a self,
        programme: &'a ProgrammeId,
        partner: &'a PartnerId,
    ) -> impl Iterator<Item = (&'a SaleId, &'a Sale)> {
        let mine =
            move |key: &(ProgrammeId, PartnerId, SaleId)| &key.0 == programme && &key.1 == partner;
        let sales = self.sales.iter().filter(move |(key, _)| mine(key));
        sales.map(|((_, _, sale), kept)| (sale, kept))
    }
}

impl Lot {
    /// Whether an activity of a day, claimed on another, can draw on it.
    pub(crate) fn pays_for(&self, on: Date, today: Date) -> bool {
        let window = self.usable_from <= on && on <= self.usable_until;
        window && today <= self.claims_until && !self.expired
    }

    /// Closes the earning period: the rebate share, or a lot too small as a whole, becomes rebate.
    fn close(&mut self) {
        self.closed = true;
        let terms = self.version.terms.coop.clone().unwrap_or_default();
        let earned = self.accrued - self.reversed;
        let share = exact::share(earned, terms.rebate_share).round(self.version.terms.rounding);
        let small = terms.conversion_threshold.is_some_and(|least| earned - share < least.minor());
        let converted = if small { self.available } else { share.min(self.available) };
        self.converted = converted;
        self.available -= converted;
    }
}
