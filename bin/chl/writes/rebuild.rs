//! `chl rebuild`: the read models anew, from the log.

use crate::{
    asking::open_to_read,
    exit::Exit,
    failure::Outcome,
    ledger::Reading,
    output::{Output, Sheet, Sink},
    owner::{Reached, Rebuilding, Request, reach},
    place::Place,
    reads::stored_views,
};
use chl_runtime::{Compared, Pace};
use serde_json::json;
use std::num::NonZeroU64;

/// Builds the read models anew beside the old ones, compares both, and switches.
///
/// One fold of the log feeds all of them and one file holds them at one position, so that all are
/// built and switched together, whatever is named: a view put beside others of an older build
/// could contradict them. VIEW says which comparisons to show; one that differed or was frozen is
/// shown in any case. Readers and writers go on meanwhile. A read model that was frozen is followed
/// again. Ends with 6 when the old ones differed, and those built anew are in their place then; or
/// when one fails anew.
#[derive(Debug, clap::Args)]
pub(crate) struct Rebuild {
    /// The read models to show; without one all.
    #[arg(value_name = "VIEW", value_parser = stored_views())]
    views: Vec<String>,
    /// Folds no more than so many events a second, and leaves the rest of the machine to others.
    #[arg(long, value_name = "EVENTS/S")]
    rate: Option<NonZeroU64>,
}

impl Rebuild {
    /// Rebuilds.
    pub(crate) fn run(self, place: &Place, mut output: Output) -> Outcome<Exit> {
        let Self { views, rate } = self;
        let rebuilding = Rebuilding { views, rate };
        let exit = match reach(place, || open_to_read(place))? {
            Reached::Owner(connection) => {
                connection.ask(Request::Rebuild(rebuilding), &mut output)?
            }
            Reached::Own(ledger) => rebuild(&ledger.reading, &rebuilding, &mut output)?,
        };
        output.end()?;
        Ok(exit)
    }
}

/// Builds the read models anew, and says view by view whether they had been the same.
pub(super) fn rebuild(reading: &Reading, asked: &Rebuilding, sink: &mut dyn Sink) -> Outcome<Exit> {
    let closing = reading.closing.clone();
    let rebuilt = reading.views.rebuild(Pace::new(asked.rate, move || closing.is_near()))?;
    let sheet =
        Sheet::new("", &["view", "rows", "equal", "digest", "rows_before", "digest_before"]);
    sink.begin(&sheet.people(&["view", "rows", "equal"]))?;
    for view in rebuilt.views.iter().filter(|view| shows(asked, view)) {
        sink.row(sheet.values(json!({
            "view": view.rebuilt.view,
            "rows": view.rebuilt.rows,
            "equal": view.is_equal(),
            "digest": view.rebuilt.digest.to_string(),
            "rows_before": view.kept.map(|kept| kept.rows),
            "digest_before": view.kept.map(|kept| kept.digest.to_string()),
        })))?;
    }
    sink.note(&format!("rebuilt up to position {}", rebuilt.position))?;
    for thawed in rebuilt.views.iter().filter_map(|view| view.thawed.as_ref()) {
        sink.note(&format!("there was nothing to compare: {thawed}"))?;
    }
    for frozen in &rebuilt.frozen {
        sink.note(&format!("anew, {frozen}"))?;
    }
    if !rebuilt.is_equal() {
        sink.note("what was kept differed; what was built anew is in its place")?;
    }
    let well = rebuilt.is_equal() && rebuilt.frozen.is_empty();
    Ok(if well { Exit::Success } else { Exit::Verification })
}

fn shows(asked: &Rebuilding, view: &Compared) -> bool {
    let named = asked.views.iter().any(|one| one == view.rebuilt.view);
    named || asked.views.is_empty() || view.is_equal() != Some(true)
}
