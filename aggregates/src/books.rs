//! The books of a story, folded from its posting lines alone and held against its states.
//!
//! Debits equal credits per event, book and currency; AL, HL and PL never go below nothing; the
//! identity of balances holds; and the rows that decisions read say what the lines say.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only the events that move money are read; lines of others would break the identity"
)]

use crate::given::Given;
use crate::{Rows, claim, coop, mdf};
use chl_events::budget::BudgetEvent;
use chl_events::claim::{ClaimEvent, Part};
use chl_events::coop::CoopEvent;
use chl_events::ledger::LedgerEvent;
use chl_events::mdf::MdfEvent;
use chl_events::{
    Account, Book, ClaimId, Commit, Event, Fund, LotId, PartnerId, PostingLine, ProgrammeId, Side,
    Stream,
};
use std::collections::{BTreeMap, BTreeSet};

/// Whose sub-account: fund, programme, partner, lot.
type Owner = (Fund, Option<ProgrammeId>, Option<PartnerId>, Option<LotId>);

#[derive(Default)]
struct Books {
    /// Debits less credits.
    sums: BTreeMap<(Owner, Account), i128>,
    /// What the events say went in (accrued, allocated, restored) less what went out.
    flows: BTreeMap<Owner, i128>,
    claims: BTreeSet<ClaimId>,
}

fn programme(commit: &Commit, event: &Event) -> Option<ProgrammeId> {
    match (&commit.stream, event) {
        (Stream::Coop(programme, _) | Stream::Mdf(programme, _), _) => Some(programme.clone()),
        (_, Event::Budget(BudgetEvent::MdfAllocated(event))) => Some(event.programme.clone()),
        (_, Event::Budget(BudgetEvent::MdfAllocationReturned(event))) => {
            Some(event.programme.clone())
        }
        _ => None,
    }
}

impl Books {
    fn post(&mut self, line: &PostingLine, programme: Option<ProgrammeId>) {
        let owner = (line.fund, programme, line.partner.clone(), line.lot.clone());
        let amount = line.amount.minor();
        let signed = if line.side == Side::Debit { amount } else { -amount };
        *self.sums.entry((owner, line.account)).or_default() += signed;
    }

    fn flow(&mut self, owner: Owner, amount: i128) {
        *self.flows.entry(owner).or_default() += amount;
    }

    fn flow_parts(&mut self, (fund, programme, partner, _): &Owner, parts: &[Part], sign: i128) {
        for part in parts {
            let owner = (*fund, programme.clone(), partner.clone(), part.lot.clone());
            self.flow(owner, sign * part.amount.minor());
        }
    }

    /// The columns of balances, as the events name them; `sign` is -1 for a reversed entry.
    fn event(&mut self, commit: &Commit, event: &Event, sign: i128) {
        let (fund, partner) = match &commit.stream {
            Stream::Coop(_, partner) => (Fund::Coop, Some(partner.clone())),
            Stream::Mdf(_, partner) => (Fund::Mdf, Some(partner.clone())),
            _ => (Fund::Mdf, None),
        };
        let of =
            |lot: Option<&LotId>| (fund, programme(commit, event), partner.clone(), lot.cloned());
        match event {
            Event::Coop(CoopEvent::CoopAccrued(e)) => {
                self.flow(of(Some(&e.lot)), sign * e.amount.minor());
            }
            Event::Coop(CoopEvent::CoopAccrualReversed(e)) => {
                self.flow(of(Some(&e.lot)), -sign * e.from_lot.minor());
            }
            Event::Coop(CoopEvent::CoopPeriodClosed(e)) => {
                self.flow(of(Some(&e.lot)), -e.converted.minor());
            }
            Event::Coop(CoopEvent::CoopLotExpired(e)) => {
                self.flow(of(Some(&e.lot)), -e.amount.minor());
            }
            Event::Budget(BudgetEvent::MdfAllocated(e)) => {
                let owner = (fund, programme(commit, event), Some(e.partner.clone()), None);
                self.flow(owner, e.amount.minor());
            }
            Event::Budget(BudgetEvent::MdfAllocationReturned(e)) if e.refused.is_some() => {
                let owner = (fund, programme(commit, event), Some(e.partner.clone()), None);
                self.flow(owner, -e.amount.minor());
            }
            Event::Mdf(MdfEvent::MdfAllocationReduced(e)) => {
                self.flow(of(None), -e.amount.minor());
            }
            Event::Claim(event) => self.claim(event, of(None), sign),
            _ => {}
        }
    }

