//! Opens a ledger's stream: makes or checks it, and verifies what it holds.

use crate::{
    Connection, Fault, NatsLog, OpenError, Options, Synced,
    copy::{Copy, Found, SealedCopy},
    feed::{Feed, Message},
    index::Index,
    monitor::syncs_always,
    read::Shared,
    remote::{Patience, Remote},
    settings,
};
use async_nats::jetstream::{ErrorCode, stream::Info};
use chl_events::{Block, LedgerId};
use chl_log::{Chain, Head, ReadError};
use chl_log_files::root_at;
use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

const WITNESS: &str = "this node's witness";
const COPY: &str = "this node's copy";
/// How often a leader is asked again that knows less than this node.
const GLANCE: Duration = Duration::from_millis(200);

impl NatsLog {
    /// Opens the stream of a ledger, after checking its settings and all that this node has not
    /// seen of it before.
    ///
    /// A stream that is not there is made when the options say of which ledger; where several
    /// nodes do so at once, the first one's ledger counts for all. Nothing that exists is changed.
    pub fn open(connection: &Connection, options: &Options) -> Result<Self, OpenError> {
        connection.check_version()?;
        let node = options.copy.as_deref().map(Found::look).transpose()?;
        let seen = node.as_ref().and_then(Found::seen);
        let remote = Remote::new(connection, options)
            .map_err(|source| OpenError::Unreachable { stream: options.stream.clone(), source })?;
        let info = found(&remote, options, seen)?;
        settings::compare(options, &info.config)?;
        settings::payload(&options.stream, connection.client().max_payload())?;
        settings::whole(&options.stream, &info.state)?;
        let urls = options.monitors.clone();
        let shown = connection.wait(async move { look(&urls).await })??;
        let synced = durable(options, shown)?;
        let chain = Chain::new(ledger(&remote, &info, options)?);
        let opening = Opening { options, remote: &remote, seen };
        let mut sealed = match &node {
            Some(node) => node.open(chain)?,
            None => SealedCopy::empty(chain),
        };
        sealed.sequence = opening.compare(&sealed)?;
        let index = Index::new(sealed.chain.next(), sealed.sequence + 1);
        let files = sealed.files.clone();
        let shared = Arc::new(Shared::new(remote.clone(), sealed.chain.head(), index, files));
        let copy = node.map(|node| node.keep(options, &shared, &sealed)).transpose()?;
        let (chain, last) = (sealed.chain, sealed.sequence);
        let mut log =
            Self { shared, chain, last, voids: 0, synced, copy, following: None, wound: None };
        opening.catch_up(&mut log)?;
        log.copy.iter().for_each(Copy::believe);
        Ok(log)
    }
}

/// What the stream is compared with while it is opened.
struct Opening<'a> {
    options: &'a Options,
    remote: &'a Remote,
    /// Where this node's witness has seen the stream end.
    seen: Option<Head>,
}

impl Opening<'_> {
    fn read(&self, source: ReadError) -> OpenError {
        OpenError::Read { stream: self.options.stream.clone(), source }
    }

    fn below(&self, who: &'static str, seen: u64, found: u64) -> OpenError {
        OpenError::Below { stream: self.options.stream.clone(), who, seen, found }
    }

    fn forked(&self, who: &'static str, position: u64) -> OpenError {
        OpenError::Forked { stream: self.options.stream.clone(), who, position }
    }

    /// Refuses a stream that is of another ledger than this node's folder, shorter than its copy,
    /// or of another history than copy and witness; says which message the copy ends with.
    fn compare(&self, sealed: &SealedCopy) -> Result<u64, OpenError> {
        if let Some(seen) = self.seen {
            let (expected, found) = (seen.ledger, sealed.chain.ledger());
            if expected != found {
                let (stream, who) = (self.options.stream.clone(), WITNESS);
                return Err(OpenError::Ledger { stream, who, expected, found });
            }
            let root = root_at(&sealed.files, seen.next)?;
            if root.is_some_and(|root| root != seen.root) {
                return Err(self.forked(WITNESS, seen.next));
            }
        }
        let Some(file) = sealed.files.last() else {
            return Ok(0);
        };
        let end = file.next();
        let own = file.blocks(end.saturating_sub(1)).next().transpose()?;
        let (remote, blocks) = (self.remote.clone(), sealed.blocks);
        let asked = async move { remote.last_in_time(blocks).await };
        let last = self.remote.connection.wait(asked)?.map_err(|source| {
            OpenError::Unreachable { stream: self.options.stream.clone(), source }
        })?;
        if last < blocks {
            let held = (last > 0).then(|| message(self.remote, last));
            let found = held.and_then(Result::ok).map_or(0, |block| block.next());
            return Err(self.below(COPY, end, found));
        }
        // There are at least as many messages as blocks; void and foreign ones make it more.
        let found = self.read_on(blocks, last, end).map_err(|source| self.read(source))?;
        for (sequence, message) in (blocks..).zip(found) {
            if let Message::Block(block) = message.map_err(|source| self.read(source))?
                && own.as_ref() == Some(&block)
            {
                return Ok(sequence);
            }
        }
        Err(self.forked(COPY, end))
    }

    fn read_on(&self, from: u64, to: u64, position: u64) -> Result<Feed, ReadError> {
        Feed::open(self.remote, from, to, position, BTreeSet::new())
    }

    /// Reads what is not in the copy, and compares it with what the witness has seen.
    fn catch_up(&self, log: &mut NatsLog) -> Result<(), OpenError> {
        let mut forked = None;
        let since = Instant::now();
        loop {
            let compare = |head: Head| match self.seen {
                Some(seen) if seen.next == head.next && seen.root != head.root => {
                    forked = Some(seen.next);
                }
                _ => {}
            };
            log.catch_up(compare).map_err(|source| self.read(source))?;
            if let Some(position) = forked {
                return Err(self.forked(WITNESS, position));
            }
            let (seen, found) = (self.seen.map_or(0, |seen| seen.next), log.chain.next());
            if seen <= found {
                return Ok(());
            }
            // A leader that was deposed and does not know it yet may know less than this node.
            if self.options.replicas == 1 || since.elapsed() >= self.options.patience {
                return Err(self.below(WITNESS, seen, found));
            }
            std::thread::sleep(GLANCE);
        }
    }
}

