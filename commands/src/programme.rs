//! Commands on programmes.

use crate::catalog::area;
use chl_events::{Currency, Date, ProgrammeId, Stream, terms::Terms};

area! {
    /// Commands on programmes.
    Programme = "programme" {
        /// Publishes a version of a programme; published versions never change.
        30, 1 => PublishProgramme by [ChannelManager]
            on |c| Some(Stream::Programme(c.programme.clone())); of |c| None; seals [] {
            /// The programme.
            programme: ProgrammeId,
            /// The version: 1, or one more than the newest.
            version: u32,
            /// From when on it is in force; not before the version it follows.
            effective_from: Date,
            /// The currency of its funds.
            currency: Currency,
            /// The IANA time zone its days are counted in; absent: UTC.
            #[serde(default)]
            #[schemars(length(max = 64))]
            time_zone: Option<String>,
            /// The rules; what is left out has its documented default.
            terms: Box<Terms>,
        }
    }
}
