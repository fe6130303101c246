//! Commands on deals.

use crate::catalog::area;
use chl_events::{
    Code, CustomerId, Date, DealId, FreeText, Money, PartnerId, ProgrammeId, Stream,
    deal::{Contract, Route},
};

area! {
    /// Commands on deals.
    Deal = "deal" {
        /// Registers a deal on a customer; on another's guarded slot it is contested.
        50, 1 => RegisterDeal by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| c.partner.as_ref(); seals [] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The partner; absent only with `route: direct`.
            #[serde(default)]
            partner: Option<PartnerId>,
            /// `direct` when the vendor sells itself.
            #[serde(default)]
            route: Option<Route>,
            /// The programme.
            programme: ProgrammeId,
            /// The product line.
            product_line: Code,
            /// The territory.
            #[serde(default)]
            territory: Option<Code>,
            /// The deal's value.
            value: Money,
            /// When it is expected to close.
            #[serde(default)]
            expected_close: Option<Date>,
            /// The contract, from which the annual value follows.
            #[serde(default)]
            contract: Option<Contract>,
        }
        /// Approves a submitted deal: its slot is protected from now on.
        51, 1 => ApproveDeal by [ChannelManager]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Rejects a submitted deal.
        52, 1 => RejectDeal by [ChannelManager]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Changes the figures of an open deal; its slot never changes.
        53, 1 => AmendDeal by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// The new value.
            #[serde(default)]
            value: Option<Money>,
            /// The new expected closing.
            #[serde(default)]
            expected_close: Option<Date>,
            /// The new contract.
            #[serde(default)]
            contract: Option<Contract>,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Withdraws an open deal.
        54, 1 => WithdrawDeal by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Extends the protection of an approved deal before it ends.
        55, 1 => ExtendDeal by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [note] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// A note.
            #[serde(default)]
            note: Option<FreeText>,
        }
        /// Records that a deal's protection has run out; also sent by the clock.
        56, 1 => ExpireDeal by [Service, Clock]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
        }
        /// Records that a deal was won.
        57, 1 => MarkDealWon by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// When it closed.
            closed_on: Date,
            /// What it was won for; absent: its registered value.
            #[serde(default)]
            value: Option<Money>,
        }
        /// Records that a deal was lost.
        58, 1 => MarkDealLost by [Partner, ChannelManager, Service]
            on |c| Some(Stream::Customer(c.customer.clone())); of |c| None; seals [] {
            /// The deal.
            deal: DealId,
            /// The customer.
            customer: CustomerId,
            /// When it closed.
            closed_on: Date,
            /// Why, as a code.
            #[serde(default)]
            loss_reason: Option<Code>,
        }
    }
}
