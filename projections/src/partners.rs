//! Partners: who they are, their tiers, what their people can do, what was measured.

use crate::{
    FoldError, Keeps, List, Row, Table,
    fact::Fact,
    row::{row, states},
};
use chl_events::{
    Code, Date, Event, Exact, Instant, Name, PartnerId, PersonId, ProgrammeId, Sealable,
    partner::{PartnerEvent, PartnerRecruited},
};
use compact_str::CompactString;

states! {
    /// Where a partner is in its life.
    PartnerState {
        /// Recruited.
        Prospect => "prospect",
        /// Has applied.
        Applied => "applied",
        /// The application was approved.
        Approved => "approved",
        /// Deals and claims are open to it.
        Active => "active",
        /// No new deals or claims.
        Suspended => "suspended",
        /// Left for good.
        Terminated => "terminated",
    }
}

row! {
    /// A partner.
    PartnerRow in "partners"
    keys {
        /// The partner.
        partner: PartnerId,
    }
    fields {
        /// Its name; null for a natural person, whose name is sealed.
        name: Option<CompactString>,
        /// What it is.
        types: List,
        /// ISO 3166 country.
        country: Option<Code>,
        /// Where it may sell; empty: anywhere.
        territories: List,
        /// Whether it is a person rather than a company.
        natural_person: bool,
        /// Where it is in its life.
        state: PartnerState,
        /// When it was recruited.
        recruited_at: Instant,
        /// Since when it is in this state.
        state_since: Instant,
        /// The parent it was last attached to and not detached from, for reports.
        parent: Option<PartnerId>,
        /// The distributors it buys through.
        distributors: List,
    }
    indices []
}

row! {
    /// A tier of a partner in a programme, from a date on: the latest up to a day counts.
    TierRow in "tiers"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// From when on.
        from_date: Date,
        /// The commit; of two on one day the later counts.
        position: u64,
    }
    fields {
        /// The tier; null where the programme has none.
        tier: Option<Code>,
    }
    indices [["programme"]]
}

row! {
    /// A credential of a person of a partner, as recorded: the latest record up to a day counts.
    CertificationRow in "certifications"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The person's pseudonym.
        person: PersonId,
        /// What the person holds.
        credential: Code,
        /// From when on.
        from_date: Date,
        /// The commit; of two on one day the later counts.
        position: u64,
    }
    fields {
        /// The last day it is valid.
        valid_until: Date,
    }
    indices []
}

row! {
    /// A measure of a partner over a period; the last record of a period counts.
    MeasureRow in "measures"
    keys {
        /// The partner.
        partner: PartnerId,
        /// What is measured.
        measure: Code,
        /// First day of the period.
        first_day: Date,
        /// Last day of the period.
        last_day: Date,
    }
    fields {
        /// The value.
        value: Exact,
        /// When it was recorded.
        recorded_at: Instant,
    }
    indices []
}

impl PartnerRow {
    fn recruited(fact: &Fact<'_>, e: &PartnerRecruited) -> Self {
        let name = match &e.name {
            Name::Plain(_) => e.name.plain().map(CompactString::new),
            Name::Sealed(_) => None,
        };
        Self {
            partner: e.partner.clone(),
            name,
            types: List::of(&e.types),
            country: e.country.clone(),
            territories: List::of(&e.territories),
            natural_person: e.natural_person,
            state: PartnerState::Prospect,
            recruited_at: fact.time(),
            state_since: fact.time(),
            parent: None,
            distributors: List::default(),
        }
    }
}

