//! Rejections of programmes.

use crate::rejection::rejections;
use chl_events::{Currency, Date, ProgrammeId};

rejections! {
    /// Rejections of programmes, in order of precedence.
    ProgrammeRejection {
        /// The version is published already. Published versions never change: publish the next.
        VersionTaken { programme: ProgrammeId, version: u32 }
            = "programme.version_taken", AlreadyDone,
            "version {version} of {programme} is published already";
        /// The version does not follow the newest one. Versions are numbered without gaps.
        VersionGap { expected: u32, given: u32 }
            = "programme.version_gap", WrongState, "version {expected} comes next, not {given}";
        /// The version would be in force before the one it follows.
        BeforeNewest { newest_from: Date, given: Date }
            = "programme.before_newest", Terms,
            "{given} lies before {newest_from}, from when on the newest version is in force";
        /// The funds of a programme keep their currency. Publish another programme for another.
        CurrencyChanged { expected: Currency, given: Currency }
            = "programme.currency_changed", Money,
            "the funds of this programme are in {expected}, not {given}";
    }
}
