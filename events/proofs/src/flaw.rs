//! What is wrong with a history, and where it begins to be.

use crate::{checkpoint::Checkpoint, tree::TreeHead};
use chl_events::Hash;
use std::fmt;

/// Positions from one up to, but without, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first one.
    pub from: u64,
    /// The one behind the last.
    pub to: u64,
}

impl Span {
    /// A single position.
    pub fn one(position: u64) -> Self {
        Self { from: position, to: position.saturating_add(1) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = self.to.saturating_sub(1);
        if last <= self.from {
            write!(f, "position {}", self.from)
        } else {
            write!(f, "one of the positions {} to {last}", self.from)
        }
    }
}

/// What is wrong with a history.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// What stands at a position is not what stood there.
    #[error("{at} was altered: {what}")]
    Altered {
        /// Where, as near as it can be told.
        at: Span,
        /// What does not fit.
        what: String,
    },
    /// It ends before something that was signed.
    #[error(
        "position {ends} and what followed it are missing: a checkpoint of {size} commits was \
             signed"
    )]
    CutShort {
        /// Where the history ends.
        ends: u64,
        /// What was signed.
        size: u64,
    },
    /// A checkpoint speaks for another ledger.
    #[error("the checkpoint is of {found:?}, this is {expected:?}")]
    Foreign {
        /// This ledger.
        expected: String,
        /// The ledger of the checkpoint.
        found: String,
    },
}

impl Flaw {
    /// Where the history begins to be wrong, as near as it can be told.
    pub fn position(&self) -> u64 {
        match self {
            Self::Altered { at, .. } => at.from,
            Self::CutShort { ends, .. } => *ends,
            Self::Foreign { .. } => 0,
        }
    }
}

/// Trees that were vouched for, with which a history is compared as it grows.
#[derive(Debug)]
pub(crate) struct Vouched {
    /// The largest first.
    trees: Vec<TreeHead>,
    /// How much of the history is known to be right.
    right: u64,
}

impl Vouched {
    /// The trees of checkpoints of a ledger; where no origin is known, of whatever ledger.
    pub(crate) fn new(checkpoints: &[Checkpoint], origin: &str) -> Result<Self, Flaw> {
        if let Some(other) = checkpoints.iter().find(|one| one.origin != origin) {
            let (expected, found) = (origin.to_owned(), other.origin.clone());
            return Err(Flaw::Foreign { expected, found });
        }
        let mut trees: Vec<TreeHead> = checkpoints.iter().map(|one| one.tree).collect();
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.size));
        Ok(Self { trees, right: 0 })
    }

    /// Compares the history's root where it has the size of a tree.
    pub(crate) fn compare(&mut self, size: u64, root: impl Fn() -> Hash) -> Result<(), Flaw> {
        while let Some(tree) = self.trees.pop_if(|tree| tree.size == size) {
            let found = root();
            if found != tree.root {
                let at = Span { from: self.right, to: size };
                let what = format!("the root at {size} is {found}, {} was signed", tree.root);
                return Err(Flaw::Altered { at, what });
            }
            self.right = size;
        }
        Ok(())
    }

    /// Refuses a history that ends before one of the trees.
    pub(crate) fn ends(&self, ends: u64) -> Result<(), Flaw> {
        match self.trees.first() {
            Some(tree) => Err(Flaw::CutShort { ends, size: tree.size }),
            None => Ok(()),
        }
    }
}