    fn claim(&mut self, event: &ClaimEvent, of: Owner, sign: i128) {
        match event {
            ClaimEvent::CoopClaimed(e) => drop(self.claims.insert(e.claim.clone())),
            ClaimEvent::MdfClaimed(e) => drop(self.claims.insert(e.claim.clone())),
            ClaimEvent::ClaimWithdrawn(e) => self.flow_parts(&of, &e.expired, -1),
            ClaimEvent::ClaimApproved(e) => self.flow_parts(&of, &e.expired, -1),
            ClaimEvent::ClaimRejected(e) => self.flow_parts(&of, &e.expired, -1),
            ClaimEvent::ClaimPaid(e) => self.flow_parts(&of, &e.parts, -1),
            ClaimEvent::PaymentFailed(e) => self.flow_parts(&of, &e.parts, 1),
            ClaimEvent::ClawbackRecovered(e) => self.flow_parts(&of, &e.parts, -sign),
            ClaimEvent::ClaimClawedBack(e) if e.restored => self.flow(of, e.amount.minor()),
            _ => {}
        }
    }

    fn of(&self, owner: &Owner, account: Account) -> i128 {
        self.sums.get(&(owner.clone(), account)).copied().unwrap_or(0)
    }

    /// What an account of the partner's side holds: credits less debits.
    fn owed(&self, owner: &Owner, account: Account) -> i128 {
        -self.of(owner, account)
    }

    fn over_lots(&self, owner: &Owner, account: Account) -> i128 {
        let (fund, programme, partner, _) = owner;
        let same = |(o, a): &&(Owner, Account)| {
            (o.0, &o.1, &o.2, *a) == (*fund, programme, partner, account)
        };
        self.sums.keys().filter(same).filter_map(|key| self.sums.get(key)).sum()
    }
}

/// Checks the whole story so far.
pub(crate) fn balanced(story: &Given) {
    let mut books = Books::default();
    for commit in story.commits() {
        for recorded in &commit.events {
            assert_balanced(&recorded.lines);
            for line in &recorded.lines {
                books.post(line, programme(commit, &recorded.event));
            }
            books.event(commit, &recorded.event, 1);
            if let Event::Ledger(LedgerEvent::EntryReversed(reversal)) = &recorded.event {
                let entry = story.commit(reversal.position).expect("in memory").expect("it was");
                for event in &entry.events {
                    books.event(&entry, &event.event, -1);
                }
            }
        }
    }
    let owners: BTreeSet<_> = books.sums.keys().map(|(owner, _)| owner.clone()).collect();
    for owner in &owners {
        check_owner(story, &books, owner);
    }
    check_claims(story, &books);
}

fn assert_balanced(lines: &[PostingLine]) {
    let mut sums: BTreeMap<(Book, String), i128> = BTreeMap::new();
    for line in lines {
        assert!(line.amount.is_positive(), "{line:?}");
        let sum = sums.entry((line.book, line.amount.currency().to_string())).or_default();
        let amount = line.amount.minor();
        *sum += if line.side == Side::Debit { amount } else { -amount };
    }
    assert!(sums.values().all(|sum| *sum == 0), "{lines:?}");
}

fn check_owner(story: &Given, books: &Books, owner: &Owner) {
    for account in [Account::Accrued, Account::Held, Account::Payable] {
        assert!(books.owed(owner, account) >= 0, "{owner:?} {account}");
    }
    let (fund, programme, partner, lot) = owner;
    let flow = books.flows.get(owner).copied().unwrap_or(0);
    let (Some(programme), Some(partner)) = (programme, partner) else { return };
    match (fund, lot) {
        (Fund::Coop, Some(lot)) => {
            let held = books.owed(owner, Account::Held) + books.owed(owner, Account::Payable);
            assert_eq!(books.owed(owner, Account::Accrued) + held, flow, "identity of {owner:?}");
            let row = coop::lot_of_fact(story.facts(), programme, partner, lot).expect("opened");
            assert_eq!(row.available.minor(), books.owed(owner, Account::Accrued), "{owner:?}");
            let fund = coop::fund(story.facts(), programme, partner).expect("in memory");
            let owes = fund.expect("opened").owed.minor();
            assert_eq!(owes, books.over_lots(owner, Account::Receivable), "{owner:?}");
        }
        (Fund::Mdf, None) => {
            let partners = books.of(owner, Account::BudgetPartner);
            let reserved = books.of(owner, Account::BudgetReserved);
            let payable = books.owed(owner, Account::Payable);
            assert_eq!(partners + reserved + payable, flow, "identity of {owner:?}");
            assert!(reserved >= books.owed(owner, Account::Held), "{owner:?}");
            let fund = mdf::fund(story.facts(), programme, partner).expect("in memory");
            // Between an allocation and its credit the fund does not know of it yet.
            let between = matches!(
                story.commits().last().map(|commit| &commit.stream),
                Some(Stream::Budget(_))
            );
            if let (Some(fund), false) = (fund, between) {
                assert_eq!(fund.available.minor(), partners, "{owner:?}");
                assert_eq!(fund.owed.minor(), books.of(owner, Account::Receivable), "{owner:?}");
            }
        }
        _ => {}
    }
}

