//! Whose deal it is and who meets in a conflict, as the read models know it.

use crate::ledger::Reading;
use chl_bus::{Parties, PartiesError};
use chl_events::{ConflictId, DealId, Instant, PartnerId};
use chl_runtime::{Query, View};
use std::{error::Error, sync::Arc};

/// Looks into the read models of a ledger, which never forget a deal or a conflict.
pub(crate) struct InReadModels(pub(crate) Arc<Reading>);

impl Parties for InReadModels {
    fn of_deal(&self, deal: &DealId) -> Result<Option<PartnerId>, PartiesError> {
        let found = self.partners(View::Deals, ("deal", deal.as_str()), &["partner"])?;
        Ok(found.into_iter().next())
    }

    fn of_conflict(&self, conflict: &ConflictId) -> Result<Vec<PartnerId>, PartiesError> {
        let sides = ["incumbent_partner", "challenger_partner"];
        self.partners(View::Conflicts, ("conflict", conflict.as_str()), &sides)
    }
}

impl InReadModels {
    /// The partners that some columns of one row name.
    fn partners(
        &self,
        view: View,
        (key, id): (&str, &str),
        named: &[&str],
    ) -> Result<Vec<PartnerId>, PartiesError> {
        let failed = |error: Box<dyn Error + Send + Sync>| PartiesError(error);
        let reader = self.0.views.fresh().map_err(|failure| failed(failure.to_string().into()))?;
        // What is kept of a row does not depend on the moment of asking.
        let query = Query::all(view, Instant::from_micros(0)).with(key, id);
        let answer = reader.query(&query).map_err(|error| failed(error.into()))?;
        let missing = || failed(format!("no {key} {id} in the read models").into());
        let row = answer.rows.first().ok_or_else(missing)?;
        let cells = answer.columns.iter().zip(row);
        let named = cells.filter(|(column, _)| named.contains(&column.as_str()));
        let partners = named.filter_map(|(_, cell)| cell.as_str());
        partners.map(|id| id.parse().map_err(|error| failed(Box::new(error)))).collect()
    }
}
