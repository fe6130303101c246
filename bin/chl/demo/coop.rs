//! Co-op: sales accrue, lots open, close and expire, and are claimed on.

use super::agenda::{DAY, HOUR, YEAR_START};
use super::claims::Claim;
use super::programmes::{ACTIVITIES, PRODUCT_LINES, Programme};
use super::world::{Sender, Standing, Task, World, date, day, money, programme};
use chl_events::{Date, Period};
use serde_json::json;
use std::collections::BTreeMap;

/// A partner's money in one programme, about.
#[derive(Debug, Default)]
pub(super) struct Fund {
    /// Its lots, by their last earning day.
    lots: BTreeMap<i32, Lot>,
    /// MDF that is allocated and not reserved, in minor units.
    pub(super) mdf: i64,
    /// What was clawed back and waits to be set off.
    pub(super) owed: i64,
}

/// A lot, about.
#[derive(Debug)]
struct Lot {
    /// What of its sales becomes co-op, in minor units.
    earned: i64,
    /// What is claimed.
    used: i64,
    /// The first day it pays for.
    usable_from: i32,
    /// The last day it pays for.
    usable_until: i32,
    /// The last day a claim may come.
    claims_until: i32,
}

/// What a lot earns at least in summit, or all of it becomes rebate.
const THRESHOLD: i64 = 1_000_000;

/// The earning period of a day: its name, and the days it begins and ends.
fn period(terms: &Programme, day: i32) -> Option<(String, i32, i32)> {
    let civil = Date::from_days(day)?.civil();
    let months = i8::try_from(terms.period_months).ok()?;
    let first = (civil.month() - 1) / months * months + 1;
    let period = Period::months(civil.year(), first, months)?;
    let name = |day: Date| day.to_string().replace('-', "");
    let lot = format!("{}-{}", name(period.first()), name(period.last()));
    Some((lot, period.first().days(), period.last().days()))
}

impl World {
    /// A sale comes in from the partner's distributor or the vendor's shop.
    pub(super) fn arrive_sale(&mut self) {
        let Some(partner) = self.active() else { return };
        let place = self.programme_of(partner);
        let amount = self.dice.amount(20_000, programme(place).largest_sale);
        let line = self.dice.pick(&PRODUCT_LINES);
        let ago = match self.dice.below(1000) {
            // Found in an audit of old invoices.
            0..4 => self.dice.between(150, 240),
            _ => self.dice.between(1, 4),
        };
        self.accrue(partner, place, amount, line, i32::try_from(ago).unwrap_or(1));
    }

    /// A sale of so many days ago accrues.
    pub(super) fn accrue(
        &mut self,
        partner: usize,
        place: usize,
        amount: i64,
        line: &str,
        days_ago: i32,
    ) {
        let gone = self.partners.get(partner).is_none_or(|p| p.standing == Standing::Terminated);
        if gone {
            return;
        }
        let terms = programme(place);
        let sold_on = (day(self.now) - days_ago).max(day(YEAR_START));
        let sale = self.name("s");
        let data = json!({
            "partner": self.partner_id(partner), "programme": terms.id, "sale": sale,
            "net_amount": money(amount, terms.currency), "sold_on": date(sold_on),
            "product_line": line,
        });
        self.send("AccrueCoop", Sender::service("/erp"), data);
        let earned = amount * terms.yield_per_mille / 1000;
        self.credit(partner, place, sold_on, earned);
        if self.dice.chance(35) {
            let amount = if self.dice.chance(600) { amount } else { amount / 200 * 100 };
            let after = self.days(3, 30);
            self.later(after, Task::Return { partner, programme: place, sale, amount });
        }
    }

    /// Adds to the lot of a day; a lot that opens is put down to be closed and to expire.
    fn credit(&mut self, partner: usize, place: usize, sold_on: i32, earned: i64) {
        let terms = programme(place);
        let Some((name, first, last)) = period(terms, sold_on) else { return };
        let Some(holder) = self.partners.get_mut(partner) else { return };
        let fund = holder.funds.entry(place).or_default();
        if let Some(lot) = fund.lots.get_mut(&last) {
            lot.earned += earned;
            return;
        }
        let ended = Date::from_days(last).map_or(0, |day| i32::from(day.civil().month()));
        let usage = i8::try_from(terms.usage_months).unwrap_or(0);
        let months = i8::try_from(ended).unwrap_or(0) + usage;
        let after = Period::months(2025 + i16::from((months - 1) / 12), (months - 1) % 12 + 1, 1);
        let usable_until = after.map_or(last, |month| month.last().days());
        let claims_until = usable_until + i32::try_from(terms.claim_days).unwrap_or(0);
        let usable_from = if terms.after_period { last + 1 } else { first };
        let lot = Lot { earned, used: 0, usable_from, usable_until, claims_until };
        fund.lots.insert(last, lot);
        // The day is over in every zone of a programme, and few sales have come in yet.
        let sweep = |day: i32| (i64::from(day) + 1) * DAY + 5 * HOUR;
        let jitter = self.dice.between(HOUR / 60, HOUR);
        let close = Task::CloseLot { partner, programme: place, lot: name.clone() };
        self.agenda.put((sweep(last) + jitter).max(self.now + HOUR), close);
        let expire = Task::ExpireLot { partner, programme: place, lot: name };
        self.agenda.put((sweep(claims_until) + jitter).max(self.now + 2 * HOUR), expire);
    }

