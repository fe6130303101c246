//! How blocks become rows: many in one transaction, and event by event where a read model fails.
//!
//! What fails in a transaction of many blocks is not told from what stands beside it. So all of it
//! is given up and folded again from what is stored, an event at a time, each block a transaction:
//! the read model that fails is frozen as of the block's beginning, and the block is folded anew
//! without it. The others lose nothing.

use crate::{
    ApplyError, Until, Views,
    ahead::{Unready, commits},
    file::Journal,
    frozen::{Failing, Frozen, is_of_view},
    lines::Lines,
    meta,
};
use chl_events::{Block, Commit};
use chl_projections::{fold, fold_event, fold_rows};
use std::sync::Arc;

/// How many changed rows are written in one transaction while the views are behind.
const ROWS_PER_TRANSACTION: usize = 50_000;

/// Why a block could not be folded event by event.
enum Stumble {
    /// Read models fail at one of its events.
    Failing(Failing),
    /// Something else does.
    Other(ApplyError),
}

impl<E: Into<ApplyError>> From<E> for Stumble {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl ApplyError {
    /// Whether read models are to blame, and not the log or the disk.
    pub(crate) fn is_of_view(&self) -> bool {
        match self {
            Self::Fold(failed) => is_of_view(failed),
            Self::Write(failed) => failed.is_of_view(),
            Self::Gap { .. }
            | Self::Commit(_)
            | Self::Sqlite(_)
            | Self::Log(_)
            | Self::GivenUp(_)
            | Self::Broken => false,
        }
    }
}

impl Views {
    /// Folds a block's commits from where the folds stand, as far as asked; says whether all of it
    /// was taken. Posting lines may be ready; each commit then comes with how many end with it.
    pub(crate) fn fold_block(
        &mut self,
        block: &Block,
        commits: impl Iterator<Item = Result<(Commit, usize), Unready>>,
        postings: Option<Lines>,
        until: Until,
    ) -> Result<bool, ApplyError> {
        let position = self.checkpoint.position;
        if block.next() <= position {
            return Ok(true);
        }
        if block.first() > position {
            return Err(ApplyError::Gap { position, first: block.first() });
        }
        match self.fold_fast(block, commits, postings, until) {
            Err(error) if self.may_freeze(&error) => self.fold_carefully(block.next(), until),
            other => other,
        }
    }

    fn fold_fast(
        &mut self,
        block: &Block,
        commits: impl Iterator<Item = Result<(Commit, usize), Unready>>,
        postings: Option<Lines>,
        until: Until,
    ) -> Result<bool, ApplyError> {
        self.tables.begin()?;
        let (mut lines, mut whole) = (0, true);
        for commit in commits {
            let (commit, ends) = commit?;
            if !until.takes(&commit) {
                whole = false;
                break;
            }
            match &postings {
                Some(_) => fold_rows(&commit, self.effective, &mut self.tables)?,
                None => fold(&commit, self.effective, &mut self.tables)?,
            }
            self.checkpoint.pass(&commit);
            lines = ends;
        }
        if let Some(mut ready) = postings {
            ready.truncate(lines);
            self.tables.insert_ready(ready)?;
        }
        if whole {
            self.checkpoint.pass_block(block);
            if self.tables.pending() >= ROWS_PER_TRANSACTION {
                self.write_rows()?;
            }
        }
        Ok(whole)
    }

    /// Writes what waits, with the checkpoint, and commits.
    pub(crate) fn flush_rows(&mut self) -> Result<(), ApplyError> {
        match self.write_rows() {
            Err(error) if self.may_freeze(&error) => {
                self.fold_carefully(self.checkpoint.position, Until::Head).map(drop)
            }
            other => other,
        }
    }

    fn write_rows(&mut self) -> Result<(), ApplyError> {
        if self.flushed.position == self.checkpoint.position {
            self.tables.commit()?;
            return Ok(());
        }
        self.tables.begin()?;
        self.tables.write()?;
        self.commit()
    }

