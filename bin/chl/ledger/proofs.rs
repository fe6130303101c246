//! What proves a ledger's history to others: the hashes of its tree, and who signs it.

use crate::{
    exit::{Exit, OwnExit},
    failure::{Failure, Outcome, Step, StepToOwnExit},
    place::Place,
    talk,
};
use chl_events::{Commit, Event, ledger::LedgerEvent};
use chl_log::ReadLog;
use chl_log_files::rename_durably;
use chl_proofs::{
    Checkpoint, ExportError, HashesError, KeptHashes, Notary, Note, PublicKey, SignError,
    VerifyError, verify_end,
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Behind so many commits a bar is worth drawing.
const LONG_WAY: u64 = 100_000;

/// The hashes and the notary of a ledger whose lock this process holds, one user at a time.
pub(crate) struct Proofs {
    hashes: PathBuf,
    notary: Notary,
    log: Arc<dyn ReadLog>,
    held: Mutex<Option<KeptHashes>>,
}

impl Proofs {
    /// Names them; they are opened when they are first needed.
    pub(super) fn new(place: &Place, log: Arc<dyn ReadLog>) -> Self {
        let notary = Notary::new(&place.audit());
        Self { hashes: place.hashes(), notary, log, held: Mutex::new(None) }
    }

    /// The name the ledger's checkpoints are signed under, as its first commit says.
    pub(crate) fn origin(&self) -> Outcome<String> {
        let first = self.log.commit_at(0).or_own_exit("the log cannot be read")?;
        let first = first.ok_or_else(|| Failure::usage("the ledger holds nothing yet"))?;
        let first =
            Commit::decode(&first).or_exit(Exit::Verification, "the commit at position 0")?;
        first
            .events
            .into_iter()
            .find_map(|recorded| {
                let Event::Ledger(LedgerEvent::LedgerOpened(opened)) = recorded.event else {
                    return None;
                };
                Some(opened.origin)
            })
            .ok_or_else(|| {
                Failure::new(Exit::Verification, "the log does not begin with LedgerOpened")
            })
    }

    /// Who signs.
    pub(crate) fn notary(&self) -> &Notary {
        &self.notary
    }

    /// Every key that ever signed here, and those that are given beside.
    pub(crate) fn keys(&self, given: &[PublicKey]) -> Outcome<Vec<PublicKey>> {
        let mut keys = self.notary.public_keys().map_err(unsigned)?;
        keys.extend_from_slice(given);
        Ok(keys)
    }

    /// Runs a step on the hashes, once they have come to the log's head of this moment.
    pub(crate) fn with<T>(&self, step: impl FnOnce(&KeptHashes) -> Outcome<T>) -> Outcome<T> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let head = self.log.head();
        let mut hashes = match held.take() {
            Some(hashes) => hashes,
            None => KeptHashes::open(&self.hashes, head.ledger).map_err(unhashed)?,
        };
        let far = head.next.saturating_sub(hashes.head().size) > LONG_WAY;
        let bar = far.then(|| talk::progress("hashing the log", Some(head.next)));
        let mut reached = |position| bar.iter().for_each(|bar| bar.set_position(position));
        hashes.catch_up(self.log.as_ref(), &mut reached).map_err(unhashed)?;
        bar.iter().for_each(|bar| bar.finish_and_clear());
        step(held.insert(hashes))
    }

    /// Runs a step on the hashes as they are, which may be those of an earlier, or another, history.
    pub(crate) fn with_older<T>(&self, step: impl FnOnce(Option<&KeptHashes>) -> T) -> T {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_none() {
            *held = KeptHashes::open(&self.hashes, self.log.head().ledger).ok();
        }
        step(held.as_ref())
    }

    /// Signs the ledger as it stands now.
    pub(crate) fn sign(&self) -> Outcome<(Note, Checkpoint)> {
        let origin = self.origin()?;
        self.with(|hashes| {
            let note = self.notary.sign(&origin, hashes).map_err(unsigned)?;
            Ok((note, Checkpoint { origin, tree: hashes.head() }))
        })
    }
}

/// Refuses a log that is not what the last checkpoint of it vouches for.
pub(crate) fn compare_signed(place: &Place, log: &dyn ReadLog) -> Outcome {
    let Some(signed) = Notary::new(&place.audit()).signed().map_err(unsigned)? else {
        return Ok(());
    };
    let kept = KeptHashes::open(&place.hashes(), log.head().ledger).ok();
    verify_end(log, &signed, kept.as_ref()).or_own_exit(format_args!(
        "ledger {:?} is not the one its last checkpoint vouches for; restore a backup, or move {} \
         away to go on with this history under new keys",
        place.ledger(),
        place.audit().display()
    ))
}

/// Takes the keys out of use that signed what a repair has given up: going on, they would sign two
/// histories. Says where they are kept.
pub(crate) fn give_up_keys(place: &Place, kept_to: u64) -> Outcome<Option<PathBuf>> {
    let signed = Notary::new(&place.audit()).signed();
    if matches!(&signed, Ok(signed) if signed.as_ref().is_none_or(|one| one.tree.size <= kept_to)) {
        return Ok(None);
    }
    let aside = place.dir().join(format!("audit-until-{kept_to}"));
    let moved = rename_durably(&place.audit(), &aside);
    moved.or_exit(Exit::Unavailable, place.audit().display())?;
    Ok(Some(aside))
}

impl OwnExit for VerifyError {
    fn exit(&self) -> Exit {
        exit_of(self.is_damage())
    }
}

/// A history that is damaged fails verification; else it is out of reach.
fn exit_of(damage: bool) -> Exit {
    if damage { Exit::Verification } else { Exit::Unavailable }
}

/// What failed hashes mean to the user.
fn unhashed(error: HashesError) -> Failure {
    let (exit, what) = (exit_of(error.is_damage()), "the hashes of the log's tree");
    Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
}

/// What a missing signature means to the user, and what to do.
pub(crate) fn unsigned(error: SignError) -> Failure {
    let exit = match &error {
        SignError::NoKey(_) | SignError::Loose { .. } | SignError::Key { .. } => Exit::Usage,
        SignError::Io { .. }
        | SignError::Record { .. }
        | SignError::Note(_)
        | SignError::Forked { .. }
        | SignError::Hashes(_) => exit_of(error.is_damage()),
    };
    let what = if matches!(error, SignError::NoKey(_)) {
        "nothing can be signed; `chl audit keygen` makes a key"
    } else {
        "nothing can be signed"
    };
    Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
}

/// What a failed export means to the user.
pub(crate) fn unpublished(error: ExportError) -> Failure {
    let exit = if matches!(error, ExportError::Occupied { .. }) {
        Exit::Usage
    } else {
        exit_of(error.is_damage())
    };
    Failure::Told { exit, error: anyhow::Error::new(error).context("the log is not published") }
}
