//! Commands on published scorecards.

use super::{Choice, Maker, said};
use crate::model::naive::FigureKey;
use chl_events::PartnerId;
use rand::RngExt;
use serde_json::{Value, json};

impl Maker<'_> {
    pub(super) fn publish_scorecard(&mut self) -> Option<Choice> {
        let period = self.word(&["2026-01", "2026-02", "2026-Q1", "2026-Q2", "2027-01"]);
        let figure = |metric: &str, value: &str| json!({"metric": metric, "value": value});
        let position = if self.slip(3) { 2_000_000 } else { self.rng.random_range(0..20) };
        let data = json!({
            "partner": self.partner(), "programme": self.programme(), "period": period,
            "programme_version": if self.slip(4) { 99 } else { 1 }, "position": position,
            "figures": {
                "total": "62.5", "categories": [{"category": "operational", "points": "62.5"}],
                "metrics": [figure("win_rate", "0.625"), figure("cycle_days", "45.5")],
            },
        });
        said(self.managing(), "PublishScorecard", data)
    }

    /// A figure in a state, or now and then any.
    fn figure(&mut self, state: &str) -> Option<(PartnerId, Value)> {
        let all = self.model.figures.iter();
        let sensible: Vec<FigureKey> =
            all.clone().filter(|(_, is)| **is == state).map(|(key, _)| key.clone()).collect();
        let any = all.map(|(key, _)| key.clone()).collect();
        let (partner, programme, period, metric) = self.target(sensible, any)?;
        let metric = if self.slip(3) { "growth".into() } else { metric.to_string() };
        let period = if self.slip(3) { json!("2025-01") } else { json!(period) };
        let data = json!({
            "partner": partner, "programme": programme, "period": period, "metric": metric,
            "note": "two deals are missing",
        });
        Some((partner, data))
    }

    pub(super) fn dispute_scorecard(&mut self) -> Option<Choice> {
        let (partner, data) = self.figure("published")?;
        said(self.own(&partner), "DisputeScorecard", data)
    }

    pub(super) fn settle_scorecard(&mut self) -> Option<Choice> {
        let (_, mut data) = self.figure("open")?;
        let ruling = self.word(&["stands", "corrected"]);
        data["ruling"] = json!(ruling);
        if (ruling == "corrected") != self.slip(3) {
            data["value"] = json!("0.75");
        }
        said(self.managing(), "SettleScorecardDispute", data)
    }
}
