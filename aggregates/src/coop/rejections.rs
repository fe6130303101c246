//! Rejections of co-op.

use crate::rejection::rejections;
use chl_events::{Code, Date, Instant, LotId, Money, ProgrammeId, SaleId};

rejections! {
    /// Rejections of co-op, in order of precedence.
    CoopRejection {
        /// No accrual of the sale is recorded in the fund. Accrue it first.
        UnknownSale { sale: SaleId }
            = "coop.sale_unknown", Unknown, "no accrual of sale {sale} is recorded";
        /// The fund has no such lot. A lot opens with its first accrual.
        UnknownLot { lot: LotId } = "coop.lot_unknown", Unknown, "the fund has no lot {lot}";
        /// The sale has accrued already; it accrues once in a fund.
        SaleAccrued { sale: SaleId, lot: LotId }
            = "coop.sale_accrued", AlreadyDone, "sale {sale} has accrued already, in lot {lot}";
        /// All of the sale was returned already.
        SaleReturned { sale: SaleId }
            = "coop.sale_returned", AlreadyDone, "all of sale {sale} was returned already";
        /// The lot's earning period was closed already.
        LotClosed { lot: LotId }
            = "coop.lot_closed", AlreadyDone, "the earning period of lot {lot} is closed already";
        /// The lot has expired already.
        LotExpired { lot: LotId }
            = "coop.lot_expired", AlreadyDone, "lot {lot} has expired already";
        /// The version in force states no co-op.
        NotOffered { programme: ProgrammeId, version: u32 }
            = "coop.not_offered", Terms, "version {version} of {programme} has no co-op";
        /// No rate of the terms fits the partner's tier and the product line.
        NoRate { tier: Option<Code>, product_line: Option<Code> }
            = "coop.no_rate", Terms, "no rate of accrual fits this tier and product line";
        /// The sale's lot is past its window, has expired or became rebate, and the terms take no late
        /// accruals.
        TooLate { lot: LotId, until: Date, state: &'static str }
            = "coop.too_late", Terms,
            "lot {lot}, usable until {until}, {state} and takes no more accruals";
        /// The lot's period is not over, or it has not expired yet.
        TooEarly { lot: LotId, due: Instant }
            = "coop.too_early", Terms, "lot {lot} is not due before {due}";
        /// The date given is not that of the sale's accrual.
        SaleDiffers { sale: SaleId, sold_on: Date }
            = "coop.sale_differs", Terms, "sale {sale} was accrued as sold on {sold_on}";
        /// A sale cannot be returned before it was made.
        ReturnedBeforeSold { sold_on: Date, returned_on: Date }
            = "coop.returned_before_sold", Terms,
            "{returned_on} lies before {sold_on}, when it was sold";
        /// More would be returned than is left of the sale.
        OverSale { left: Money, given: Money }
            = "coop.over_sale", Money, "{given} is more than the {left} left of the sale";
    }
}
