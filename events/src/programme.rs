//! Facts of programmes: published versions.

use crate::{Currency, Date, ProgrammeId, event::area, terms::Terms};

area! {
    /// Facts of programmes.
    ProgrammeEvent {
        /// A version of a programme was published, with every default written out.
        30, 1 => ProgrammePublished {
            /// The programme.
            programme: ProgrammeId,
            /// The version: one more than the one before.
            version: u32,
            /// From when on it is in force.
            effective_from: Date,
            /// The currency of its funds.
            currency: Currency,
            /// The IANA time zone its days are counted in.
            time_zone: String,
            /// The rules.
            terms: Box<Terms>,
        }
    }
}
