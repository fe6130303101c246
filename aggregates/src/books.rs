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
