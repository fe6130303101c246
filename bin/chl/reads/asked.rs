//! A question that came as a document: the options of `chl query` as JSON.

use super::{
    in_file::InFile,
    moment::{Bound, Moment},
    query::Query,
};
use crate::failure::{Failure, Outcome};
use chl_events::{Date, Period, ProgrammeId};
use chl_runtime::View;
use schemars::JsonSchema;
use serde::Deserialize;

/// What a document may ask of a read model.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Asked {
    /// Only this partner's; of a conflict either side's.
    pub(super) partner: Option<String>,
    /// Only this programme's.
    programme: Option<String>,
    /// Only this customer's.
    customer: Option<String>,
    /// Only this fund: `coop`, `mdf`, `rebate`.
    fund: Option<String>,
    /// Only this lot.
    lot: Option<String>,
    /// Only what is in this state.
    state: Option<String>,
    /// The period of scorecards.
    period: Option<Period>,
    /// At most so many rows.
    pub(super) limit: Option<u64>,
    /// The `next` of the answer that these rows come behind.
    pub(super) cursor: Option<String>,
    /// As it stood at a position of the log or an instant.
    as_of: Option<AsOf>,
    /// As it stood on a business date.
    effective: Option<Date>,
    /// Comparisons of columns, such as `closed_on>=2026-01-01`.
    #[serde(rename = "where")]
    pub(super) conditions: Vec<String>,
}

/// A position as a number, an instant or a position as text.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
enum AsOf {
    Position(u64),
    Text(String),
}

impl Asked {
    /// The question for a programme's versions.
    pub(crate) fn versions_of(programme: &ProgrammeId) -> Outcome<Query> {
        let asked = Self { programme: Some(programme.to_string()), ..Self::default() };
        asked.of(View::Programmes.name())
    }

    /// Whether it names a position of the log.
    pub(super) fn names_position(&self) -> bool {
        match &self.as_of {
            None => false,
            Some(AsOf::Position(_)) => true,
            Some(AsOf::Text(text)) => matches!(text.parse(), Ok(Bound::Position(_))),
        }
    }

    /// Whether it names a moment of the ledger.
    pub(crate) fn names_moment(&self) -> bool {
        self.as_of.is_some()
    }

    /// Whether it names a business date.
    pub(crate) fn names_date(&self) -> bool {
        self.effective.is_some()
    }

    /// The question about a read model.
    pub(super) fn of(self, view: &str) -> Outcome<Query> {
        let as_of = match &self.as_of {
            None => None,
            Some(AsOf::Position(at)) => Some(Bound::Position(*at)),
            Some(AsOf::Text(text)) => {
                let bound = text.parse();
                Some(bound.map_err(|error| Failure::usage(format_args!("as_of: {error}")))?)
            }
        };
        let moment = Moment { as_of, effective: self.effective };
        let conditions = self.conditions.iter().map(|text| {
            text.parse().map_err(|error| Failure::usage(format_args!("where: {error}")))
        });
        Ok(Query {
            view: view.to_owned(),
            conditions: conditions.collect::<Outcome<_>>()?,
            partner: self.partner,
            programme: self.programme,
            customer: self.customer,
            fund: self.fund,
            lot: self.lot,
            state: self.state,
            period: self.period,
            limit: self.limit,
            moment,
            file: InFile::default(),
        })
    }
}