    fn commit(&mut self) -> Result<(), ApplyError> {
        let head = self.log.head();
        self.checkpoint.pass_head(&head);
        meta::advance(&self.tables.db, &self.checkpoint, head.next)?;
        self.tables.commit()?;
        self.flushed = self.checkpoint;
        Ok(())
    }

    /// Whether what failed can be told apart: only where its transaction can be given up.
    fn may_freeze(&self, error: &ApplyError) -> bool {
        self.journal != Journal::None && error.is_of_view()
    }

    /// Folds from what is stored up to a position, event by event; what fails is frozen. Says
    /// whether all was taken that was asked for.
    fn fold_carefully(&mut self, to: u64, until: Until) -> Result<bool, ApplyError> {
        self.go_back()?;
        let log = Arc::clone(&self.log);
        for block in log.read(self.checkpoint.position)? {
            let block = block?;
            let whole = loop {
                match self.try_block(&block, to, until) {
                    Ok(whole) => break whole,
                    Err(Stumble::Failing(failing)) => self.freeze(&failing, &block)?,
                    Err(Stumble::Other(error)) => return Err(error),
                }
            };
            if !whole || self.checkpoint.position >= to {
                return Ok(whole);
            }
        }
        Ok(true)
    }

    /// Gives up what is not stored.
    fn go_back(&mut self) -> Result<(), ApplyError> {
        self.checkpoint = self.flushed;
        self.tables.forget(self.flushed.position == 0)?;
        Ok(())
    }

    /// Folds a block in a transaction of its own, and stores each event's rows before the next.
    fn try_block(&mut self, block: &Block, to: u64, until: Until) -> Result<bool, Stumble> {
        self.tables.begin()?;
        let mut whole = true;
        for commit in commits(block, self.checkpoint.position) {
            let commit = commit?;
            if commit.position >= to || !until.takes(&commit) {
                whole = false;
                break;
            }
            for index in 0..commit.events.len() {
                self.try_event(&commit, index)?;
            }
            self.checkpoint.pass(&commit);
        }
        if whole {
            self.checkpoint.pass_block(block);
        }
        for frozen in &self.frozen {
            meta::freeze(&self.tables.db, frozen)?;
        }
        self.commit()?;
        Ok(whole)
    }

    fn try_event(&mut self, commit: &Commit, index: usize) -> Result<(), Stumble> {
        if let Err(failed) = fold_event(commit, index, self.effective, &mut self.tables) {
            return Err(if is_of_view(&failed) {
                Stumble::Failing(Failing::of_fold(&failed))
            } else {
                failed.into()
            });
        }
        let written = self.tables.write();
        written.map_err(|failed| {
            if failed.is_of_view() {
                Stumble::Failing(Failing::of_write(&failed, commit, index))
            } else {
                failed.into()
            }
        })
    }

    /// Freezes what fails as of the last block stored, and gives the block up that was begun.
    fn freeze(&mut self, failing: &Failing, block: &Block) -> Result<(), ApplyError> {
        self.go_back()?;
        let position = self.checkpoint.position;
        let first = commits(block, position).next().transpose()?;
        let since = first.map(|commit| commit.recorded_at);
        let known: Vec<&'static str> = self.frozen.iter().map(|frozen| frozen.view).collect();
        let kept: Vec<&'static str> = self.kept.iter().map(|view| view.name()).collect();
        let new = failing.frozen(position, since);
        let new = new.filter(|one| kept.contains(&one.view) && !known.contains(&one.view));
        let new: Vec<Frozen> = new.collect();
        if new.is_empty() {
            // What is frozen is not folded: that it fails again is none of its own.
            return Err(ApplyError::Broken);
        }
        for one in &new {
            tracing::error!(view = one.view, "{one}");
            self.tables.freeze(one.view);
        }
        self.frozen.extend(new);
        Ok(())
    }
}
