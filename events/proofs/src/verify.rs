//! Verifies a log from its first commit on, and finds where two histories part.

use crate::{
    checkpoint::Checkpoint,
    flaw::{Flaw, Span, Vouched},
    kept::{HashesError, KeptHashes},
    tree::{TreeHead, root_at},
};
use chl_log::{Frontier, ReadError, ReadLog, leaf_hash};

/// Hashes are compared so many at a time.
const AT_A_TIME: u64 = 65_536;

/// Says why a log is not believed.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// What it holds was altered.
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

impl VerifyError {
    /// Whether the history is damaged or another one; else it is out of reach.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Log(error) => error.is_damage(),
            Self::Flaw(_) => true,
        }
    }
}

/// Verifies every entry of a log, every root on the way, and that it continues checkpoints; tells
/// how many entries it has come to.
///
/// The hashes kept beside it, where they are those of what was signed, tell the very position of
/// what is wrong; without them it is told as near as the log's own roots do.
pub fn verify_log(
    log: &dyn ReadLog,
    (origin, against): (&str, &[Checkpoint]),
    kept: Option<&KeptHashes>,
    reached: &mut dyn FnMut(u64),
) -> Result<TreeHead, VerifyError> {
    let walked = walk(log, Vouched::new(against, origin)?, reached);
    let Err(VerifyError::Flaw(flaw)) = &walked else { return walked };
    let trusted = kept.filter(|kept| against.iter().any(|one| vouches(&one.tree, kept)));
    let end = log.head().next.min(trusted.map_or(0, |kept| kept.head().size));
    if let Some(kept) = trusted
        && let Ok(Some(position)) = first_difference(kept, log, end)
    {
        let what = match flaw {
            Flaw::Altered { what, .. } => what.clone(),
            Flaw::CutShort { .. } | Flaw::Foreign { .. } => flaw.to_string(),
        };
        return Err(Flaw::Altered { at: Span::one(position), what }.into());
    }
    walked
}

fn walk(
    log: &dyn ReadLog,
    mut vouched: Vouched,
    reached: &mut dyn FnMut(u64),
) -> Result<TreeHead, VerifyError> {
    let head = log.head();
    let mut frontier = Frontier::new();
    vouched.compare(0, || frontier.root())?;
    let mut right = 0;
    for block in log.read(0)? {
        let block = block?;
        let root = frontier.root();
        if block.root_before() != root {
            let at = Span { from: right, to: block.first() };
            let what = format!("the root behind it is {root}, not {}", block.root_before());
            return Err(Flaw::Altered { at, what }.into());
        }
        right = block.first();
        for commit in block.commits() {
            frontier.push(commit);
            vouched.compare(frontier.size(), || frontier.root())?;
        }
        if frontier.size() == head.next && frontier.root() != head.root {
            let at = Span { from: right, to: head.next };
            let what = format!("the log's root is {}, not {}", head.root, frontier.root());
            return Err(Flaw::Altered { at, what }.into());
        }
        reached(frontier.size());
    }
    vouched.ends(frontier.size())?;
    Ok(TreeHead { size: frontier.size(), root: frontier.root() })
}

/// Whether hashes are those of a tree that was vouched for.
fn vouches(tree: &TreeHead, kept: &KeptHashes) -> bool {
    tree.size <= kept.head().size && root_at(kept, tree.size).is_ok_and(|root| root == tree.root)
}

/// The first position below `end` at which a log holds another entry than hashes were kept of.
pub fn first_difference(
    kept: &KeptHashes,
    log: &dyn ReadLog,
    end: u64,
) -> Result<Option<u64>, HashesError> {
    let mut hashes = Vec::new().into_iter();
    let mut fetched = 0;
    for block in log.read(0)? {
        let block = block?;
        for (position, commit) in (block.first()..end).zip(block.commits()) {
            if position == fetched {
                let count = AT_A_TIME.min(end - fetched);
                hashes = kept.hashes(0, fetched, count)?.into_iter();
                fetched += count;
            }
            if hashes.next() != Some(leaf_hash(commit)) {
                return Ok(Some(position));
            }
        }
        if block.next() >= end {
            break;
        }
    }
    Ok(None)
}

/// Compares a log with the last tree that was signed of it, hashing no more than it must.
pub fn verify_end(
    log: &dyn ReadLog,
    signed: &Checkpoint,
    kept: Option<&KeptHashes>,
) -> Result<(), VerifyError> {
    let (head, tree) = (log.head(), signed.tree);
    let found = if tree.size <= head.next { Some(log.chain_at(tree.size)?.root()) } else { None };
    if found == Some(tree.root) {
        return Ok(());
    }
    let known = kept.filter(|kept| vouches(&tree, kept));
    let parted = known.map(|kept| first_difference(kept, log, tree.size.min(head.next)));
    let at = match parted {
        Some(Ok(Some(position))) => Span::one(position),
        Some(Err(HashesError::Log(error))) if error.is_damage() => return Err(error.into()),
        _ if found.is_none() => {
            return Err(Flaw::CutShort { ends: head.next, size: tree.size }.into());
        }
        _ => Span { from: 0, to: tree.size },
    };
    let what = match found {
        Some(found) => format!("the root at {} is {found}, {} was signed", tree.size, tree.root),
        None => Flaw::CutShort { ends: head.next, size: tree.size }.to_string(),
    };
    Err(Flaw::Altered { at, what }.into())
}