/// What claims hold and what is payable is what the lines say, lot by lot.
fn check_claims(story: &Given, books: &Books) {
    let mut held: BTreeMap<Owner, (i128, i128)> = BTreeMap::new();
    for id in &books.claims {
        let claim = story.facts().get::<claim::Claim>(id).expect("in memory").expect("claimed");
        for part in &claim.parts {
            let (programme, partner) = (claim.programme.clone(), claim.partner.clone());
            let owner = (claim.fund, Some(programme), Some(partner), part.lot.clone());
            let sums = held.entry(owner).or_default();
            sums.0 += part.held.minor();
            sums.1 += part.payable.minor();
            assert!(part.clawed_back.minor() <= part.paid.minor(), "{claim:?}");
        }
    }
    for (owner, (held, payable)) in held {
        assert_eq!(held, books.owed(&owner, Account::Held), "{owner:?}");
        assert_eq!(payable, books.owed(&owner, Account::Payable), "{owner:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::balanced;
    use crate::fund_story::{
        accrue_on, allocate, approve, approve_request, banded, claim_mdf, claim_on, claw_back,
        close, coop_terms, dispute, expire, fail, fund_of, give_back, half, mdf_fund, pay, recover,
        reject, request, two_percent, withdraw, write_off,
    };
    use crate::given::{Given, Outcome};
    use crate::story::id;
    use chl_commands::Command;
    use chl_commands::claim::{ClaimMdf, PayClaim, RecoverClawback};
    use chl_commands::ledger::ReverseEntry;
    use chl_events::Fund::{self, Coop, Mdf};
    use chl_events::claim::{PaymentMethod, RecoveryMethod};
    use chl_events::terms::{
        ActivityCap, BandMode, CoopTerms, EarningPeriod, MdfTerms, UsableFrom,
    };
    use chl_events::{Date, FreeText, Role};
    use std::collections::BTreeSet;

    /// Numbers that are the same on every run (Knuth's MMIX generator).
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) % sides
        }

        fn money(&mut self) -> String {
            format!("{}.{:02}", self.roll(3000), self.roll(100))
        }

        fn some_money(&mut self) -> Option<String> {
            (self.roll(3) == 0).then(|| self.money())
        }
    }

    /// One of the claims of these days: each gets its share of attention.
    fn some_claim(dice: &mut Dice, story: &Given) -> String {
        format!("c{}", story.commits().len() as u64 / 40 + dice.roll(2))
    }

    fn on_claim(dice: &mut Dice, story: &Given, fund: Fund) -> Command {
        let claim = some_claim(dice, story);
        let claim = claim.as_str();
        let amount = dice.some_money();
        let amount = amount.as_deref();
        let methods = [None, Some(PaymentMethod::CreditMemo), Some(PaymentMethod::Netting)];
        let method = methods.get(dice.roll(6) as usize).copied().flatten();
        let netting = (dice.roll(2) == 0).then_some(RecoveryMethod::Netting);
        match dice.roll(20) {
            0 => withdraw(fund, claim).into(),
            1 | 2 => reject(fund, claim).into(),
            3 | 4 => dispute(fund, claim).into(),
            5..9 => approve(fund, claim, amount).into(),
            9..13 => PayClaim { method, ..pay(fund, claim, amount) }.into(),
            13 => fail(fund, claim, amount).into(),
            14..17 => claw_back(fund, claim, amount).into(),
            17 | 18 => RecoverClawback { method: netting, ..recover(fund, claim, amount) }.into(),
            _ => write_off(fund, claim, amount).into(),
        }
    }

    fn reverse(dice: &mut Dice, story: &Given) -> Command {
        let position = dice.roll(story.commits().len() as u64);
        ReverseEntry { position, reason: FreeText::Plain("an error".into()) }.into()
    }

    fn on_coop(dice: &mut Dice, story: &Given, day: &str) -> Command {
        let lots = ["20260301-20260331", "20260401-20260430", "20260501-20260531"];
        let lot = lots.get(dice.roll(3) as usize).copied().unwrap_or("20260601-20260630");
        let sale = format!("s{}", dice.roll(12));
        match dice.roll(20) {
            0..4 => accrue_on(&sale, &dice.money(), day).into(),
            4 => give_back(&sale, &dice.money()).into(),
            5 => close(lot).into(),
            6 => expire(lot).into(),
            7 | 8 => claim_on(&some_claim(dice, story), &dice.money(), day).into(),
            9 => reverse(dice, story),
            _ => on_claim(dice, story, Coop),
        }
    }

    fn on_mdf(dice: &mut Dice, story: &Given) -> Command {
        let name = format!("r{}", dice.roll(4));
        match dice.roll(20) {
            0 => allocate("b", &dice.money()).into(),
            1 | 2 => request(&name, &dice.money()).into(),
            3 | 4 => approve_request(&name).into(),
            5 | 6 => {
                let last = Some(dice.roll(2) == 0);
                let claim = some_claim(dice, story);
                ClaimMdf { r#final: last, ..claim_mdf(&claim, &name, &dice.money()) }.into()
            }
            7 => reverse(dice, story),
            _ => on_claim(dice, story, Mdf),
        }
    }

    /// Goes on for some days, each command by somebody else; every commit is checked.
    fn walk(
        seed: u64,
        turns_a_day: u64,
        mut story: Given,
        of: fn(&mut Dice, &Given, &str) -> Command,
    ) -> Given {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        story.watch = Some(balanced);
        let mut day: Date = id("2026-03-01");
        for turn in 0..160 {
            let passes = i32::from(dice.roll(turns_a_day) == 0);
            day = day.plus_days(passes).unwrap_or(day);
            let sold = day.plus_days(-(dice.roll(9) as i32)).unwrap_or(day).to_string();
            story = story.at(&format!("{day}T10:00:00Z"));
            story = story.by(Role::Operator, &format!("op{}", turn % 5));
            let command = of(&mut dice, &story, &sold);
            if let Outcome::Accepted(commits) = story.when(command) {
                assert!(!commits.is_empty());
            }
        }
        story
    }

    fn seen(stories: &[Given]) -> BTreeSet<&'static str> {
        stories.iter().flat_map(Given::events).map(|event| event.kind().name).collect()
    }

    #[test]
    fn coop_stays_balanced_whatever_comes() {
        let bands = [("0", "0.03"), ("1500", "0.20"), ("4000", "0.50")];
        let rates = vec![banded(&bands, Some(BandMode::WholeAmount))];
        let cap = ActivityCap { activity: None, amount: None, share_of_lot: Some(id("0.9")) };
        let coop = |usable, rebate_share: &str| CoopTerms {
            earning_period: EarningPeriod::Month,
            accrual: rates.clone(),
            usable,
            rebate_share: id(rebate_share),
            usage_months: 1,
            claim_days: 10,
            caps: vec![cap.clone()],
            ..two_percent()
        };
        let stories: Vec<_> = (0..60)
            .map(|seed| {
                let split = coop(UsableFrom::AfterPeriod, "0.4");
                let terms = if seed % 2 == 0 { coop(UsableFrom::AtOnce, "0") } else { split };
                walk(seed, 2, fund_of(coop_terms(terms)), on_coop)
            })
            .collect();
        let seen = seen(&stories);
        for name in [
            "CoopAccrualReversed",
            "CoopPeriodClosed",
            "CoopLotExpired",
            "RebateCredited",
            "ClaimWithdrawn",
            "ClaimApproved",
            "ClaimRejected",
            "ClaimDisputed",
            "ClaimPaid",
            "PaymentFailed",
            "ClaimClawedBack",
            "ClawbackRecovered",
            "ClawbackWrittenOff",
            "EntryReversed",
        ] {
            assert!(seen.contains(name), "no {name} in any story");
        }
    }

    #[test]
    fn mdf_stays_balanced_whatever_comes() {
        let of = |dice: &mut Dice, story: &Given, _: &str| on_mdf(dice, story);
        let mdf = || MdfTerms { claim_days: 10, ..half() };
        let stories: Vec<_> =
            (0..40).map(|seed| walk(seed, 1 + seed % 4, mdf_fund(mdf()), of)).collect();
        let seen = seen(&stories);
        for name in [
            "MdfRequestApproved",
            "MdfRequestLapsed",
            "MdfClaimed",
            "ClaimWithdrawn",
            "ClaimApproved",
            "ClaimRejected",
            "ClaimDisputed",
            "ClaimPaid",
            "ClaimClawedBack",
        ] {
            assert!(seen.contains(name), "no {name} in any story");
        }
    }
}
