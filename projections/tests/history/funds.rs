//! Co-op and MDF in histories for tests: accruals, claims, allocations and their postings.

use super::{Fact, History, id, money};
use chl_events::{
    Account, Book, ClaimId, Currency, Exact, Fund, LotId, PartnerId, PostingLine, ProgrammeId,
    Rate, Side, Stream,
    budget::{MdfAllocated, MdfBudgetCreated},
    claim::{
        ClaimApproved, ClaimClawedBack, ClaimPaid, ClaimRejected, ClawbackRecovered, CoopClaimed,
        MdfClaimed, Outcome, Part, PaymentFailed, PaymentMethod, RecoveryMethod,
    },
    coop::{CoopAccrualReversed, CoopAccrued, CoopLotExpired, CoopLotOpened, CoopPeriodClosed},
    mdf::{MdfRequestApproved, MdfRequested},
};
use std::collections::BTreeMap;

/// Whose fund.
#[derive(Debug, Clone)]
pub(crate) struct Of {
    pub(crate) partner: PartnerId,
    pub(crate) programme: ProgrammeId,
    pub(crate) currency: Currency,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Held,
    Payable,
    Paid,
    Owed,
    Done,
}

#[derive(Debug, Clone)]
struct OpenClaim {
    claim: ClaimId,
    of: Of,
    lot: Option<LotId>,
    amount: i128,
    stage: Stage,
}

/// What the funds hold, as far as a history needs to know.
#[derive(Debug, Default)]
pub(crate) struct Funds {
    lots: BTreeMap<(PartnerId, ProgrammeId, LotId), i128>,
    claims: Vec<OpenClaim>,
    budgets: usize,
}

impl Funds {
    /// Takes a mirror's lines off a lot, when it still holds them.
    pub(crate) fn may_take(&mut self, stream: &Stream, lines: &[PostingLine]) -> bool {
        let Stream::Coop(programme, partner) = stream else { return false };
        let Some(line) = lines.iter().find(|line| line.account == Account::Accrued) else {
            return false;
        };
        let Some(lot) = line.lot.clone() else { return false };
        let held = self.lots.entry((partner.clone(), programme.clone(), lot)).or_default();
        let enough = *held >= line.amount.minor();
        if enough {
            *held -= line.amount.minor();
        }
        enough
    }
}

fn line(
    of: &Of,
    fund: Fund,
    account: Account,
    side: Side,
    lot: Option<&LotId>,
    minor: i128,
) -> PostingLine {
    let memo = account.as_str().starts_with("BUD.");
    PostingLine {
        book: if memo { Book::Memo } else { Book::Books },
        account,
        fund,
        partner: Some(of.partner.clone()),
        lot: lot.cloned(),
        side,
        amount: money(minor, of.currency),
    }
}

/// A debit and a credit.
fn pair(
    of: &Of,
    fund: Fund,
    debit: Account,
    credit: Account,
    lot: Option<&LotId>,
    minor: i128,
) -> Vec<PostingLine> {
    if minor == 0 {
        return vec![];
    }
    vec![
        line(of, fund, debit, Side::Debit, lot, minor),
        line(of, fund, credit, Side::Credit, lot, minor),
    ]
}

/// The same line on the other side.
pub(crate) fn mirrored(line: PostingLine) -> PostingLine {
    let side = if line.side == Side::Debit { Side::Credit } else { Side::Debit };
    PostingLine { side, ..line }
}

fn coop(of: &Of) -> Stream {
    Stream::Coop(of.programme.clone(), of.partner.clone())
}

fn lot_of(choice: usize) -> LotId {
    id(if choice.is_multiple_of(2) { "20260101-20260331" } else { "20260401-20260630" })
}

