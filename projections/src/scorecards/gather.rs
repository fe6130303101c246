//! Gathers what scorecards of one programme and period are computed from.

use super::{
    Metric, Scorecard, capability::Credentials, deals::Deals, deals::amount, measures::Measures,
    ratio, score,
};
use crate::{
    CertificationRow, ClaimRow, DayRow, DealRow, DealState, MeasureRow, Minor, PartnerRow, TierRow,
};
use chl_events::{
    Code, Currency, Date, Fund, Money, PartnerId, Period, ProgrammeId, terms::ScorecardTerms,
};
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Takes the rows of a programme, in any order, and ends in scorecards.
#[derive(Debug)]
pub struct Gather {
    programme: ProgrammeId,
    version: u32,
    currency: Currency,
    terms: ScorecardTerms,
    period: Period,
    year_before: Option<Period>,
    partners: BTreeMap<PartnerId, Gathered>,
}

/// What is known of one partner.
#[derive(Debug, Default)]
struct Gathered {
    /// Since when, by which commit, at which tier; none: not enrolled by the end.
    tier: Option<(Date, u64, Option<Code>)>,
    types: String,
    region: String,
    now: Flows,
    before: Flows,
    deals: Deals,
    credentials: Credentials,
    measures: Measures,
    with_leads: (Decimal, u64),
    with_revenue: Option<(Decimal, Decimal)>,
}

/// Money over a period; none where no day of it has any.
#[derive(Debug, Default)]
struct Flows {
    days: Option<Sums>,
    sourced: Option<Decimal>,
    influenced: Option<Decimal>,
}

#[derive(Debug, Default)]
struct Sums {
    sales: i128,
    has_sales: bool,
    accrued: i128,
    kept: i128,
    expired: i128,
    allocated: i128,
    mdf_paid: i128,
}

impl Gather {
    /// Begins for a programme under the version of its terms in force at the period's end.
    pub fn new(
        (programme, version): (ProgrammeId, u32),
        currency: Currency,
        terms: ScorecardTerms,
        period: Period,
    ) -> Self {
        let partners = BTreeMap::new();
        let year_before = year_before(period);
        Self { programme, version, currency, terms, period, year_before, partners }
    }

    /// The first day that any of it looks at.
    pub fn first_day(&self) -> Date {
        self.year_before.map_or(self.period.first(), |period| period.first())
    }

    fn of(&mut self, partner: &PartnerId) -> &mut Gathered {
        self.partners.entry(partner.clone()).or_default()
    }

    /// Takes a tier; of the programme's, the latest up to the period's end counts.
    pub fn tier(&mut self, row: &TierRow) {
        if row.programme == self.programme && row.from_date <= self.period.last() {
            let tier = Some((row.from_date, row.position, row.tier.clone()));
            let of = self.of(&row.partner);
            of.tier = tier.max(of.tier.take());
        }
    }

    /// Takes a partner: its types, and where it sells, else its country, make its peers.
    pub fn partner(&mut self, row: &PartnerRow) {
        let mut types: Vec<&str> = row.types.iter().collect();
        types.sort_unstable();
        let mut territories: Vec<&str> = row.territories.iter().collect();
        territories.sort_unstable();
        let country = row.country.as_ref().map(Code::as_str).unwrap_or_default();
        let of = self.partners.entry(row.partner.clone()).or_default();
        of.types = types.join("+");
        of.region = if territories.is_empty() { country.into() } else { territories.join("+") };
    }

    /// Takes a deal.
    pub fn deal(&mut self, row: &DealRow) {
        if row.programme != self.programme {
            return;
        }
        let (period, currency) = (self.period, self.currency);
        if let Some(partner) = &row.partner {
            self.of(partner).deals.take(row, period, currency);
        }
        if self.terms.count_won_value && row.state == DealState::Won {
            self.credit(row);
        }
    }

    /// Credits a won deal's value by its shares: without any, all of it to its partner.
    fn credit(&mut self, row: &DealRow) {
        let (Some(value), Some(closed_on)) = (amount(row.won_value, self.currency), row.closed_on)
        else {
            return;
        };
        let whole = row.partner.iter().filter(|_| row.shares.is_empty());
        let whole: Vec<(PartnerId, Decimal)> =
            whole.map(|partner| (partner.clone(), Decimal::ONE_HUNDRED)).collect();
        let shares = row.shares.iter().filter_map(|share| {
            let (partner, percent) = share.rsplit_once(':')?;
            Some((partner.parse().ok()?, percent.parse().ok()?))
        });
        for (partner, percent) in whole.into_iter().chain(shares) {
            let part = value.checked_mul(percent);
            let Some(part) = part.and_then(|part| ratio(part, Decimal::ONE_HUNDRED)) else {
                continue;
            };
            let source = row.partner.as_ref() == Some(&partner);
            let (period, before) = (self.period, self.year_before);
            let of = self.of(&partner);
            let flows = if period.contains(closed_on) {
                &mut of.now
            } else if before.is_some_and(|before| before.contains(closed_on)) {
                &mut of.before
            } else {
                continue;
            };
            let sum = if source { &mut flows.sourced } else { &mut flows.influenced };
            *sum.get_or_insert_default() += part;
        }
    }

