//! Facts: what has happened in a channel programme, and the bytes it is kept in.
//!
//! Floor 0 of the house: pure, and known to everybody. It holds the identifiers, money and time of
//! the domain, the event types of every area, and the codecs of [`Commit`] and [`Block`]. The bytes
//! are described one by one in `docs/WIRE.md` and never change once written.

mod block;
mod commit;
mod decimal;
mod event;
mod id;
mod money;
mod period;
mod person;
mod posting;
mod sealed;
mod stream;
mod text;
mod time;
mod wire;

pub mod budget;
pub mod claim;
pub mod conflict;
pub mod coop;
pub mod customer;
pub mod deal;
pub mod ledger;
pub mod mdf;
pub mod partner;
pub mod programme;
pub mod rebate;
pub mod scorecard;
pub mod terms;

pub use block::{
    BLOCK_OVERHEAD, Block, BlockError, Commits, Hash, LedgerId, MAX_BLOCK_BYTES, MAX_COMMIT_BYTES,
};
pub use commit::{Commit, CommitError, Origin, RecordedCommand, RecordedEvent, Role};
pub use decimal::{DecimalError, Exact, Rate};
pub use event::{DecodeError, Event, EventKind};
pub use id::{
    ActorId, BudgetId, ClaimId, Code, ConflictId, CustomerId, DealId, IdError, LotId, MAX_ID_BYTES,
    PartnerId, PersonId, ProgrammeId, RequestId, SaleId,
};
pub use money::{Currency, Money, MoneyError};
pub use period::{Period, PeriodError};
pub use person::{Person, PersonError, Whom};
pub use posting::{Account, Book, Fund, PostingLine, Side, UnknownWord};
pub use sealed::{KeyId, Sealed};
pub use stream::{Stream, StreamError};
pub use text::{DisplayName, FreeText, MAX_NAME_CHARS, MAX_TEXT_CHARS, Name, Sealable, TextError};
pub use time::{Date, Instant, TimeError};
pub use wire::to_bytes;
