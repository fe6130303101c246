//! Opens a ledger's stream: makes or checks it, and verifies what it holds.

use crate::{
    Connection, Fault, NatsLog, OpenError, Options, Synced,
    index::Index,
    monitor::syncs_always,
    read::Shared,
    remote::{Patience, Remote},
    settings,
};
use async_nats::jetstream::{ErrorCode, stream::Info};
use chl_events::{Block, LedgerId};
use chl_log::{Chain, ReadError};
use std::sync::Arc;

impl NatsLog {
    /// Opens the stream of a ledger, after checking its settings and all that this node has not
    /// seen of it before.
    ///
    /// A stream that is not there is made when the options say of which ledger; where several
    /// nodes do so at once, the first one's ledger counts for all. Nothing that exists is changed.
    pub fn open(connection: &Connection, options: &Options) -> Result<Self, OpenError> {
        connection.check_version()?;
        let unreachable =
            |source| OpenError::Unreachable { stream: options.stream.clone(), source };
        let remote = Remote::new(connection, options).map_err(unreachable)?;
        let (asked, with) = (remote.clone(), options.clone());
        let found = connection.wait(async move { find(&asked, &with).await })?;
        let info = found?;
        settings::compare(options, &info.config)?;
        settings::payload(&options.stream, connection.client().max_payload())?;
        settings::whole(&options.stream, &info.state)?;
        let urls = options.monitors.clone();
        let seen = connection.wait(async move { look(&urls).await })??;
        let synced = durable(options, seen)?;
        let chain = Chain::new(ledger(&remote, &info, options)?);
        let index = Index::new(chain.next(), 1);
        let shared = Arc::new(Shared::new(remote, chain.head(), index, Vec::new()));
        let mut log = Self { shared, chain, last: 0, synced, wound: None };
        log.catch_up()
            .map_err(|source| OpenError::Read { stream: options.stream.clone(), source })?;
        Ok(log)
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
    let first =
        if info.state.last_sequence > 0 { Some(first_block(remote, stream)?) } else { None };
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

fn first_block(remote: &Remote, stream: &str) -> Result<Block, OpenError> {
    let read = |source| OpenError::Read { stream: stream.to_owned(), source };
    let mut feed = crate::feed::Feed::open(remote, 1, 1, 0).map_err(read)?;
    feed.next().unwrap_or(Err(ReadError::Gap { position: 0 })).map_err(read)
}
