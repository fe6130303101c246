//! What was answered: so that who asks again whether something has changed is told without the
//! answer being made again.

use crate::{failure::Outcome, ledger::Reading, reads::Asked};
use axum::http::Uri;
use chl_bus::Asker;
use chl_events::Instant;
use chl_runtime::{Checkpoint, Frozen, Reader, View};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// So many answers are remembered since the older ones were forgotten, and as many older ones.
const MOST: usize = 2_048;

/// The answers' tags, by who asked what.
#[derive(Clone, Default)]
pub(super) struct Remembered(Arc<Mutex<Generations>>);

#[derive(Default)]
struct Generations {
    new: HashMap<Key, Answer>,
    old: HashMap<Key, Answer>,
}

/// Who asked what, as a digest.
pub(super) type Key = [u8; 32];

/// What an answer was made of, and its tag.
#[derive(Clone)]
struct Answer {
    made_of: Standing,
    /// Until when it is the same while nothing is recorded.
    until: Instant,
    tag: String,
}

/// How the read models stand: while this is the same, so are their rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    checkpoint: Checkpoint,
    frozen: Vec<Frozen>,
    /// A rebuild puts another one in its place.
    file: Option<PathBuf>,
}

impl Standing {
    /// Reads it, with everything that was answered before.
    pub(super) fn of(ledger: &Reading) -> Outcome<(Self, Reader)> {
        let (reader, file) = ledger.views.fresh_in()?;
        let unread = crate::reads::unasked;
        let checkpoint = reader.checkpoint().map_err(unread)?;
        let frozen = reader.frozen(View::ALL).map_err(unread)?;
        Ok((Self { checkpoint, frozen, file }, reader))
    }
}

/// The key of what somebody asks of a ledger by an address.
pub(super) fn key(ledger: &str, asker: &Asker, uri: &Uri) -> Key {
    let partner = asker.partner.as_ref().map(ToString::to_string).unwrap_or_default();
    let (role, query) = (asker.role.as_str(), uri.query().unwrap_or_default());
    // None of these has a line's end in it.
    let asked = [ledger, role, &partner, uri.path(), query].join("\n");
    Sha256::digest(asked).into()
}

impl Remembered {
    /// The tag of what would be answered now, where that is known.
    pub(super) fn tag(&self, key: &Key, standing: &Standing, now: Instant) -> Option<String> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = held.new.get(key).or_else(|| held.old.get(key))?;
        (answer.made_of == *standing && now < answer.until).then(|| answer.tag.clone())
    }

    /// Remembers an answer: what it was made of at least, and until when it is the same.
    pub(super) fn keep(&self, key: Key, made_of: Standing, until: Instant, tag: String) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.new.len() >= MOST {
            held.old = std::mem::take(&mut held.new);
        }
        held.new.insert(key, Answer { made_of, until, tag });
    }
}

/// Until when the answer to a question is the same while nothing is recorded; none where that
/// cannot be told.
pub(super) fn unchanged_until(
    view: &str,
    asked: &Asked,
    reader: &Reader,
    now: Instant,
) -> Outcome<Option<Instant>> {
    // As of a moment of the ledger nothing depends on that of asking; on a business date alone,
    // rows are not those that are kept.
    match (View::named(view), asked.names_moment(), asked.names_date()) {
        (_, true, _) | (None, ..) => Ok(Some(Instant::from_micros(i64::MAX))),
        (Some(_), false, true) => Ok(None),
        (Some(view), false, false) => {
            reader.unchanged_until(view, now).map(Some).map_err(crate::reads::unasked)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chl_events::LedgerId;

    fn standing(position: u64) -> Standing {
        let ledger = LedgerId([1; 16]);
        let checkpoint =
            Checkpoint { ledger, position, recorded_at: None, effective_until: None, root: None };
        Standing { checkpoint, frozen: Vec::new(), file: None }
    }

    fn numbered(number: usize) -> Key {
        Sha256::digest(number.to_be_bytes()).into()
    }

    #[test]
    fn an_answer_is_known_while_the_rows_and_the_moment_are_its_own() {
        let remembered = Remembered::default();
        let at = Instant::from_micros;
        remembered.keep(numbered(1), standing(7), at(100), "t".into());
        assert_eq!(remembered.tag(&numbered(1), &standing(7), at(99)).as_deref(), Some("t"));
        assert_eq!(remembered.tag(&numbered(1), &standing(7), at(100)), None);
        assert_eq!(remembered.tag(&numbered(1), &standing(8), at(99)), None);
        assert_eq!(remembered.tag(&numbered(2), &standing(7), at(99)), None);
        let rebuilt = Standing { file: Some("views.sqlite.2".into()), ..standing(7) };
        assert_eq!(remembered.tag(&numbered(1), &rebuilt, at(99)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_newest_of_it() {
        let remembered = Remembered::default();
        let last = 3 * MOST;
        for number in 0..=last {
            remembered.keep(numbered(number), standing(1), Instant::from_micros(9), String::new());
        }
        let known = |number| {
            remembered.tag(&numbered(number), &standing(1), Instant::from_micros(0)).is_some()
        };
        assert!(known(last) && known(last - MOST) && !known(0));
        assert!((0..=last).filter(|number| known(*number)).count() <= 2 * MOST);
    }
}
