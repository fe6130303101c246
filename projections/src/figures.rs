//! Figures of published scorecards, and what became of disputes about them.

use crate::{
    FoldError, Keeps,
    fact::Fact,
    row::{row, states},
};
use chl_events::{
    Code, Date, Event, Exact, Instant, PartnerId, Period, ProgrammeId, Rate,
    partner::{PartnerEvent, ScorecardPublished},
    scorecard::Ruling,
};
use compact_str::CompactString;

states! {
    /// How far a dispute has come.
    DisputeState {
        /// Nobody has decided yet.
        Open => "open",
        /// The published value stands.
        Stands => "stands",
        /// Another value is the right one.
        Corrected => "corrected",
    }
}

row! {
    /// A figure of a published scorecard: of a metric, a category's points, the total, the
    /// percentile.
    FigureRow in "scorecard_figures"
    keys {
        /// The partner.
        partner: PartnerId,
        /// The programme.
        programme: ProgrammeId,
        /// First day of the period.
        first_day: Date,
        /// Last day of the period.
        last_day: Date,
        /// What it is a figure of.
        figure: CompactString,
    }
    fields {
        /// The value, as published.
        value: Exact,
        /// From 0 to 1, where the terms score it.
        score: Option<Exact>,
        /// Its weight within its category, where the terms score it.
        weight: Option<Rate>,
        /// The version of the terms.
        programme_version: u32,
        /// The last commit that counted.
        position: u64,
        /// When it was published.
        published_at: Instant,
        /// How far a dispute about it has come; null where nobody disputes it.
        dispute: Option<DisputeState>,
        /// When it was disputed.
        disputed_at: Option<Instant>,
        /// When the dispute was settled.
        settled_at: Option<Instant>,
        /// The right value, where it was corrected.
        corrected: Option<Exact>,
    }
    indices [["programme"]]
}

impl FigureRow {
    /// What a total is called among the figures; a category goes by its own name.
    pub const TOTAL: &str = "total";
    /// What a place among peers is called.
    pub const PERCENTILE: &str = "percentile";

    /// The value that holds: the right one where it was corrected.
    pub fn holds(&self) -> Exact {
        self.corrected.unwrap_or(self.value)
    }

    fn published(fact: &Fact<'_>, e: &ScorecardPublished, figure: &str, value: Exact) -> Self {
        Self {
            partner: e.partner.clone(),
            programme: e.programme.clone(),
            first_day: e.period.first(),
            last_day: e.period.last(),
            figure: figure.into(),
            value,
            score: None,
            weight: None,
            programme_version: e.programme_version,
            position: e.position,
            published_at: fact.time(),
            dispute: None,
            disputed_at: None,
            settled_at: None,
            corrected: None,
        }
    }
}

/// Folds what is published of partners, and what they say to it.
pub(crate) fn fold<S: Keeps<FigureRow>>(fact: &Fact<'_>, store: &mut S) -> Result<(), FoldError> {
    let Event::Partner(event) = fact.event() else { return Ok(()) };
    match event {
        PartnerEvent::ScorecardPublished(e) => published(fact, e, store),
        PartnerEvent::ScorecardDisputed(e) => {
            let key = key(&e.partner, &e.programme, e.period, &e.metric);
            edit(fact, store, &key, |row| {
                row.dispute = Some(DisputeState::Open);
                row.disputed_at = Some(fact.time());
            })
        }
        PartnerEvent::ScorecardDisputeSettled(e) => {
            let key = key(&e.partner, &e.programme, e.period, &e.metric);
            edit(fact, store, &key, |row| {
                row.dispute = Some(match e.ruling {
                    Ruling::Stands => DisputeState::Stands,
                    Ruling::Corrected => DisputeState::Corrected,
                });
                row.settled_at = Some(fact.time());
                row.corrected = e.value;
            })
        }
        PartnerEvent::PartnerRecruited(_)
        | PartnerEvent::PartnerApplied(_)
        | PartnerEvent::PartnerApproved(_)
        | PartnerEvent::PartnerActivated(_)
        | PartnerEvent::PartnerSuspended(_)
        | PartnerEvent::PartnerReinstated(_)
        | PartnerEvent::PartnerTerminated(_)
        | PartnerEvent::ParentAttached(_)
        | PartnerEvent::ParentDetached(_)
        | PartnerEvent::DistributorLinked(_)
        | PartnerEvent::DistributorUnlinked(_)
        | PartnerEvent::PartnerEnrolled(_)
        | PartnerEvent::TierGranted(_)
        | PartnerEvent::CertificationRecorded(_)
        | PartnerEvent::MeasureRecorded(_) => Ok(()),
    }
}

fn published<S: Keeps<FigureRow>>(
    fact: &Fact<'_>,
    e: &ScorecardPublished,
    store: &mut S,
) -> Result<(), FoldError> {
    let figures = &e.figures;
    let whole = [(FigureRow::TOTAL, figures.total), (FigureRow::PERCENTILE, figures.percentile)];
    for (name, value) in whole {
        if let Some(value) = value {
            store.put(FigureRow::published(fact, e, name, value))?;
        }
    }
    for one in &figures.categories {
        store.put(FigureRow::published(fact, e, one.category.as_str(), one.points))?;
    }
    for one in &figures.metrics {
        let row = FigureRow::published(fact, e, one.metric.as_str(), one.value);
        store.put(FigureRow { score: one.score, weight: one.weight, ..row })?;
    }
    Ok(())
}

type Key = (PartnerId, ProgrammeId, Date, Date, CompactString);

fn key(partner: &PartnerId, programme: &ProgrammeId, period: Period, metric: &Code) -> Key {
    let (first, last) = (period.first(), period.last());
    (partner.clone(), programme.clone(), first, last, metric.as_str().into())
}

fn edit<S: Keeps<FigureRow>>(
    fact: &Fact<'_>,
    store: &mut S,
    key: &Key,
    change: impl FnOnce(&mut FigureRow),
) -> Result<(), FoldError> {
    if let Some(row) = fact.known(store.edit(key)?, "figure", &key.4)? {
        change(row);
    }
    Ok(())
}
