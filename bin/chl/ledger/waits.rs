//! Answers that wait for read models, so that who is answered reads what was written.

use super::KeptViews;
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
};
use chl_bus::Answer;
use chl_runtime::{Frozen, View};
use std::sync::Arc;

/// The read models that answers wait for.
pub(crate) struct Waits {
    kept: Arc<KeptViews>,
    views: Vec<View>,
}

impl Waits {
    /// Those of some names; none where there are none.
    pub(crate) fn of(names: &[String], kept: &Arc<KeptViews>) -> Option<Self> {
        let named = names.iter().filter_map(|name| View::named(name));
        let views: Vec<View> = named.collect();
        (!views.is_empty()).then(|| Self { kept: Arc::clone(kept), views })
    }

    /// Waits until they hold what was answered; returns those that are frozen.
    pub(crate) fn wait(&self) -> Outcome<Vec<Frozen>> {
        self.kept.show_all(&self.views)
    }
}

/// The frozen read models that do not hold what an answer speaks of.
pub(crate) fn behind<'a>(answer: &Answer, frozen: &'a [Frozen]) -> Vec<&'a Frozen> {
    let Answer::Accepted(accepted) = answer else { return Vec::new() };
    frozen.iter().filter(|one| one.position <= accepted.commit.position).collect()
}

/// An answer that names the read models that do not hold it.
pub(crate) fn named_behind(document: String, behind: &[&Frozen]) -> Outcome<String> {
    let Some(fields) = document.strip_suffix('}').filter(|_| !behind.is_empty()) else {
        return Ok(document);
    };
    let named = serde_json::to_string(behind).or_exit(Exit::Internal, "an answer")?;
    Ok(format!("{fields},\"behind\":{named}}}"))
}