    /// Takes a day.
    pub fn day(&mut self, row: &DayRow) {
        if row.programme != self.programme || row.currency != self.currency {
            return;
        }
        let (period, before) = (self.period, self.year_before);
        let of = self.of(&row.partner);
        let flows = if period.contains(row.day) {
            &mut of.now
        } else if before.is_some_and(|before| before.contains(row.day)) {
            &mut of.before
        } else {
            return;
        };
        let sums = flows.days.get_or_insert_default();
        let nothing = Minor(0);
        sums.has_sales |= row.sold != nothing || row.returned != nothing;
        sums.sales += row.sold.0 - row.returned.0;
        sums.accrued += row.accrued.0;
        sums.kept += row.accrued.0 - row.reversed.0 - row.expired.0;
        sums.expired += row.expired.0;
        sums.allocated += row.allocated.0;
        sums.mdf_paid += row.mdf_paid.0;
    }

    /// Takes a claim: what an MDF activity of the period brought and was paid.
    pub fn claim(&mut self, row: &ClaimRow) {
        let ours = row.programme == self.programme && row.fund == Fund::Mdf;
        if !ours || !self.period.contains(row.activity_date) {
            return;
        }
        let currency = self.currency;
        let Some(paid) = amount(Some(row.paid), currency) else { return };
        let of = self.of(&row.partner);
        if let Some(leads) = row.leads {
            of.with_leads.0 += paid;
            of.with_leads.1 += u64::from(leads);
        }
        if let Some(revenue) = amount(row.revenue, currency) {
            let sums = of.with_revenue.get_or_insert_default();
            sums.0 += revenue;
            sums.1 += paid;
        }
    }

    /// Takes a credential.
    pub fn certification(&mut self, row: &CertificationRow) {
        let end = self.period.last();
        self.of(&row.partner).credentials.take(row, end);
    }

    /// Takes a measure.
    pub fn measure(&mut self, row: &MeasureRow) {
        let period = self.period;
        self.of(&row.partner).measures.take(row, period);
    }

    /// Scores every partner enrolled by the period's end, each among its peers.
    pub fn finish(self) -> Vec<Scorecard> {
        let (terms, period, currency) = (&self.terms, self.period, self.currency);
        let enrolled = self.partners.iter().filter_map(|(partner, of)| {
            let (_, _, tier) = of.tier.as_ref()?;
            let tier = tier.as_ref().map_or("", Code::as_str);
            let peers = [of.types.as_str(), tier, of.region.as_str()];
            let values = of.values(terms, period, currency);
            let mut card = score::score(terms, &values);
            card.partner = Some(partner.clone());
            card.programme = Some(self.programme.clone());
            card.version = self.version;
            card.period = Some(period);
            card.peers = peers.join("/");
            Some(card)
        });
        score::among_peers(enrolled.collect())
    }
}

impl Gathered {
    fn values(
        &self,
        terms: &ScorecardTerms,
        period: Period,
        currency: Currency,
    ) -> BTreeMap<Metric, Decimal> {
        let mut values: BTreeMap<Metric, Decimal> = BTreeMap::new();
        values.extend(self.deals.values(period, &self.measures));
        values.extend(self.credentials.values(period.last(), &terms.required_credentials));
        values.extend(self.measures.values(period));
        values.extend(self.money(currency));
        values
    }

    fn money(&self, currency: Currency) -> impl Iterator<Item = (Metric, Decimal)> {
        let decimal = |minor: i128| Money::from_minor(minor, currency).decimal();
        let of = |take: fn(&Sums) -> i128| self.now.days.as_ref().map(take).and_then(decimal);
        let share = |part: fn(&Sums) -> i128, whole: fn(&Sums) -> i128| {
            of(part).zip(of(whole)).and_then(|(part, whole)| ratio(part, whole))
        };
        let sourced = self.now.revenue(currency);
        let growth = sourced.zip(self.before.revenue(currency));
        let growth = growth.and_then(|(now, before)| ratio(now - before, before));
        let roi = self.with_revenue.and_then(|(revenue, paid)| ratio(revenue - paid, paid));
        let (paid, leads) = self.with_leads;
        let found = [
            (Metric::SourcedRevenue, sourced),
            (Metric::InfluencedRevenue, self.now.influenced),
            (Metric::Growth, growth),
            (Metric::IncentiveCostRatio, share(|sums| sums.kept, |sums| sums.sales)),
            (Metric::MdfRoi, roi),
            (Metric::MdfUtilisation, share(|sums| sums.mdf_paid, |sums| sums.allocated)),
            (Metric::Breakage, share(|sums| sums.expired, |sums| sums.accrued)),
            (Metric::CostPerLead, ratio(paid, Decimal::from(leads))),
        ];
        found.into_iter().filter_map(|(metric, value)| Some((metric, value?)))
    }
}

impl Flows {
    fn revenue(&self, currency: Currency) -> Option<Decimal> {
        let sales = self.days.as_ref().filter(|sums| sums.has_sales).map(|sums| sums.sales);
        let sales = sales.and_then(|minor| Money::from_minor(minor, currency).decimal());
        match (sales, self.sourced) {
            (Some(sales), Some(won)) => sales.checked_add(won),
            (sales, won) => sales.or(won),
        }
    }
}

/// The same days a year before; the last day of a month stays the last.
fn year_before(period: Period) -> Option<Period> {
    let back = |date: Date, is_last: bool| {
        let day = date.civil();
        let month = day.first_of_month().with().year(day.year() - 1).build().ok()?;
        let whole = is_last && day == day.last_of_month();
        let last = month.days_in_month();
        let day = if whole { last } else { day.day().min(last) };
        Some(Date::from_civil(month.with().day(day).build().ok()?))
    };
    Period::new(back(period.first(), false)?, back(period.last(), true)?)
}
