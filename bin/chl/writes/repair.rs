//! `chl log repair`: what is damaged, and the only way on when something is lost.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::{commits_from, give_up_keys, open_log, open_vault, unopened},
    output::{Output, Sheet, Sink},
    place::Place,
    user,
};
use chl_bus::{Clock, LEDGER_SOURCE, OwnCommit, Place as TextPlace, SystemClock};
use chl_events::ledger::{LedgerEvent, LogRepaired};
use chl_events::{Event, Person, Sealed, Stream};
use chl_log::EventLog;
use chl_log_files::Draft;
use chl_log_sled::{Options, RepairError, SledLog, inspect, repair};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Says what of the log is damaged; with --accept-loss-after ends it where it can be read.
///
/// Without options nothing is changed: the damages are shown, and the position up to which the
/// history can be read. With both options the log ends at that position, the damaged files are
/// kept in a folder of their own, and LogRepaired records who accepted the loss and why. Restore a
/// backup instead wherever there is one.
#[derive(Debug, clap::Args)]
pub(crate) struct Repair {
    /// Accepts to lose everything from this position on; it must be where the readable history
    /// ends.
    #[arg(long, value_name = "POSITION", requires = "reason")]
    accept_loss_after: Option<u64>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", requires = "accept_loss_after")]
    reason: Option<String>,
}

/// What was decided, written down before the first step, so that an interrupted repair is
/// recorded as well.
#[derive(Debug, Serialize, Deserialize)]
struct Intent {
    kept_through: u64,
    witnessed: Option<u64>,
    reason: String,
}

impl Repair {
    /// Shows the damages, or repairs them.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        place.require_embedded("a repair")?;
        let exit = match (self.accept_loss_after, &self.reason) {
            (Some(position), Some(reason)) => accept(place, position, reason, &mut output)?,
            _ => show(place, &mut output)?,
        };
        output.end()?;
        Ok(exit)
    }
}

fn show(place: &Place, output: &mut Output) -> Outcome<Exit> {
    let found = inspect(&place.log()).map_err(|error| unrepaired(place, error))?;
    let sheet = Sheet::new("", &["place", "damage"]);
    output.begin(&sheet)?;
    for damage in &found.damages {
        let path = damage.path.display().to_string();
        output.row(sheet.values(json!({ "place": path, "damage": damage.what })))?;
    }
    let next = found.readable.next;
    if found.damages.is_empty() {
        output.note(&format!("nothing is damaged; the log is whole up to position {next}"))?;
        return Ok(Exit::Success);
    }
    output.note(&format!(
        "the history can be read up to position {next}; restore a backup, or accept the loss with \
         --accept-loss-after {next} --reason TEXT"
    ))?;
    Ok(Exit::Verification)
}

fn accept(place: &Place, position: u64, reason: &str, output: &mut Output) -> Outcome<Exit> {
    let note = place.dir().join("repair.json");
    let intent = intended(place, &note, position, reason)?;
    match repair(&place.log(), position) {
        Ok(done) => output.note(&format!("damaged files are kept in {}", done.aside.display()))?,
        // Repaired before, and not recorded: what the note says is recorded now.
        Err(RepairError::NotDamaged { next }) if note.exists() && next == position => {}
        Err(error) => return Err(unrepaired(place, error)),
    }
    if let Some(aside) = give_up_keys(place, position)? {
        output.note(&format!(
            "checkpoints were signed of what is lost: their keys sign nothing more and are kept in \
             {}; make a new one with `chl audit keygen`",
            aside.display()
        ))?;
    }
    forget_caches(place).or_exit(Exit::Unavailable, "what is built from the log")?;
    let commit = record(place, &intent)?;
    fs::remove_file(&note).or_exit(Exit::Unavailable, note.display())?;
    let sheet = Sheet::new("", &["repaired_at", "kept_through", "witnessed"]);
    output.begin(&sheet)?;
    output.row(sheet.values(json!({
        "repaired_at": commit, "kept_through": position, "witnessed": intent.witnessed,
    })))?;
    Ok(Exit::Success)
}

