//! Published scorecards: PublishScorecard, DisputeScorecard, SettleScorecardDispute.
//!
//! The figures come from whoever computes them, with the position they stood at and the version of
//! the terms: anybody can compute them again. What was published stays; a figure that is wrong is
//! disputed, once, and a person says whether it stands.

use super::state::{Figure, Scorecard};
use super::{PartnerRejection, ZONE, happened, known};
use crate::programme::Version;
use crate::rejection::AnyRejection;
use crate::{Context, Fact, Facts, Refusal, programme};
use chl_commands::partner::{DisputeScorecard, PublishScorecard, SettleScorecardDispute};
use chl_events::partner::{ScorecardDisputeSettled, ScorecardDisputed, ScorecardPublished};
use chl_events::scorecard::{Figures, Ruling};
use chl_events::{Code, PartnerId, Period, ProgrammeId, Sealable};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most categories and metrics of a scorecard.
const MAX_CATEGORIES: usize = 5;
const MAX_METRICS: usize = 64;

/// PublishScorecard: of a period that is over, once.
pub(super) fn publish(
    command: &PublishScorecard,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let PublishScorecard { partner, programme, period, programme_version, position, figures } =
        command.clone();
    check_figures(&figures)?;
    known(facts, &partner)?;
    programme::known(facts, &programme)?;
    if facts.get::<Version>((&programme, programme_version))?.is_none() {
        let version = programme_version;
        return Err(PartnerRejection::VersionUnknown { programme, version }.into());
    }
    if facts.0.commit(position)?.is_none() {
        return Err(PartnerRejection::PositionUnknown { position }.into());
    }
    if facts.get::<Scorecard>((&partner, &programme, period))?.is_some() {
        return Err(PartnerRejection::ScorecardPublished { partner, period }.into());
    }
    context.require_time()?;
    context.require_past(&ZONE, "data.period", period.last())?;
    let event =
        ScorecardPublished { partner, programme, period, programme_version, position, figures };
    Ok(happened(context, event))
}

/// Class 1: each category and metric once.
fn check_figures(figures: &Figures) -> Result<(), AnyRejection> {
    let wrong = |field: &str, problem: &str| Err(AnyRejection::data(field, problem));
    let categories: BTreeSet<_> = figures.categories.iter().map(|one| one.category).collect();
    if categories.len() != figures.categories.len() || categories.len() > MAX_CATEGORIES {
        return wrong("figures.categories", "must name each category at most once");
    }
    let metrics: BTreeSet<&Code> = figures.metrics.iter().map(|one| &one.metric).collect();
    if metrics.len() != figures.metrics.len() || metrics.len() > MAX_METRICS {
        return wrong("figures.metrics", "must name each of at most 64 metrics once");
    }
    Ok(())
}

/// The published scorecard, and how far a figure of it has come (class 3).
fn figure(
    facts: Facts<'_>,
    (partner, programme, period): (&PartnerId, &ProgrammeId, Period),
    metric: &Code,
) -> Result<(Arc<Scorecard>, Figure), Refusal> {
    known(facts, partner)?;
    let unknown = || PartnerRejection::ScorecardUnknown { partner: partner.clone(), period };
    let card = facts.get::<Scorecard>((partner, programme, period))?.ok_or_else(unknown)?;
    let found = card.metrics.iter().find(|(name, _)| name == metric).map(|(_, figure)| *figure);
    let figure = found.ok_or_else(|| PartnerRejection::MetricUnknown { metric: metric.clone() })?;
    Ok((card, figure))
}

/// DisputeScorecard: the partner's word against a figure, once.
pub(super) fn dispute(
    command: &DisputeScorecard,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let DisputeScorecard { partner, programme, period, metric, note } = command.clone();
    let (card, figure) = figure(facts, (&partner, &programme, period), &metric)?;
    match figure {
        Figure::Published => {}
        Figure::Disputed => return Err(PartnerRejection::MetricDisputed { metric }.into()),
        Figure::Settled => return Err(PartnerRejection::DisputeSettled { metric }.into()),
    }
    context.require_time()?;
    context.require_order(card.latest)?;
    let note = note.sealed().cloned();
    Ok(happened(context, ScorecardDisputed { partner, programme, period, metric, note }))
}

