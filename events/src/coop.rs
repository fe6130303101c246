//! Facts of co-op: accruals on sales, in lots by earning period.

use crate::{
    Code, Date, Exact, Instant, LotId, Money, PartnerId, ProgrammeId, Rate, SaleId, event::area,
};

area! {
    /// Facts of co-op lots and accruals.
    CoopEvent {
        /// A lot was opened by its first accrual; its dates are fixed here.
        100, 1 => CoopLotOpened {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// The version of the terms that fixed its dates.
            programme_version: u32,
            /// First earning day.
            earning_from: Date,
            /// Last earning day.
            earning_until: Date,
            /// The first activity date it pays for.
            usable_from: Date,
            /// The last activity date it pays for.
            usable_until: Date,
            /// The last day a claim may draw on it.
            claims_until: Date,
            /// When its earning period is over and it is to be closed.
            closes_at: Instant,
            /// When what is not held expires.
            expires_at: Instant,
        }
        /// A sale accrued.
        101, 1 => CoopAccrued {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// The sale.
            sale: SaleId,
            /// The version of the terms that decided.
            programme_version: u32,
            /// The partner's tier then, where rates go by tier.
            tier: Option<Code>,
            /// The product line, where rates go by product line.
            product_line: Option<Code>,
            /// The net amount of the sale.
            net_amount: Money,
            /// When it was sold.
            sold_on: Date,
            /// The rate; none where several bands took part.
            rate: Option<Rate>,
            /// The amount before rounding, in units of the currency.
            unrounded: Exact,
            /// What accrued.
            amount: Money,
            /// Whether the sale's own lot was past its window, so that another took it.
            late: bool,
        }
        /// A sale, or part of it, was returned.
        102, 1 => CoopAccrualReversed {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// The sale.
            sale: SaleId,
            /// The net amount returned.
            net_amount: Money,
            /// When it was returned.
            returned_on: Date,
            /// The amount before rounding, in units of the currency.
            unrounded: Exact,
            /// What is taken back from the lot.
            from_lot: Money,
            /// What the lot no longer holds and the partner owes.
            owed: Money,
        }
        /// A lot's earning period was closed; its rebate share, or all of it, became rebate.
        103, 1 => CoopPeriodClosed {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// What was earned, net of returns.
            earned: Money,
            /// What became rebate; a policy credits the rebate fund.
            converted: Money,
            /// Whether the lot's co-op share was below the terms' threshold, so that all of it was
            /// converted.
            below_threshold: bool,
        }
        /// A lot expired: what was not held.
        104, 1 => CoopLotExpired {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
            /// What expired.
            amount: Money,
            /// When.
            at: Instant,
        }
    }
}
