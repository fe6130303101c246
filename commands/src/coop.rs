//! Commands on co-op: accruals and lots.

use crate::catalog::area;
use chl_events::{Code, Date, LotId, Money, PartnerId, ProgrammeId, SaleId, Stream};

area! {
    /// Commands on co-op.
    Coop = "coop" {
        /// Accrues co-op on a sale.
        100, 1 => AccrueCoop by [Service, Finance]
            on |c| Some(Stream::Coop(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The sale; it accrues once in a fund.
            sale: SaleId,
            /// Its net amount, in the programme's currency.
            net_amount: Money,
            /// When it was sold.
            sold_on: Date,
            /// The product line, where rates go by it.
            #[serde(default)]
            product_line: Option<Code>,
        }
        /// Takes back the accrual of a returned sale, or of part of it.
        101, 1 => ReverseAccrual by [Service, Finance]
            on |c| Some(Stream::Coop(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The sale.
            sale: SaleId,
            /// The net amount returned, at most what is left of the sale.
            net_amount: Money,
            /// When the sale was made; checked against the accrual where given.
            #[serde(default)]
            sold_on: Option<Date>,
            /// When it was returned; absent: the day of the command's time.
            #[serde(default)]
            returned_on: Option<Date>,
        }
        /// Closes a lot's earning period; its rebate share becomes rebate. Also sent by the clock.
        103, 1 => CloseCoopPeriod by [Finance, Service, Clock]
            on |c| Some(Stream::Coop(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
        }
        /// Records that a lot has expired; also sent by the clock.
        104, 1 => ExpireCoopLot by [Finance, Service, Clock]
            on |c| Some(Stream::Coop(c.programme.clone(), c.partner.clone()));
            of |c| None; seals [] {
            /// The partner.
            partner: PartnerId,
            /// The programme.
            programme: ProgrammeId,
            /// The lot.
            lot: LotId,
        }
    }
}
