//! `chl rebuild`: the read models anew, from the log.

use crate::{
    asking::open_to_read,
    exit::Exit,
    failure::Outcome,
    ledger::Reading,
    output::{Output, Sheet, Sink},
    owner::{Reached, Request, reach},
    place::Place,
    reads::stored_views,
};
use serde_json::json;

/// Builds the read models anew beside the old ones, compares both, and switches.
///
/// One fold of the log feeds all of them and one file holds them at one position, so that all are
/// built and switched together, whatever is named: a view put beside others of an older build
/// could contradict them. VIEW says which comparisons to show; one that differed is shown in any
/// case. Readers go on meanwhile. Ends with 6 when the old ones differed; those built anew are in
/// their place then.
#[derive(Debug, clap::Args)]
pub(crate) struct Rebuild {
    /// The read models to show; without one all.
    #[arg(value_name = "VIEW", value_parser = stored_views())]
    views: Vec<String>,
}

impl Rebuild {
    /// Rebuilds.
    pub(crate) fn run(self, place: &Place, mut output: Output) -> Outcome<Exit> {
        let exit = match reach(place, || open_to_read(place))? {
            Reached::Owner(connection) => {
                connection.ask(Request::Rebuild(self.views), &mut output)?
            }
            Reached::Own(ledger) => rebuild(&ledger.reading, &self.views, &mut output)?,
        };
        output.end()?;
        Ok(exit)
    }
}

/// Builds the read models anew, and says view by view whether they had been the same.
pub(super) fn rebuild(reading: &Reading, named: &[String], sink: &mut dyn Sink) -> Outcome<Exit> {
    let rebuilt = reading.views.rebuild()?;
    let sheet =
        Sheet::new("", &["view", "rows", "equal", "digest", "rows_before", "digest_before"]);
    sink.begin(&sheet.people(&["view", "rows", "equal"]))?;
    let asked = |view: &str| named.is_empty() || named.iter().any(|one| one == view);
    for view in &rebuilt.views {
        if !asked(view.rebuilt.view) && view.is_equal() {
            continue;
        }
        sink.row(sheet.values(json!({
            "view": view.rebuilt.view,
            "rows": view.rebuilt.rows,
            "equal": view.is_equal(),
            "digest": view.rebuilt.digest.to_string(),
            "rows_before": view.kept.rows,
            "digest_before": view.kept.digest.to_string(),
        })))?;
    }
    sink.note(&format!("rebuilt up to position {}", rebuilt.position))?;
    if rebuilt.is_equal() {
        return Ok(Exit::Success);
    }
    sink.note("the read models that were kept differed; those built anew are in their place")?;
    Ok(Exit::Verification)
}