pub(crate) fn accrue(history: &mut History, of: &Of, choice: usize) -> u64 {
    let lot = lot_of(choice);
    let minor = 100 + (choice as i128 % 100_000);
    let key = (of.partner.clone(), of.programme.clone(), lot.clone());
    let mut facts: Vec<Fact> = Vec::new();
    if !history.funds.lots.contains_key(&key) {
        let opened = CoopLotOpened {
            partner: of.partner.clone(),
            programme: of.programme.clone(),
            lot: lot.clone(),
            programme_version: 1,
            earning_from: id("2026-01-01"),
            earning_until: id("2026-03-31"),
            usable_from: id("2026-01-01"),
            usable_until: id("2026-09-30"),
            claims_until: id("2026-11-29"),
            closes_at: id("2026-04-01T00:00:00Z"),
            expires_at: id("2026-11-30T00:00:00Z"),
        };
        facts.push((opened.into(), vec![]));
    }
    *history.funds.lots.entry(key).or_default() += minor;
    let accrued = CoopAccrued {
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        lot: lot.clone(),
        sale: id(&format!("s-{}", history.commits.len())),
        programme_version: 1,
        tier: None,
        product_line: None,
        net_amount: money(minor * 50, of.currency),
        sold_on: history.today(),
        rate: Some(id("0.02")),
        unrounded: Exact::new(minor.into()),
        amount: money(minor, of.currency),
        late: false,
    };
    let lines = pair(of, Fund::Coop, Account::ContraRevenue, Account::Accrued, Some(&lot), minor);
    facts.push((accrued.into(), lines));
    history.add(coop(of), facts)
}

pub(crate) fn give_back(history: &mut History, of: &Of, choice: usize) {
    let lot = lot_of(choice);
    let key = (of.partner.clone(), of.programme.clone(), lot.clone());
    let Some(held) = history.funds.lots.get_mut(&key) else { return };
    let wanted = 50 + choice as i128 % 5_000;
    let from_lot = wanted.min(*held);
    *held -= from_lot;
    let event = CoopAccrualReversed {
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        lot: lot.clone(),
        sale: id("s-0"),
        net_amount: money(wanted * 50, of.currency),
        returned_on: history.today(),
        unrounded: Exact::new(wanted.into()),
        from_lot: money(from_lot, of.currency),
        owed: money(wanted - from_lot, of.currency),
    };
    let mut lines =
        pair(of, Fund::Coop, Account::Accrued, Account::ContraRevenue, Some(&lot), from_lot);
    let owed = wanted - from_lot;
    lines.extend(pair(
        of,
        Fund::Coop,
        Account::Receivable,
        Account::ContraRevenue,
        Some(&lot),
        owed,
    ));
    history.add(coop(of), vec![(event.into(), lines)]);
}

/// Ends a lot: half of it becomes rebate, or the rest expires.
pub(crate) fn end_lot(history: &mut History, of: &Of, choice: usize) {
    let lot = lot_of(choice);
    let key = (of.partner.clone(), of.programme.clone(), lot.clone());
    let Some(held) = history.funds.lots.get_mut(&key) else { return };
    let (partner, programme) = (of.partner.clone(), of.programme.clone());
    if choice.is_multiple_of(3) {
        let amount = money(std::mem::take(held), of.currency);
        let at = history.now();
        let lines = pair(
            of,
            Fund::Coop,
            Account::Accrued,
            Account::ContraRevenue,
            Some(&lot),
            amount.minor(),
        );
        let event = CoopLotExpired { partner, programme, lot, amount, at };
        history.add(coop(of), vec![(event.into(), lines)]);
    } else {
        let converted = *held / 2;
        *held -= converted;
        let mut lines =
            pair(of, Fund::Coop, Account::Accrued, Account::Accrued, Some(&lot), converted);
        if let Some(credit) = lines.get_mut(1) {
            credit.fund = Fund::Rebate;
        }
        let (earned, converted) =
            (money(converted * 2, of.currency), money(converted, of.currency));
        let event =
            CoopPeriodClosed { partner, programme, lot, earned, converted, below_threshold: false };
        history.add(coop(of), vec![(event.into(), lines)]);
    }
}