    pub(super) fn give_back(&mut self, partner: usize, place: usize, sale: &str, amount: i64) {
        if amount == 0 {
            return;
        }
        let terms = programme(place);
        let data = json!({
            "partner": self.partner_id(partner), "programme": terms.id, "sale": sale,
            "net_amount": money(amount, terms.currency),
        });
        self.send("ReverseAccrual", Sender::service("/erp"), data);
        let lost = amount * terms.yield_per_mille / 1000;
        let fund = self.partners.get_mut(partner).and_then(|p| p.funds.get_mut(&place));
        if let Some(lot) = fund.and_then(|fund| fund.lots.values_mut().next_back()) {
            lot.earned -= lost;
        }
    }

    pub(super) fn sweep_lot(&mut self, kind: &str, partner: usize, place: usize, lot: &str) {
        let data = json!({
            "partner": self.partner_id(partner), "programme": programme(place).id, "lot": lot,
        });
        self.send(kind, Sender::service("/sweep"), data);
    }

    /// What a partner can claim for an activity of a day, about.
    pub(super) fn available(&self, partner: usize, place: usize, activity_day: i32) -> i64 {
        let fund = self.partners.get(partner).and_then(|partner| partner.funds.get(&place));
        let today = day(self.now);
        let lots = fund.into_iter().flat_map(|fund| fund.lots.iter());
        lots.filter(|(_, lot)| {
            (lot.usable_from..=lot.usable_until).contains(&activity_day)
                && today <= lot.claims_until
        })
        .filter(|(_, lot)| !programme(place).after_period || lot.earned >= THRESHOLD)
        .map(|(_, lot)| (lot.earned - lot.used).max(0))
        .sum()
    }

    fn draw(&mut self, partner: usize, place: usize, activity_day: i32, mut amount: i64) {
        let fund = self.partners.get_mut(partner).and_then(|partner| partner.funds.get_mut(&place));
        let lots = fund.into_iter().flat_map(|fund| fund.lots.values_mut());
        for lot in lots.filter(|lot| (lot.usable_from..=lot.usable_until).contains(&activity_day)) {
            let part = amount.min((lot.earned - lot.used).max(0));
            lot.used += part;
            amount -= part;
        }
    }

    /// A claim on co-op comes in, where chance finds money.
    pub(super) fn arrive_claim(&mut self) {
        for _ in 0..10 {
            let Some(partner) = self.active() else { continue };
            let place = self.programme_of(partner);
            let ago = i32::try_from(self.dice.between(1, 20)).unwrap_or(1);
            let activity_day = day(self.now) - ago;
            let available = self.available(partner, place, activity_day);
            if available > 20_000 {
                return self.claim(partner, place, activity_day, available);
            }
        }
    }

    fn claim(&mut self, partner: usize, place: usize, activity_day: i32, available: i64) {
        let terms = programme(place);
        // Now and then more is asked for than is there: all that is left is granted, or nothing.
        let greedy = self.dice.chance(if terms.id == "momentum" { 20 } else { 60 });
        let percent = match (greedy, terms.after_period) {
            (true, _) => 300,
            // A quarter of the lot is the most for all claims of one activity.
            (false, true) => self.dice.between(2, 7),
            (false, false) => self.dice.between(10, 45),
        };
        let most = if terms.after_period { 25 } else { 100 };
        let cost = (available * percent / terms.match_percent).max(100);
        let granted = available * percent.min(most) / 100;
        let activity = self.dice.pick(&ACTIVITIES);
        let proof = self.proof(activity);
        let invoice = proof.clone();
        let id = self.name("k");
        let data = json!({
            "claim": id, "partner": self.partner_id(partner), "programme": terms.id,
            "activity": activity, "cost": money(cost, terms.currency),
            "activity_date": date(activity_day), "proof": proof,
        });
        let sender = Sender::partner(&self.partner_id(partner));
        self.send("ClaimCoop", sender, data);
        self.draw(partner, place, activity_day, granted);
        let refused = greedy && terms.id == "momentum";
        if !refused {
            self.follow(Claim { id, partner, programme: place, fund: "coop", granted, invoice });
        }
    }
}
