//! Several ledgers on servers, served by one process: one's trouble is not the others'.

use super::stop::Stop;
use crate::{
    failure::Outcome,
    http::{Standing, Standings},
    place::Place,
    talk,
};
use std::{thread, time::Duration};

/// How long a ledger that failed is left alone before it is opened again.
const AGAIN: Duration = Duration::from_secs(5);

/// Serves each ledger on a thread of its own until told to stop. One that fails is told of, in the
/// log and by its health, and opened again; the others go on.
pub(super) fn serve_each(
    places: &[Place],
    standings: &Standings,
    stop: &Stop,
    serve: impl Fn(&Place, &Standing) -> Outcome + Sync,
) {
    thread::scope(|scope| {
        for place in places {
            let (standing, serve) = (standings.of(place.ledger()), &serve);
            scope.spawn(move || {
                let mut told = String::new();
                while !stop.within(Duration::ZERO) {
                    let Err(failure) = serve(place, &standing) else { continue };
                    let what = format!("ledger {:?}: {failure}", place.ledger());
                    standing.failed(&what);
                    // The same again and again is told once.
                    if what != told {
                        talk::say(&format!("{what}; trying again"));
                        told = what;
                    }
                    stop.within(AGAIN);
                }
            });
        }
    });
}
