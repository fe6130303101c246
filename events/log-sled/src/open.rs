//! Opens a ledger: finds what a crash left, checks what is there, and refuses what is damaged.

use crate::{
    OpenError, Options, SledLog,
    head::Head,
    keeper::{Keeper, Sealing, Upkeep},
    layout::{Layout, Phase},
    plan::Plan,
    read::{HeadPart, Shared},
};
use chl_events::{Hash, LedgerId};
use chl_log::{Chain, Head as LogHead};
use chl_log_files::{
    OwnerLock, SealedFile, Witness, WitnessError, create_dir, create_dir_with_parents, root_at,
    sync_dir,
};
use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex},
};

/// A head with the history in it.
struct OpenHead {
    head: Head,
    before: Chain,
    after: Chain,
}

impl SledLog {
    /// Opens the ledger in a folder, as its owner, after checking all of its head and the seams of
    /// its sealed files.
    ///
    /// What a crash left of unfinished steps is removed or finished; what is damaged is refused
    /// and left as it is.
    pub fn open(dir: &Path, options: Options) -> Result<Self, OpenError> {
        if !dir.is_dir() {
            if options.create.is_none() {
                return Err(OpenError::NotFound { dir: dir.to_owned() });
            }
            create_dir_with_parents(dir).map_err(OpenError::io(dir))?;
        }
        let lock = OwnerLock::take(dir)?;
        let layout = Layout::new(dir);
        if Plan::exists(&layout) {
            return Err(OpenError::Repairing { dir: dir.to_owned() });
        }
        let mut witness = open_witness(&layout, &options)?;
        layout.sweep().map_err(OpenError::io(dir))?;
        // A file or folder may have got its name just before a kill: before anything else is given
        // up for its sake, the name is made durable.
        sync_dir(&layout.sealed_dir()).and_then(|()| sync_dir(dir)).map_err(OpenError::io(dir))?;
        let mark = witness.last().head;
        let (sealed, chain) = open_sealed(&layout, mark.ledger)?;
        let heads = open_heads(&layout, &options, &sealed, chain.clone(), mark)?;
        let chain = heads.back().map_or(chain, |last| last.after.clone());
        compare(&options, mark, &chain)?;
        compare_root(mark, &sealed, &heads)?;
        if mark.next < chain.next() {
            witness.record(chain.head())?;
        }
        witness.sync()?;
        Self::assemble(layout, options, lock, witness, sealed, heads)
    }

    fn assemble(
        layout: Layout,
        options: Options,
        lock: OwnerLock,
        witness: Witness,
        sealed: Vec<Arc<SealedFile>>,
        mut heads: VecDeque<OpenHead>,
    ) -> Result<Self, OpenError> {
        let missing = OpenError::HeadMissing { dir: layout.dir().to_owned(), position: 0 };
        let newest = heads.pop_back().ok_or(missing)?;
        let mut parts = Vec::new();
        let mut to_seal = Vec::new();
        for OpenHead { head, before, after } in heads {
            let head = Arc::new(head);
            parts.push(HeadPart { first: before.next(), head: Arc::clone(&head) });
            to_seal.push(Sealing { head, before, after });
        }
        let OpenHead { head, before, after } = newest;
        let head = Arc::new(head);
        parts.push(HeadPart { first: before.next(), head: Arc::clone(&head) });
        let shared = Arc::new(Shared::new(after.head(), sealed, parts));
        let witness = Arc::new(Mutex::new(witness));
        let upkeep = Upkeep {
            layout: layout.clone(),
            options: options.clone(),
            shared: Arc::clone(&shared),
            witness: Arc::clone(&witness),
        };
        let keeper = Keeper::start(upkeep, head.number()).map_err(OpenError::io(layout.dir()))?;
        for sealing in to_seal {
            keeper.seal(sealing);
        }
        Ok(Self {
            options,
            shared,
            witness,
            keeper,
            head,
            head_before: before,
            settled: after.next(),
            chain: after,
            wound: None,
            _lock: lock,
        })
    }
}

