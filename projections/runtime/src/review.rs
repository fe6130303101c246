//! Scorecards for a review: a partner's own beside its peers and the periods before.

use crate::{Checkpoint, Frozen, Reader, ReaderError, ScorecardQuery, View, scorecard::SCORED};
use chl_events::{Currency, PartnerId, Period, ProgrammeId, terms::Category};
use chl_projections::{
    FigureRow, PartnerRow, ProgrammeRow,
    scorecards::{Metric, Peers, Scorecard},
};
use rust_decimal::Decimal;

/// A partner, and how it did in each programme it is enrolled in.
#[derive(Debug, Clone)]
pub struct Review {
    /// Where the read models stood.
    pub checkpoint: Checkpoint,
    /// Those of them that stand still.
    pub frozen: Vec<Frozen>,
    /// The partner.
    pub partner: PartnerRow,
    /// Its scorecards, a programme each.
    pub programmes: Vec<Reviewed>,
}

/// A scorecard in its surroundings.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The scorecard.
    pub card: Scorecard,
    /// The programme's currency.
    pub currency: Currency,
    /// Those of the periods before, the newest last; a period without one is left out.
    pub before: Vec<Scorecard>,
    /// What its peers have in common, where they are five or more.
    pub peers: Option<Peers>,
    /// The figures that were published for the period; none where nothing was.
    pub published: Vec<FigureRow>,
}

impl Reviewed {
    /// What was published of a metric, of a category's points, of the total or the percentile.
    pub fn published(&self, figure: &str) -> Option<&FigureRow> {
        self.published.iter().find(|row| row.figure == figure)
    }

    /// The scorecard of the last period before that has one.
    pub fn last(&self) -> Option<&Scorecard> {
        self.before.last()
    }

    /// The median of its peers' points in a category.
    pub fn peers_points(&self, category: Category) -> Option<Decimal> {
        self.peers.as_ref()?.categories.get(&category).copied()
    }

    /// The median of its peers' values of a metric.
    pub fn peers_value(&self, metric: Metric) -> Option<Decimal> {
        self.peers.as_ref()?.metrics.get(&metric).copied()
    }
}

impl Reader {
    /// Reviews a partner in a period and as many periods before; none where nobody knows it.
    pub fn review(
        &self,
        partner: &PartnerId,
        programme: Option<&ProgrammeId>,
        period: Period,
        periods_before: usize,
    ) -> Result<Option<Review>, ReaderError> {
        self.snapshot(|reader| {
            let Some(row) = reader.partner(partner)? else { return Ok(None) };
            let programme = programme.cloned();
            let query = ScorecardQuery { period, programme, partner: None };
            let mut programmes = Vec::new();
            for (row, all) in reader.score_all(&query)? {
                let mine = all.iter().find(|card| card.partner.as_ref() == Some(partner));
                let Some(card) = mine.cloned() else { continue };
                let peers = Peers::of(&card, &all);
                let before = reader.before(&row, partner, period, periods_before)?;
                let published = reader.published(&row, partner, period)?;
                let currency = row.currency;
                programmes.push(Reviewed { card, currency, before, peers, published });
            }
            let looked_at = [SCORED, &[View::Figures]].concat();
            let (checkpoint, frozen) = (reader.checkpoint()?, reader.frozen(&looked_at)?);
            Ok(Some(Review { checkpoint, frozen, partner: row, programmes }))
        })
    }

    fn partner(&self, partner: &PartnerId) -> Result<Option<PartnerRow>, ReaderError> {
        let mut found = None;
        let query = crate::scorecard::ask(View::Partners).with("partner", partner.as_str());
        self.each::<PartnerRow>(&query, &mut |row| {
            found = Some(row);
            Ok(())
        })?;
        Ok(found)
    }

    fn published(
        &self,
        programme: &ProgrammeRow,
        partner: &PartnerId,
        period: Period,
    ) -> Result<Vec<FigureRow>, ReaderError> {
        let query = crate::scorecard::ask(View::Figures)
            .with("partner", partner.as_str())
            .with("programme", programme.programme.as_str())
            .with("first_day", &period.first().to_string())
            .with("last_day", &period.last().to_string());
        let mut found = Vec::new();
        self.each::<FigureRow>(&query, &mut |row| {
            found.push(row);
            Ok(())
        })?;
        Ok(found)
    }

    fn before(
        &self,
        programme: &ProgrammeRow,
        partner: &PartnerId,
        period: Period,
        number: usize,
    ) -> Result<Vec<Scorecard>, ReaderError> {
        let earlier = std::iter::successors(period.preceding(), |period| period.preceding());
        let mut cards = Vec::new();
        for period in earlier.take(number) {
            let query = ScorecardQuery {
                period,
                programme: Some(programme.programme.clone()),
                partner: Some(partner.clone()),
            };
            cards.extend(self.score(&query)?);
        }
        cards.reverse();
        Ok(cards)
    }
}
