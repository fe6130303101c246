//! The model of published scorecards.

use super::{Check, Model};
use chl_commands::partner::{DisputeScorecard, PublishScorecard, SettleScorecardDispute};
use chl_events::{Code, Date, PartnerId, Period, ProgrammeId, scorecard::Ruling};

/// Whose scorecard, and the metric of a figure.
pub(crate) type FigureKey = (PartnerId, ProgrammeId, Period, Code);

/// Behind this position the model does not know whether the log has a commit.
const WRITTEN: u64 = 20;

impl Model {
    pub(super) fn publish_scorecard(&mut self, c: &PublishScorecard, today: Date) -> Check {
        self.known(&c.programme, &c.partner)?;
        let mut versions = self.programmes.get(&c.programme).into_iter().flatten();
        self.deny(!versions.any(|one| one.version == c.programme_version), &[3])?;
        self.unsure(c.position > WRITTEN && c.position < 1_000_000)?;
        self.deny(c.position >= 1_000_000, &[3])?;
        let card = (c.partner.clone(), c.programme.clone(), c.period);
        self.deny(self.scorecards.contains(&card), &[4])?;
        self.deny(c.period.last() > today, &[6])?;
        self.scorecards.insert(card);
        for one in &c.figures.metrics {
            let key = (c.partner.clone(), c.programme.clone(), c.period, one.metric.clone());
            self.figures.insert(key, "published");
        }
        Ok(())
    }

    fn figure(&self, key: &FigureKey) -> Check<&'static str> {
        self.deny(!self.figures.contains_key(key), &[3])?;
        Ok(self.figures.get(key).copied().unwrap_or("published"))
    }

    pub(super) fn dispute_scorecard(&mut self, c: &DisputeScorecard) -> Check {
        let key = (c.partner.clone(), c.programme.clone(), c.period, c.metric.clone());
        let state = self.figure(&key)?;
        self.deny(state != "published", &[4])?;
        self.figures.insert(key, "open");
        Ok(())
    }

    pub(super) fn settle_scorecard(&mut self, c: &SettleScorecardDispute) -> Check {
        self.deny((c.ruling == Ruling::Corrected) != c.value.is_some(), &[1])?;
        let key = (c.partner.clone(), c.programme.clone(), c.period, c.metric.clone());
        let state = self.figure(&key)?;
        self.deny(state != "open", &[4, 5])?;
        self.figures.insert(key, c.ruling.as_str());
        Ok(())
    }
}