/// The read model a partner's event changes.
pub(crate) fn changed(fact: &Fact<'_>) -> &'static [&'static Table] {
    let Event::Partner(event) = fact.event() else { return &[PartnerRow::TABLE] };
    match event {
        PartnerEvent::PartnerEnrolled(_) | PartnerEvent::TierGranted(_) => &[TierRow::TABLE],
        PartnerEvent::CertificationRecorded(_) => &[CertificationRow::TABLE],
        PartnerEvent::MeasureRecorded(_) => &[MeasureRow::TABLE],
        PartnerEvent::PartnerRecruited(_)
        | PartnerEvent::PartnerApplied(_)
        | PartnerEvent::PartnerApproved(_)
        | PartnerEvent::PartnerActivated(_)
        | PartnerEvent::PartnerReinstated(_)
        | PartnerEvent::PartnerSuspended(_)
        | PartnerEvent::PartnerTerminated(_)
        | PartnerEvent::ParentAttached(_)
        | PartnerEvent::ParentDetached(_)
        | PartnerEvent::DistributorLinked(_)
        | PartnerEvent::DistributorUnlinked(_) => &[PartnerRow::TABLE],
        PartnerEvent::ScorecardPublished(_)
        | PartnerEvent::ScorecardDisputed(_)
        | PartnerEvent::ScorecardDisputeSettled(_) => &[],
    }
}

/// Folds the facts of partners.
pub(crate) fn fold<S>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError>
where
    S: Keeps<PartnerRow> + Keeps<TierRow> + Keeps<CertificationRow> + Keeps<MeasureRow>,
{
    let Event::Partner(event) = fact.event() else { return Ok(()) };
    match event {
        PartnerEvent::PartnerRecruited(e) => store.put(PartnerRow::recruited(fact, e))?,
        PartnerEvent::PartnerApplied(e) => state(fact, store, &e.partner, PartnerState::Applied)?,
        PartnerEvent::PartnerApproved(e) => state(fact, store, &e.partner, PartnerState::Approved)?,
        PartnerEvent::PartnerActivated(e) => state(fact, store, &e.partner, PartnerState::Active)?,
        PartnerEvent::PartnerReinstated(e) => state(fact, store, &e.partner, PartnerState::Active)?,
        PartnerEvent::PartnerSuspended(e) => {
            state(fact, store, &e.partner, PartnerState::Suspended)?;
        }
        PartnerEvent::PartnerTerminated(e) => {
            state(fact, store, &e.partner, PartnerState::Terminated)?;
        }
        PartnerEvent::ParentAttached(e) => {
            edit(fact, store, &e.partner, |row| row.parent = Some(e.parent.clone()))?;
        }
        PartnerEvent::ParentDetached(e) => edit(fact, store, &e.partner, |row| {
            row.parent.take_if(|parent| *parent == e.parent);
        })?,
        PartnerEvent::DistributorLinked(e) => {
            edit(fact, store, &e.partner, |row| row.distributors.push(e.distributor.as_str()))?;
        }
        PartnerEvent::DistributorUnlinked(e) => {
            edit(fact, store, &e.partner, |row| row.distributors.remove(e.distributor.as_str()))?;
        }
        PartnerEvent::PartnerEnrolled(e) => {
            store.put(tier(fact, &e.partner, &e.programme, e.tier.clone()))?;
        }
        PartnerEvent::TierGranted(e) => {
            store.put(tier(fact, &e.partner, &e.programme, Some(e.tier.clone())))?;
        }
        PartnerEvent::CertificationRecorded(e) => store.put(CertificationRow {
            partner: e.partner.clone(),
            person: e.person.clone(),
            credential: e.credential.clone(),
            from_date: fact.effective_on(),
            position: fact.commit.position,
            valid_until: e.valid_until,
        })?,
        PartnerEvent::MeasureRecorded(e) => store.put(MeasureRow {
            partner: e.partner.clone(),
            measure: e.measure.clone(),
            first_day: e.period.first(),
            last_day: e.period.last(),
            value: e.value,
            recorded_at: fact.commit.recorded_at,
        })?,
        // Published figures have a read model of their own.
        PartnerEvent::ScorecardPublished(_)
        | PartnerEvent::ScorecardDisputed(_)
        | PartnerEvent::ScorecardDisputeSettled(_) => {}
    }
    Ok(())
}

fn tier(
    fact: &Fact<'_>,
    partner: &PartnerId,
    programme: &ProgrammeId,
    tier: Option<Code>,
) -> TierRow {
    TierRow {
        partner: partner.clone(),
        programme: programme.clone(),
        from_date: fact.effective_on(),
        position: fact.commit.position,
        tier,
    }
}

fn state<S: Keeps<PartnerRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    partner: &PartnerId,
    state: PartnerState,
) -> Result<(), FoldError> {
    edit(fact, store, partner, |row| {
        row.state = state;
        row.state_since = fact.time();
    })
}

fn edit<S: Keeps<PartnerRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    partner: &PartnerId,
    change: impl FnOnce(&mut PartnerRow),
) -> Result<(), FoldError> {
    let key = (partner.clone(),);
    if let Some(row) = fact.known(store.edit(&key)?, "partner", partner)? {
        change(row);
    }
    Ok(())
}