/// Opens the witness; where there is nothing at all, a new ledger begins with it.
fn open_witness(layout: &Layout, options: &Options) -> Result<Witness, OpenError> {
    let missing = match Witness::open(&layout.witness()) {
        Ok(witness) => return Ok(witness),
        Err(error @ WitnessError::Missing { .. }) => error,
        Err(error @ (WitnessError::Damaged { .. } | WitnessError::Io { .. })) => {
            return Err(error.into());
        }
    };
    let io = OpenError::io(layout.dir());
    let heads = layout.heads(Phase::Head).map_err(&io)?;
    if !heads.is_empty() || !layout.sealed_files().map_err(&io)?.is_empty() {
        return Err(missing.into());
    }
    let Some(ledger) = options.create else {
        return Err(OpenError::NotFound { dir: layout.dir().to_owned() });
    };
    create_dir(&layout.sealed_dir()).map_err(&io)?;
    Ok(Witness::create(&layout.witness(), Chain::new(ledger).head(), 0)?)
}

/// Opens the sealed files and checks that each goes on where the one before it ended.
pub(crate) fn open_sealed(
    layout: &Layout,
    ledger: LedgerId,
) -> Result<(Vec<Arc<SealedFile>>, Chain), OpenError> {
    Ok(layout.sealed_folder().open(ledger)?)
}

/// Opens the heads behind the sealed history, checks every block and root in them, and gives up
/// those that are sealed already.
fn open_heads(
    layout: &Layout,
    options: &Options,
    sealed: &[Arc<SealedFile>],
    mut chain: Chain,
    mark: LogHead,
) -> Result<VecDeque<OpenHead>, OpenError> {
    let io = OpenError::io(layout.dir());
    let mut heads = VecDeque::new();
    for number in layout.heads(Phase::Head).map_err(&io)? {
        let head = Head::open(&layout.head(Phase::Head, number), number)?;
        if let Some(first) = head.first()?
            && sealed.iter().any(|file| file.first() == first)
        {
            head.retire(layout, options)?;
            continue;
        }
        let before = chain.clone();
        chain = head.verify(chain)?;
        heads.push_back(OpenHead { head, before, after: chain.clone() });
    }
    if heads.is_empty() {
        // Only a ledger that holds nothing yet has no head: from then on there always is one.
        if chain.next() > 0 || mark.next > 0 {
            let position = chain.next();
            return Err(OpenError::HeadMissing { dir: layout.dir().to_owned(), position });
        }
        let head = Head::make(layout, 1, options)?;
        heads.push_back(OpenHead { head, before: chain.clone(), after: chain });
    }
    Ok(heads)
}

/// Refuses a log that ends before something durable has seen it end.
fn compare(options: &Options, mark: LogHead, chain: &Chain) -> Result<(), OpenError> {
    let witness = (mark.next, "the witness");
    let seen = options.seen.iter().map(|seen| (seen.position, seen.what.as_str()));
    let furthest = seen.chain([witness]).max_by_key(|(position, _)| *position);
    match furthest {
        Some((position, what)) if position > chain.next() => {
            Err(OpenError::Below { what: what.to_owned(), position, head: chain.next() })
        }
        _ => Ok(()),
    }
}

/// Refuses a log whose root, where the witness stands, is not the one it has seen.
fn compare_root(
    mark: LogHead,
    sealed: &[Arc<SealedFile>],
    heads: &VecDeque<OpenHead>,
) -> Result<(), OpenError> {
    let ends = heads.iter().map(|part| part.after.head());
    let mut known: Option<Hash> =
        ends.filter(|head| head.next == mark.next).map(|head| head.root).next();
    for part in heads {
        if known.is_none() {
            known = part.head.root_before(mark.next);
        }
    }
    if known.is_none() {
        known = root_at(sealed, mark.next)?;
    }
    match known {
        Some(found) if found != mark.root => {
            Err(OpenError::Forked { position: mark.next, expected: mark.root, found })
        }
        _ => Ok(()),
    }
}

impl Head {
    /// The root before a position, where a block begins there.
    fn root_before(&self, position: u64) -> Option<Hash> {
        let blocks = self.scan(position, position.saturating_add(1), 1);
        let block = blocks.first().filter(|block| block.first() == position);
        block.map(chl_events::Block::root_before)
    }
}
