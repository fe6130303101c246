//! Programmes: their published versions, with the rules as they were published.

use crate::{FoldError, Keeps, fact::Fact, row::row};
use chl_events::{
    Currency, Date, DecodeError, Event, Instant, ProgrammeId,
    programme::{ProgrammeEvent, ProgrammePublished},
    terms::Terms,
};
use compact_str::CompactString;

row! {
    /// A version of a programme.
    ProgrammeRow in "programmes"
    keys {
        /// The programme.
        programme: ProgrammeId,
        /// The version.
        version: u32,
    }
    fields {
        /// From when on it is in force.
        effective_from: Date,
        /// The currency of its funds.
        currency: Currency,
        /// The IANA time zone its days are counted in.
        time_zone: CompactString,
        /// When it was published.
        published_at: Instant,
        /// The number of the event's type, which says how `published` is read.
        event_tag: u32,
        /// The version of the event's struct.
        event_version: u32,
        /// The bytes of the event, rules included.
        published: Vec<u8>,
    }
    indices []
}

impl ProgrammeRow {
    /// The rules; none when the bytes are another event's.
    pub fn terms(&self) -> Result<Option<Terms>, DecodeError> {
        let (Ok(tag), Ok(version)) =
            (u16::try_from(self.event_tag), u16::try_from(self.event_version))
        else {
            return Ok(None);
        };
        let event = Event::decode(tag, version, &self.published)?;
        let Event::Programme(ProgrammeEvent::ProgrammePublished(published)) = event else {
            return Ok(None);
        };
        Ok(Some(*published.terms))
    }
}

/// Folds the publication of programmes.
pub(crate) fn fold<S: Keeps<ProgrammeRow>>(
    fact: &Fact<'_>,
    store: &mut S,
) -> Result<(), FoldError> {
    let Event::Programme(event) = fact.event() else { return Ok(()) };
    match event {
        ProgrammeEvent::ProgrammePublished(e) => store.put(published(fact, e)?)?,
    }
    Ok(())
}

fn published(fact: &Fact<'_>, e: &ProgrammePublished) -> Result<ProgrammeRow, FoldError> {
    let kind = fact.event().kind();
    let bytes = fact.event().encode().map_err(|source| FoldError::Bytes {
        position: fact.commit.position,
        source: source.into(),
    })?;
    Ok(ProgrammeRow {
        programme: e.programme.clone(),
        version: e.version,
        effective_from: e.effective_from,
        currency: e.currency,
        time_zone: CompactString::new(&e.time_zone),
        published_at: fact.time(),
        event_tag: u32::from(kind.tag),
        event_version: u32::from(kind.version),
        published: bytes,
    })
}
