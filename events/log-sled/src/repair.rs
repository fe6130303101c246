//! Repairs a damaged ledger: keeps what is readable, sets the rest aside, and loses only what its
//! operator has accepted.

use crate::{
    Damage, HeadError, OpenError, Options,
    head::Head,
    layout::{Layout, Phase},
    open::open_sealed,
    plan::{Plan, remove_if_there},
    salvage::{ledger_of, salvage},
};
use chl_log::{Chain, Head as LogHead};
use chl_log_files::{
    OwnerLock, SealedError, SealedFile, SealedWriter, Witness, WitnessError, create_dir,
    rename_durably, sync_dir,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What a look at a ledger finds. Nothing is changed by looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How far the history can be read; a repair ends the log there.
    pub readable: LogHead,
    /// How far the witness has seen it come, if it can still say so.
    pub witnessed: Option<LogHead>,
    /// What is damaged.
    pub damages: Vec<Damage>,
}

/// What a repair has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// Where the log ends now.
    pub head: LogHead,
    /// Where the damaged files are kept.
    pub aside: PathBuf,
}

/// Says why a ledger was not repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Another process owns it, or it is out of reach.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// There is nothing from which a ledger could be told.
    #[error("{}: no ledger here, or nothing of it can be read", dir.display())]
    Nothing {
        /// The folder.
        dir: PathBuf,
    },
    /// The accepted position is not where the readable history ends. Nothing was changed.
    #[error("the log is readable up to position {readable}, the loss was accepted after {asked}")]
    Elsewhere {
        /// The position that was accepted.
        asked: u64,
        /// Where the readable history ends.
        readable: u64,
    },
    /// Nothing is damaged and nothing is lost. Nothing was changed.
    #[error("nothing is damaged: the log is whole up to position {next}")]
    NotDamaged {
        /// Where it ends.
        next: u64,
    },
    /// What is readable could not be copied.
    #[error(transparent)]
    Sealed(#[from] SealedError),
    /// The new witness could not be written.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The new head could not be made.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// The file system failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl RepairError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// Says how far a ledger can be read and what is damaged, reading and checking all of it.
pub fn inspect(dir: &Path) -> Result<Inspection, RepairError> {
    let (_lock, layout) = own(dir)?;
    look(&layout)
}

/// Ends a damaged log at the position its readable history reaches, after the operator has
/// accepted to lose what lies behind it.
///
/// Damaged files are kept in a folder of their own. A repair that is interrupted goes on when it
/// is run again. The caller then records `LogRepaired`, and lets what has seen more than the
/// position (keys, states, views) be built again.
pub fn repair(dir: &Path, accept_loss_after: u64) -> Result<Repaired, RepairError> {
    let (_lock, layout) = own(dir)?;
    if !Plan::exists(&layout) {
        prepare(&layout, accept_loss_after)?;
    }
    let plan = Plan::read(&layout).map_err(RepairError::io(&layout.repair()))?;
    if plan.position != accept_loss_after {
        return Err(RepairError::Elsewhere { asked: accept_loss_after, readable: plan.position });
    }
    carry_out(&layout, &plan)
}

fn own(dir: &Path) -> Result<(OwnerLock, Layout), RepairError> {
    if !dir.is_dir() {
        return Err(OpenError::NotFound { dir: dir.to_owned() }.into());
    }
    let lock = OwnerLock::take(dir).map_err(OpenError::from)?;
    Ok((lock, Layout::new(dir)))
}

fn look(layout: &Layout) -> Result<Inspection, RepairError> {
    let (witnessed, mut damages) = match Witness::open(&layout.witness()) {
        Ok(witness) => (Some(witness.last().head), Vec::new()),
        Err(error) => (None, vec![Damage { path: layout.witness(), what: error.to_string() }]),
    };
    let ledger = match witnessed {
        Some(head) => Some(head.ledger),
        None => ledger_of(layout).map_err(RepairError::io(layout.dir()))?,
    };
    let nothing = RepairError::Nothing { dir: layout.dir().to_owned() };
    let found = salvage(layout, ledger.ok_or(nothing)?, |_| Ok(()))?;
    damages.extend(found.damages);
    let readable = found.reached.head();
    damages.extend(witnessed.and_then(|head| lost(layout, head, readable)));
    let heads = layout.heads(Phase::Head).map_err(RepairError::io(layout.dir()))?;
    if heads.is_empty() {
        damages.push(Damage { path: layout.dir().to_owned(), what: "the head is missing".into() });
    }
    Ok(Inspection { readable, witnessed, damages })
}

/// What the witness has seen and the log does not have.
fn lost(layout: &Layout, witnessed: LogHead, readable: LogHead) -> Option<Damage> {
    let what = if witnessed.next > readable.next {
        format!("the log ends at {}, the witness has seen {}", readable.next, witnessed.next)
    } else if witnessed.next == readable.next && witnessed.root != readable.root {
        format!("at {} the witness has seen another root", witnessed.next)
    } else {
        return None;
    };
    Some(Damage { path: layout.dir().to_owned(), what })
}

/// Copies what is readable behind the whole sealed files, and writes down what is to be done.
fn prepare(layout: &Layout, accepted: u64) -> Result<(), RepairError> {
    let found = look(layout)?;
    let readable = found.readable.next;
    if found.damages.is_empty() {
        return Err(RepairError::NotDamaged { next: readable });
    }
    if readable != accepted {
        return Err(RepairError::Elsewhere { asked: accepted, readable });
    }
    let scratch = layout.repair();
    let io = RepairError::io(&scratch);
    remove_if_there(&scratch).and_then(|()| create_dir(&scratch)).map_err(&io)?;
    let ledger = found.readable.ledger;
    let mut writer: Option<SealedWriter> = None;
    let salvaged = Plan::salvaged(layout);
    let mut before = whole_chain(layout, ledger)?;
    let copied = salvage(layout, ledger, |block| {
        let writing = match writer.take() {
            Some(writing) => writing,
            None => SealedWriter::create(&salvaged, before.clone())?,
        };
        writer.insert(writing).push(block)
    })?;
    if let Some(writer) = writer {
        writer.finish(None)?;
        before = copied.reached;
    }
    if before.next() != accepted {
        return Err(RepairError::Elsewhere { asked: accepted, readable: before.next() });
    }
    let heads = layout.heads(Phase::Head).map_err(&io)?;
    let damages = layout.damages().map_err(&io)?;
    let witness = Witness::open(&layout.witness()).ok();
    let plan = Plan {
        ledger,
        whole_to: copied.whole_to,
        position: accepted,
        head: heads.last().map_or(1, |last| last + 1),
        damaged: damages.last().map_or(1, |last| last + 1),
        generation: witness.map_or(0, |witness| witness.last().generation + 1),
    };
    plan.write(layout).map_err(io)
}

/// The chain behind the sealed files that are whole.
fn whole_chain(layout: &Layout, ledger: chl_events::LedgerId) -> Result<Chain, RepairError> {
    let mut chain = Chain::new(ledger);
    let files = layout.sealed_files().map_err(RepairError::io(&layout.sealed_dir()))?;
    for path in files {
        let Ok(file) = SealedFile::open(&path) else {
            break;
        };
        let file = std::sync::Arc::new(file);
        if file.summary().before != chain || file.verify().is_err() {
            break;
        }
        chain = file.summary().after.clone();
    }
    Ok(chain)
}

/// Does what the plan says; every step can be done again.
fn carry_out(layout: &Layout, plan: &Plan) -> Result<Repaired, RepairError> {
    let aside = layout.damaged(plan.damaged);
    let io = RepairError::io(layout.dir());
    create_dir(&aside).and_then(|()| create_dir(&layout.sealed_dir())).map_err(&io)?;
    let salvaged = Plan::salvaged(layout);
    let placed = layout.sealed(plan.whole_to);
    let has_salvaged = plan.position > plan.whole_to;
    // Once the salvaged file is in its place, what lies behind it is no damaged one.
    if !has_salvaged || salvaged.exists() {
        set_aside(layout, plan, &aside).map_err(&io)?;
    }
    if salvaged.exists() {
        rename_durably(&salvaged, &placed).map_err(&io)?;
    }
    // The renames may be those of a run that was interrupted before it synced them.
    sync_dir(&layout.sealed_dir()).and_then(|()| sync_dir(layout.dir())).map_err(&io)?;
    let (_, chain) = open_sealed(layout, plan.ledger)?;
    let head = chain.head();
    if head.next != plan.position {
        return Err(RepairError::Elsewhere { asked: plan.position, readable: head.next });
    }
    let witness = layout.witness();
    if witness.exists() && !aside.join("witness").exists() {
        fs::copy(&witness, aside.join("witness")).map_err(&io)?;
    }
    Witness::create(&witness, head, plan.generation)?;
    layout.sweep().map_err(&io)?;
    if !layout.head(Phase::Head, plan.head).is_dir() {
        Head::make(layout, plan.head, &Options::default())?.close()?;
    }
    remove_if_there(&layout.repair()).map_err(&io)?;
    sync_dir(layout.dir()).map_err(&io)?;
    Ok(Repaired { head, aside })
}

/// Moves the heads before the new one, and the sealed files behind those that are whole.
fn set_aside(layout: &Layout, plan: &Plan, aside: &Path) -> io::Result<()> {
    let heads = layout.heads(Phase::Head)?.into_iter().filter(|number| *number < plan.head);
    let heads = heads.map(|number| layout.head(Phase::Head, number));
    let first_aside = layout.sealed(plan.whole_to);
    let files = layout.sealed_files()?.into_iter().filter(|path| *path >= first_aside);
    for path in heads.chain(files) {
        rename_durably(&path, &aside.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::{SledLog, crash::copy_dir};
    use chl_events::LedgerId;
    use chl_log::EventLog;

    /// A ledger of several sealed files whose second one is damaged, and where it is readable to.
    fn damaged(dir: &Path) -> u64 {
        let ledger = LedgerId([6; 16]);
        let options = Options { seal_bytes: 1000, ..Options::create(ledger) };
        let mut log = SledLog::open(dir, options).unwrap();
        let layout = Layout::new(dir);
        while layout.sealed_files().unwrap().len() < 4 {
            let mut chain = log.chain();
            let before = chain.next();
            log.append(before, &chain.pack(&[[1; 90], [2; 90]]).unwrap()).unwrap();
        }
        drop(log);
        let second = layout.sealed_files().unwrap().remove(1);
        let mut bytes = fs::read(&second).unwrap();
        *bytes.get_mut(900).unwrap() ^= 1;
        fs::write(second, bytes).unwrap();
        inspect(dir).unwrap().readable.next
    }

    #[test]
    fn an_interrupted_repair_goes_on() {
        let base = tempfile::tempdir().unwrap();
        let dir = base.path().join("ledger");
        let readable = damaged(&dir);
        let layout = Layout::new(&dir);
        prepare(&layout, readable).unwrap();
        let plan = Plan::read(&layout).unwrap();
        assert!(plan.whole_to < readable, "something is salvaged");
        let mut states = Vec::new();
        let mut keep = |dir: &Path| {
            let state = base.path().join(format!("state-{}", states.len()));
            copy_dir(dir, &state);
            states.push(state);
        };
        keep(&dir);
        let aside = layout.damaged(plan.damaged);
        create_dir(&aside).unwrap();
        for number in layout.heads(Phase::Head).unwrap() {
            let path = layout.head(Phase::Head, number);
            fs::rename(&path, aside.join(path.file_name().unwrap())).unwrap();
            keep(&dir);
        }
        for path in layout.sealed_files().unwrap().into_iter().skip(1) {
            fs::rename(&path, aside.join(path.file_name().unwrap())).unwrap();
            keep(&dir);
        }
        fs::rename(Plan::salvaged(&layout), layout.sealed(plan.whole_to)).unwrap();
        keep(&dir);
        let (_, chain) = open_sealed(&layout, plan.ledger).unwrap();
        Witness::create(&layout.witness(), chain.head(), plan.generation).unwrap();
        keep(&dir);
        let head = Head::make(&layout, plan.head, &Options::default()).unwrap();
        keep(&dir);
        head.close().unwrap();
        keep(&dir);
        assert!(states.len() >= 9);
        for state in states {
            let refused = SledLog::open(&state, Options::default());
            assert!(matches!(refused, Err(OpenError::Repairing { .. })));
            assert_eq!(repair(&state, readable).unwrap().head.next, readable);
            let log = SledLog::open(&state, Options::default()).unwrap();
            assert_eq!(log.head(), chain.head());
            drop(log);
            assert_eq!(inspect(&state).unwrap().damages, []);
        }
    }
}