pub(crate) fn claim(history: &mut History, of: &Of, choice: usize) {
    let lot = lot_of(choice);
    let key = (of.partner.clone(), of.programme.clone(), lot.clone());
    let Some(held) = history.funds.lots.get_mut(&key).filter(|held| **held > 1) else { return };
    let amount = 1 + choice as i128 % (*held - 1).max(1);
    *held -= amount;
    let claim: ClaimId = id(&format!("cl-{}", history.commits.len()));
    let granted = money(amount, of.currency);
    let event = CoopClaimed {
        claim: claim.clone(),
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        programme_version: 1,
        activity: id("ad"),
        cost: money(amount * 2, of.currency),
        activity_date: history.today(),
        proof: vec![],
        match_rate: id::<Rate>("0.5"),
        unrounded: Exact::new(amount.into()),
        requested: granted,
        granted,
        parts: vec![Part { lot: Some(lot.clone()), amount: granted }],
    };
    let lines = pair(of, Fund::Coop, Account::Accrued, Account::Held, Some(&lot), amount);
    history.add(coop(of), vec![(event.into(), lines)]);
    let stage = Stage::Held;
    history.funds.claims.push(OpenClaim { claim, of: of.clone(), lot: Some(lot), amount, stage });
}

/// A budget, an allocation of it, a request on that, its approval and a claim: MDF in one go.
pub(crate) fn allocate(history: &mut History, of: &Of, choice: usize) {
    let amount = 10_000 + choice as i128 % 1_000;
    let granted = amount / 2;
    history.funds.budgets += 1;
    let budget: chl_events::BudgetId = id(&format!("b-{}", history.funds.budgets));
    let programme = of.programme.clone();
    let total = money(amount, of.currency);
    let created = MdfBudgetCreated {
        budget: budget.clone(),
        programme: programme.clone(),
        amount: total,
        period: id("2026"),
    };
    let lines =
        pair(of, Fund::Mdf, Account::BudgetUnallocated, Account::BudgetSource, None, amount);
    let lines = lines.into_iter().map(|line| PostingLine { partner: None, ..line }).collect();
    history.add(Stream::Budget(budget.clone()), vec![(created.into(), lines)]);
    let lines =
        pair(of, Fund::Mdf, Account::BudgetPartner, Account::BudgetUnallocated, None, amount);
    let partner = of.partner.clone();
    let allocated = MdfAllocated { budget: budget.clone(), programme, partner, amount: total };
    history.add(Stream::Budget(budget), vec![(allocated.into(), lines)]);
    request(history, of, amount, granted);
}

fn request(history: &mut History, of: &Of, amount: i128, granted: i128) {
    let stream = Stream::Mdf(of.programme.clone(), of.partner.clone());
    let request: chl_events::RequestId = id(&format!("r-{}", history.commits.len()));
    let requested = MdfRequested {
        request: request.clone(),
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        activity: id("event"),
        start: history.today(),
        end: history.today(),
        estimated_cost: money(amount, of.currency),
        expected_leads: Some(10),
        expected_revenue: None,
    };
    history.add(stream.clone(), vec![(requested.into(), vec![])]);
    let approved = MdfRequestApproved {
        request: request.clone(),
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        programme_version: 1,
        amount: money(amount, of.currency),
        claims_until: history.today().plus_days(60).unwrap_or(history.today()),
        lapses_at: history.now(),
        tail_until: history.now(),
    };
    let lines = pair(of, Fund::Mdf, Account::BudgetReserved, Account::BudgetPartner, None, amount);
    history.add(stream.clone(), vec![(approved.into(), lines)]);
    let claim: ClaimId = id(&format!("cl-{}", history.commits.len()));
    let claimed = MdfClaimed {
        claim: claim.clone(),
        request,
        partner: of.partner.clone(),
        programme: of.programme.clone(),
        programme_version: 1,
        activity: id("event"),
        cost: money(granted, of.currency),
        activity_date: history.today(),
        proof: vec![],
        match_rate: Rate::ONE,
        unrounded: Exact::new(granted.into()),
        requested: money(granted, of.currency),
        granted: money(granted, of.currency),
        outcome: Some(Outcome { leads: Some(7), revenue: Some(money(granted * 3, of.currency)) }),
        is_final: true,
    };
    let lines = pair(of, Fund::Mdf, Account::ContraRevenue, Account::Held, None, granted);
    history.add(stream, vec![(claimed.into(), lines)]);
    let (of, stage) = (of.clone(), Stage::Held);
    history.funds.claims.push(OpenClaim { claim, of, lot: None, amount: granted, stage });
}

