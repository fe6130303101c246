//! Reads whatever of a damaged ledger still continues its history.

use crate::{
    HeadError,
    head::Head,
    layout::{Layout, Phase},
    plan::remove_if_there,
};
use chl_events::{Block, LedgerId};
use chl_log::Chain;
use chl_log_files::{SealedError, SealedFile};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A file or folder that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub what: String,
}

/// What could be read.
pub(crate) struct Salvage {
    /// The chain behind the last block that could.
    pub(crate) reached: Chain,
    /// Where the sealed files end that are whole, from the first on.
    pub(crate) whole_to: u64,
    pub(crate) damages: Vec<Damage>,
}

/// The ledger that the files in a folder belong to, if any can still say so.
pub(crate) fn ledger_of(layout: &Layout) -> io::Result<Option<LedgerId>> {
    for path in layout.sealed_files()? {
        if let Ok(file) = SealedFile::open(&path) {
            return Ok(Some(file.summary().ledger));
        }
    }
    for number in layout.heads(Phase::Head)? {
        let mut ledger = None;
        let walk = |block: &Block| {
            ledger.get_or_insert(block.ledger());
            Ok(())
        };
        // What is damaged is told by the salvage itself.
        let _damaged = walk_copy(layout, number, walk);
        if ledger.is_some() {
            return Ok(ledger);
        }
    }
    Ok(None)
}

/// Reads sealed files and heads in order and hands over every block that continues the history
/// behind the sealed files that are whole; the first that does not ends it.
pub(crate) fn salvage(
    layout: &Layout,
    ledger: LedgerId,
    mut each: impl FnMut(&Block) -> Result<(), SealedError>,
) -> Result<Salvage, SealedError> {
    let io = |source| SealedError::Io { path: layout.dir().to_owned(), source };
    let mut reached = Chain::new(ledger);
    let mut whole_to = 0;
    let mut damages = Vec::new();
    for path in layout.sealed_files().map_err(io)? {
        let whole = SealedFile::open(&path).map(Arc::new).and_then(|file| {
            if file.summary().before != reached {
                let what = "it does not follow the history before it";
                return Err(SealedError::Header { path: path.clone(), what });
            }
            file.verify()?;
            Ok(file.summary().after.clone())
        });
        match whole {
            Ok(after) if damages.is_empty() => {
                whole_to = after.next();
                reached = after;
                continue;
            }
            // Behind a damage everything is copied, so that it follows what was salvaged.
            Ok(_) => {}
            Err(error) => damages.push(damage(&path, &error)),
        }
        let file = Arc::new(SealedFile::open_to_salvage(&path, reached.clone())?);
        for block in file.all_blocks().map_while(Result::ok) {
            if reached.accept(&block).is_err() {
                break;
            }
            each(&block)?;
        }
    }
    for number in layout.heads(Phase::Head).map_err(io)? {
        let path = layout.head(Phase::Head, number);
        let mut refused = None;
        let walked = walk_copy(layout, number, |block| {
            // Its first blocks may be sealed already.
            if block.next() <= reached.next() || refused.is_some() {
                return Ok(());
            }
            let broken = |source| HeadError::Broken { path: path.clone(), source };
            reached.accept(block).map_err(broken)?;
            refused = each(block).err();
            Ok(())
        });
        if let Some(error) = refused {
            return Err(error);
        }
        damages.extend(walked.err().map(|error| damage(&path, &error)));
    }
    Ok(Salvage { reached, whole_to, damages })
}

fn damage(path: &Path, error: &impl ToString) -> Damage {
    Damage { path: path.to_owned(), what: error.to_string() }
}

/// Walks a copy of a head, since opening it would change what is to be kept as it is.
fn walk_copy(
    layout: &Layout,
    number: u64,
    each: impl FnMut(&Block) -> Result<(), HeadError>,
) -> Result<(), HeadError> {
    let dir = layout.head(Phase::Head, number);
    for name in ["conf", "db"] {
        let path = dir.join(name);
        if !path.is_file() {
            return Err(HeadError::Missing { path });
        }
    }
    let copy = layout.head(Phase::New, number);
    remove_if_there(&copy).and_then(|()| copy_dir(&dir, &copy)).map_err(HeadError::io(&copy))?;
    let walked = Head::open_unchecked(&copy, number).and_then(|head| {
        let walked = head.walk(each);
        // After a panic inside sled its closing may fail too; the first failure is the one to tell.
        walked.and(head.close())
    });
    remove_if_there(&copy).map_err(HeadError::io(&copy))?;
    walked
}

fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            copy_dir(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