/// Finds the stream, or makes it, unless this node has seen one: that one is lost.
fn found(remote: &Remote, options: &Options, seen: Option<Head>) -> Result<Info, OpenError> {
    let (asked, mut with) = (remote.clone(), options.clone());
    if let Some(seen) = seen {
        with.create = with.create.filter(|_| seen.next == 0).map(|_| seen.ledger);
    }
    let found = remote.connection.wait(async move { find(&asked, &with).await })?;
    match (found, seen) {
        (Err(OpenError::NotFound { stream }), Some(seen)) if seen.next > 0 => {
            Err(OpenError::Below { stream, who: WITNESS, seen: seen.next, found: 0 })
        }
        (found, _) => found,
    }
}

/// Finds the stream, or makes it; asks again while its servers elect who answers.
async fn find(remote: &Remote, options: &Options) -> Result<Info, OpenError> {
    let mut patience = Patience::new(options.patience);
    loop {
        let fault = match remote.info().await {
            Ok(info) => return Ok(info),
            Err(fault) if fault.code() == Some(ErrorCode::STREAM_NOT_FOUND) => {
                let Some(ledger) = options.create else {
                    return Err(OpenError::NotFound { stream: options.stream.clone() });
                };
                match remote.create(&settings::wanted(options, ledger)).await {
                    // What the servers made of it is read back: old ones drop what they do not
                    // know. One that somebody else has just made is looked at as it is.
                    Ok(_) => continue,
                    Err(fault) if fault.code() == Some(ErrorCode::STREAM_NAME_EXIST) => continue,
                    Err(fault) => fault,
                }
            }
            Err(fault) => fault,
        };
        let hopeless = matches!(fault, Fault::Forbidden(_));
        if hopeless || !patience.again().await {
            return Err(OpenError::Unreachable { stream: options.stream.clone(), source: fault });
        }
    }
}

/// Reads the servers' pages: how many were seen to sync every message, and whether one does not.
async fn look(urls: &[String]) -> Result<(usize, bool), OpenError> {
    let (mut always, mut lazily) = (0, false);
    for url in urls {
        match syncs_always(url).await {
            Ok(true) => always += 1,
            Ok(false) => lazily = true,
            // One of several servers may be down; what it would say is not seen.
            Err(error @ crate::MonitorError::Io { .. }) => tracing::warn!(%error, "not seen"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok((always, lazily))
}

/// Decides whether what is acknowledged may be called durable.
fn durable(options: &Options, (always, lazily): (usize, bool)) -> Result<Synced, OpenError> {
    let synced = if lazily {
        Synced::Lazily
    } else if always >= options.replicas {
        Synced::Always
    } else {
        Synced::Unseen
    };
    let refused = |why: &str| {
        Err(OpenError::NotDurable { stream: options.stream.clone(), why: why.to_owned() })
    };
    match synced {
        Synced::Always => Ok(synced),
        Synced::Lazily | Synced::Unseen if options.accept_unsynced => Ok(synced),
        Synced::Lazily => refused("a server acknowledges messages before it syncs them"),
        Synced::Unseen if options.replicas == 1 => {
            refused("its only server does not show whether it syncs messages")
        }
        Synced::Unseen => {
            tracing::warn!("not every server shows whether it syncs messages");
            Ok(synced)
        }
    }
}

/// Whose ledger the stream is: its first block says so; an empty one, its settings, and last
/// whoever opens it.
fn ledger(remote: &Remote, info: &Info, options: &Options) -> Result<LedgerId, OpenError> {
    let stream = &options.stream;
    let said = settings::ledger_of(&info.config);
    let begun = info.state.last_sequence > 0;
    let first = begun.then(|| message(remote, 1)).transpose();
    let first = first.map_err(|source| OpenError::Read { stream: stream.clone(), source })?;
    let found = match (first.map(|block| block.ledger()), options.create) {
        (Some(found), _) => found,
        (None, Some(proposed)) => match said.map(parse) {
            Some(made) => made.unwrap_or(proposed),
            None => proposed,
        },
        (None, None) => match said.and_then(parse) {
            Some(made) => made,
            None => return Err(OpenError::NotFound { stream: stream.clone() }),
        },
    };
    match said {
        Some(said) if parse(said) != Some(found) => {
            let expected = parse(said).unwrap_or(LedgerId([0; 16]));
            let who = "its own description";
            Err(OpenError::Ledger { stream: stream.clone(), who, expected, found })
        }
        _ => Ok(found),
    }
}

fn parse(text: &str) -> Option<LedgerId> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(LedgerId(number.to_be_bytes()))
}

/// The block of one message.
fn message(remote: &Remote, sequence: u64) -> Result<Block, ReadError> {
    let feed = Feed::open(remote, sequence, sequence, 0, BTreeSet::new())?;
    feed.blocks(0).next().unwrap_or(Err(ReadError::Gap { position: 0 }))
}