/// Moves a claim one step on: approved or rejected, paid, failed or clawed back, recovered.
pub(crate) fn move_claim(history: &mut History, choice: usize) {
    let open = history.funds.claims.iter_mut().filter(|claim| claim.stage != Stage::Done);
    let Some(open) = open.last() else { return };
    let way = choice.is_multiple_of(3);
    let next = match (open.stage, way) {
        (Stage::Held, false) => Stage::Payable,
        (Stage::Held, true) => Stage::Done,
        (Stage::Payable, _) => Stage::Paid,
        (Stage::Paid, false) => Stage::Owed,
        (Stage::Paid, true) => Stage::Payable,
        (Stage::Owed | Stage::Done, _) => Stage::Done,
    };
    let before = open.clone();
    open.stage = next;
    let fact = claim_fact(&before, next, history.today());
    if before.stage == Stage::Held
        && next == Stage::Done
        && let Some(lot) = before.lot.clone()
    {
        let key = (before.of.partner.clone(), before.of.programme.clone(), lot);
        *history.funds.lots.entry(key).or_default() += before.amount;
    }
    let (programme, partner) = (before.of.programme.clone(), before.of.partner.clone());
    let stream = match before.lot {
        Some(_) => Stream::Coop(programme, partner),
        None => Stream::Mdf(programme, partner),
    };
    history.add(stream, vec![fact]);
}

fn claim_fact(open: &OpenClaim, next: Stage, today: chl_events::Date) -> Fact {
    let of = &open.of;
    let fund = if open.lot.is_some() { Fund::Coop } else { Fund::Mdf };
    let (claim, partner) = (open.claim.clone(), of.partner.clone());
    let programme = of.programme.clone();
    let amount = money(open.amount, of.currency);
    let part = Part { lot: open.lot.clone(), amount };
    let post = |debit, credit| pair(of, fund, debit, credit, open.lot.as_ref(), open.amount);
    match (open.stage, next) {
        (Stage::Held, Stage::Payable) => {
            let mut lines = post(Account::Held, Account::Payable);
            let unreserved = (fund == Fund::Mdf).then(|| {
                // Half of what was reserved was claimed: the other half goes back.
                lines.extend(post(Account::BudgetSpent, Account::BudgetReserved));
                lines.extend(post(Account::BudgetPartner, Account::BudgetReserved));
                amount
            });
            let (parts, released, expired) = (vec![part], vec![], vec![]);
            let event = ClaimApproved {
                claim,
                partner,
                programme,
                fund,
                amount,
                parts,
                released,
                expired,
                unreserved,
                imported: false,
                note: None,
            };
            (event.into(), lines)
        }
        (Stage::Held, _) => {
            let to = if fund == Fund::Coop { Account::Accrued } else { Account::ContraRevenue };
            let (released, expired) = (vec![part], vec![]);
            let event = ClaimRejected {
                claim,
                partner,
                programme,
                fund,
                released,
                expired,
                is_final: false,
                note: None,
            };
            (event.into(), post(Account::Held, to))
        }
        (Stage::Payable, _) => {
            let event = ClaimPaid {
                claim,
                partner,
                programme,
                fund,
                amount,
                parts: vec![part],
                method: PaymentMethod::Cash,
                withheld: of.currency.zero(),
                paid_on: today,
                reference: None,
            };
            (event.into(), post(Account::Payable, Account::Cash))
        }
        (Stage::Paid, Stage::Payable) => {
            let parts = vec![part];
            let event =
                PaymentFailed { claim, partner, programme, fund, amount, parts, note: None };
            (event.into(), post(Account::Cash, Account::Payable))
        }
        (Stage::Paid, _) => {
            let mut lines = post(Account::Receivable, Account::ContraRevenue);
            if fund == Fund::Mdf {
                lines.extend(post(Account::BudgetPartner, Account::BudgetSpent));
            }
            let (parts, restored) = (vec![part], fund == Fund::Mdf);
            let event = ClaimClawedBack {
                claim,
                partner,
                programme,
                fund,
                amount,
                parts,
                restored,
                note: None,
            };
            (event.into(), lines)
        }
        (Stage::Owed | Stage::Done, _) => {
            let method = RecoveryMethod::Cash;
            let event = ClawbackRecovered {
                claim,
                partner,
                programme,
                fund,
                amount,
                method,
                parts: vec![],
                note: None,
            };
            (event.into(), post(Account::Cash, Account::Receivable))
        }
    }
}