/// SettleScorecardDispute: the figure stands, or another is the right one.
pub(super) fn settle(
    command: &SettleScorecardDispute,
    facts: Facts<'_>,
    context: &Context<'_>,
) -> Result<Vec<Fact>, Refusal> {
    let SettleScorecardDispute { partner, programme, period, metric, ruling, value, note } =
        command.clone();
    if (ruling == Ruling::Corrected) != value.is_some() {
        return Err(AnyRejection::data("value", "must be given exactly for a correction").into());
    }
    let (card, figure) = figure(facts, (&partner, &programme, period), &metric)?;
    match figure {
        Figure::Disputed => {}
        Figure::Published => return Err(PartnerRejection::NotDisputed { metric }.into()),
        Figure::Settled => return Err(PartnerRejection::DisputeSettled { metric }.into()),
    }
    context.require_time()?;
    context.require_order(card.latest)?;
    let note = note.sealed().cloned();
    let event = ScorecardDisputeSettled { partner, programme, period, metric, ruling, value, note };
    Ok(happened(context, event))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::given::Given;
    use crate::story::{auto, bad_field, id, market};
    use chl_events::scorecard::MetricFigure;
    use chl_events::{Exact, FreeText};

    fn win_rate() -> MetricFigure {
        let metric = id("win_rate");
        MetricFigure { metric, value: id("0.5"), score: Some(id("0.5")), weight: Some(id("1")) }
    }

    fn published(period: &str) -> PublishScorecard {
        PublishScorecard {
            partner: id("p1"),
            programme: id("prog"),
            period: id(period),
            programme_version: 1,
            position: 3,
            figures: Figures {
                total: Some(id("50")),
                coverage: None,
                gate_passed: None,
                categories: Vec::new(),
                metrics: vec![win_rate()],
                peer_count: 1,
                percentile: None,
            },
        }
    }

    fn disputed(metric: &str) -> DisputeScorecard {
        DisputeScorecard {
            partner: id("p1"),
            programme: id("prog"),
            period: id("2026-02"),
            metric: id(metric),
            note: FreeText::Plain("two deals are missing".into()),
        }
    }

    fn settled(ruling: Ruling, value: Option<Exact>) -> SettleScorecardDispute {
        SettleScorecardDispute {
            partner: id("p1"),
            programme: id("prog"),
            period: id("2026-02"),
            metric: id("win_rate"),
            ruling,
            value,
            note: FreeText::Plain("they are".into()),
        }
    }

    fn story() -> Given {
        market(auto(), &["p1"])
    }

    #[test]
    fn a_scorecard_is_published_once_and_after_its_period() {
        let mut story = story();
        story.when(published("2026-03")).refused("time.in_future");
        let mut story = story.and(published("2026-02"));
        story.when(published("2026-02")).refused("partner.scorecard_published");
        let far = PublishScorecard { position: 4_000, ..published("2026-01") };
        story.when(far).refused("partner.position_unknown");
        let other = PublishScorecard { programme_version: 2, ..published("2026-01") };
        story.when(other).refused("partner.version_unknown");
        let nobody = PublishScorecard { partner: id("p9"), ..published("2026-01") };
        story.when(nobody).refused("partner.unknown");
        let mut twice = published("2026-01");
        twice.figures.metrics.push(win_rate());
        bad_field(&story.when(twice), "figures.metrics");
    }

    #[test]
    fn a_figure_is_disputed_once_by_its_partner_and_settled() {
        let mut story = story();
        story.when(disputed("win_rate")).refused("partner.scorecard_unknown");
        let mut story = story.and(published("2026-02"));
        story.when(settled(Ruling::Stands, None)).refused("partner.not_disputed");
        let story = story.by_partner("p1");
        story.clone().when(disputed("growth")).refused("partner.metric_unknown");
        let mut story = story.and(disputed("win_rate"));
        story.when(disputed("win_rate")).refused("partner.metric_disputed");
        let mut story = story.by_operator();
        bad_field(&story.when(settled(Ruling::Corrected, None)), "value");
        bad_field(&story.when(settled(Ruling::Stands, Some(id("0.6")))), "value");
        let early = settled(Ruling::Stands, None);
        story.clone().claiming("2026-02-28T09:00:00Z").when(early).refused("time.before_history");
        let mut story = story.and(settled(Ruling::Corrected, Some(id("0.6"))));
        story.when(settled(Ruling::Stands, None)).refused("partner.dispute_settled");
        story.when(disputed("win_rate")).refused("partner.dispute_settled");
    }
}