/// What is about to be done, durable before it is; what an interrupted repair has noted counts.
fn intended(place: &Place, note: &Path, position: u64, reason: &str) -> Outcome<Intent> {
    let earlier = fs::read(note).ok().and_then(|text| serde_json::from_slice::<Intent>(&text).ok());
    if let Some(intent) = earlier.filter(|intent| intent.kept_through == position) {
        return Ok(intent);
    }
    let found = inspect(&place.log()).map_err(|error| unrepaired(place, error))?;
    let readable = found.readable.next;
    if found.damages.is_empty() {
        return Err(unrepaired(place, RepairError::NotDamaged { next: readable }));
    }
    if readable != position {
        return Err(unrepaired(place, RepairError::Elsewhere { asked: position, readable }));
    }
    let witnessed = found.witnessed.map(|head| head.next);
    let intent = Intent { kept_through: position, witnessed, reason: reason.to_owned() };
    let text = serde_json::to_vec(&intent).or_exit(Exit::Internal, "the repair's note")?;
    let mut draft = Draft::create(note).or_exit(Exit::Unavailable, note.display())?;
    let written = draft.write_all(&text).and_then(|()| draft.publish());
    written.or_exit(Exit::Unavailable, note.display())?;
    Ok(intent)
}

/// Removes what may have seen more than the log now holds; all of it is built anew from it.
fn forget_caches(place: &Place) -> io::Result<()> {
    let named: Vec<PathBuf> = [place.views(), place.states()].into();
    for entry in fs::read_dir(place.dir())? {
        let path = entry?.path();
        let is_cache = named.iter().any(|cache| {
            let text = path.as_os_str().as_encoded_bytes();
            text.starts_with(cache.as_os_str().as_encoded_bytes())
        });
        if is_cache {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Records that and why something was lost; says at which position.
fn record(place: &Place, intent: &Intent) -> Outcome<u64> {
    let mut log = open_log(place, Options::default()).map_err(|error| unopened(place, error))?;
    let position = log.head().next;
    let (version, last) = ledger_stream(&log)?;
    let now = SystemClock::new().read().wall;
    let recorded_at = last.map_or(now, |last| last.max(now));
    let actor = user::actor()?;
    let id = format!("repair-{position}");
    let event = LogRepaired {
        kept_through: intent.kept_through,
        witnessed: intent.witnessed,
        reason: sealed(place, &actor, &id, &intent.reason)?,
    };
    let own = OwnCommit { position, version: version.saturating_add(1), id, actor, recorded_at };
    let commit = own.of(Event::Ledger(LedgerEvent::LogRepaired(event)));
    let failed = "LogRepaired cannot be recorded";
    let bytes = commit.encode().or_exit(Exit::Internal, failed)?;
    let blocks = log.chain().pack(&[bytes]).or_exit(Exit::Internal, failed)?;
    log.append(position, &blocks).or_exit(Exit::Unavailable, failed)?;
    log.settle().or_exit(Exit::Unavailable, failed)?;
    Ok(position)
}

/// The version of the ledger's own stream, and when the last commit was recorded.
fn ledger_stream(log: &SledLog) -> Outcome<(u64, Option<chl_events::Instant>)> {
    let reader = log.reader();
    let (mut version, mut last) = (0, None);
    for commit in commits_from(reader.as_ref(), 0)? {
        let commit = commit?;
        if commit.stream == Stream::Ledger {
            version = commit.version;
        }
        last = Some(commit.recorded_at);
    }
    Ok((version, last))
}

fn sealed(place: &Place, actor: &chl_events::ActorId, id: &str, text: &str) -> Outcome<Sealed> {
    let vault = open_vault(place)?;
    let at = TextPlace { source: LEDGER_SOURCE, id, field: "reason" };
    let sealed = vault.seal(&Person::Actor(actor.clone()), at, text);
    let sealed = sealed.or_exit(Exit::Internal, "the reason cannot be sealed")?;
    vault.sync().or_exit(Exit::Unavailable, "the vault cannot be written")?;
    Ok(sealed)
}

fn unrepaired(place: &Place, error: RepairError) -> Failure {
    let exit = match error {
        RepairError::Open(error) => return unopened(place, error),
        RepairError::Elsewhere { .. } | RepairError::NotDamaged { .. } => Exit::Usage,
        RepairError::Nothing { .. } => Exit::Verification,
        RepairError::Sealed(_)
        | RepairError::Witness(_)
        | RepairError::Head(_)
        | RepairError::Io { .. } => Exit::Unavailable,
    };
    let what = format!("ledger {:?} is not repaired", place.ledger());
    Failure::Told { exit, error: anyhow::Error::new(error).context(what) }
}
