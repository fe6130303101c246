//! What `chl scorecard --publish` publishes: a partner's figures at one position, as commands.

use super::query::unasked;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    output::Sink,
};
use chl_events::{PartnerId, Period, ProgrammeId, terms::Category};
use chl_projections::scorecards::Metric;
use chl_runtime::{Answer, Reader, ScorecardQuery};
use serde_json::{Map, Value, json};

/// The source of publications.
pub(crate) const PUBLICATIONS: &str = "/chl/scorecards";

/// Which scorecards are to be published.
pub(super) struct Publication<'a> {
    pub(super) partner: &'a PartnerId,
    pub(super) period: Period,
    pub(super) programme: Option<&'a ProgrammeId>,
}

impl Publication<'_> {
    /// A line a programme: the command that publishes it.
    pub(super) fn answer(&self, reader: &Reader, sink: &mut dyn Sink) -> Outcome<Exit> {
        let query = ScorecardQuery {
            period: self.period,
            programme: self.programme.cloned(),
            partner: Some(self.partner.clone()),
        };
        let answer = reader.scorecard_rows(&query).map_err(unasked)?;
        let Some(position) = answer.position.checked_sub(1) else {
            return Err(Failure::usage("the ledger is empty"));
        };
        if answer.rows.is_empty() {
            sink.note("the partner was enrolled in no such programme by the end of the period")?;
        }
        for card in cards(answer) {
            sink.line(&self.command(&card, position).to_string())?;
        }
        Ok(Exit::Success)
    }

    fn command(&self, card: &Map<String, Value>, position: u64) -> Value {
        let of = |column: &str| card.get(column).cloned().unwrap_or_default();
        let (period, programme) = (self.period.name(), of("programme"));
        let name = programme.as_str().unwrap_or_default();
        let given = |value: &Value| !value.is_null();
        let categories = Category::ALL.iter().filter(|one| given(&of(one.as_str())));
        let metrics = Metric::ALL.iter().map(|one| one.as_str()).filter(|name| given(&of(name)));
        json!({
            // Another position is another publication, which the ledger refuses as such.
            "id": format!("{}.{name}.{period}.{position}", self.partner),
            "type": "PublishScorecard",
            "data": {
                "partner": self.partner,
                "programme": programme,
                "period": period,
                "programme_version": of("programme_version"),
                "position": position,
                "figures": {
                    "total": of("total"),
                    "coverage": of("data_coverage"),
                    "gate_passed": of("gate_passed"),
                    "categories": categories
                        .map(|one| json!({"category": one, "points": of(one.as_str())}))
                        .collect::<Vec<_>>(),
                    "metrics": metrics
                        .map(|name| json!({
                            "metric": name,
                            "value": of(name),
                            "score": of(&format!("{name}_score")),
                            "weight": of(&format!("{name}_weight")),
                        }))
                        .collect::<Vec<_>>(),
                    "peer_count": of("peer_count"),
                    "percentile": of("percentile"),
                },
            },
        })
    }
}

/// The rows of scorecards by their columns.
fn cards(answer: Answer) -> impl Iterator<Item = Map<String, Value>> {
    let Answer { columns, rows, .. } = answer;
    rows.into_iter().map(move |row| columns.iter().cloned().zip(row).collect())
}
