//! Opening a ledger as its owner: the embedded one under its lock, one on servers under its lease.

use super::{
    Attempt, Birth, Owning, Reading, node, open_log, open_vault,
    owning::{make_dir, parts, stand_by},
    proofs::compare_signed,
    seen, unopened,
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    place::Place,
    talk,
};
use chl_log::EventLog;
use chl_log_sled::{OpenError, Options, SledLog};
use std::sync::Arc;

/// Opens a ledger as its owner; one that is not there is made, where a birth is given.
pub(crate) fn own(place: &Place, birth: Option<&Birth>) -> Outcome<Attempt<Owning>> {
    if let Some(servers) = place.servers() {
        return node::own(place, servers, birth);
    }
    if birth.is_some() {
        make_dir(place)?;
    }
    let options = Options {
        create: birth.map(|birth| birth.ledger),
        seen: seen(place),
        ..Options::default()
    };
    match open_log(place, options) {
        Ok(log) => {
            if log.head().next == 0 {
                talk::say(&format!(
                    "{:?} is a new ledger, in {}",
                    place.ledger(),
                    place.dir().display()
                ));
            }
            embedded(place, log, birth).map(Attempt::Opened)
        }
        Err(error @ OpenError::Owned { .. }) => Ok(Attempt::Owned(unopened(place, error))),
        Err(error) => Err(unopened(place, error)),
    }
}

fn embedded(place: &Place, log: SledLog, birth: Option<&Birth>) -> Outcome<Owning> {
    let (head, reader) = (log.head(), log.reader());
    compare_signed(place, reader.as_ref())?;
    if head.next > 0 && !place.vault().exists() {
        return Err(Failure::new(
            Exit::Unavailable,
            format_args!(
                "the vault {0} is missing: put it back from a backup. If it is lost for good, \
                 `touch {0}`: what was sealed stays closed, and new texts get new keys",
                place.vault().display()
            ),
        ));
    }
    let vault = Arc::new(open_vault(place)?);
    let mut opened = Some(log);
    let again = place.clone();
    let opener = Box::new(move || {
        let log = match opened.take() {
            Some(log) => log,
            None => open_log(&again, Options::default())?,
        };
        Ok(Box::new(log) as Box<dyn EventLog>)
    });
    let parts = parts(place, head, opener, Arc::clone(&vault))?;
    let standby = stand_by(place, parts, reader, birth)?;
    let reading = Arc::new(Reading::new(place, standby.reader(), Some(vault)));
    Owning::take_over(place, standby, reading, None)
}
