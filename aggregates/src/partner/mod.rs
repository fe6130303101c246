//! STUB of partner, to be replaced.
#![allow(unused, reason = "stub")]

use crate::{Context, Fact, Facts, Refusal, RowsMut, Unavailable, rejection::rejections};
use chl_commands::partner::Partner as Command;
use chl_events::{Commit, RecordedEvent, partner::PartnerEvent};

mod state;

pub use state::{Certification, DistributorLink, Enrolment, Measure, Partner, PartnerState};
pub(crate) use state::{enrolment, known, require_active, require_earning, require_enrolled};

rejections! {
    /// Rejections of partner.
    PartnerRejection {
        /// Stub.
        Stub { field: String } = "partner.stub", Terms, "stub {field}";
    }
}

pub(crate) fn decide(command: &Command, facts: Facts<'_>, context: &Context<'_>) -> Result<Vec<Fact>, Refusal> {
    Err(Unavailable("not built yet".into()).into())
}

pub(crate) fn evolve(event: &PartnerEvent, recorded: &RecordedEvent, commit: &Commit, rows: &mut dyn RowsMut) -> Result<(), Unavailable> {
    Ok(())
}
