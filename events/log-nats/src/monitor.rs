//! What a server's monitoring page says of how it keeps its promises.

use crate::version::{self, TooOld};
use serde::Deserialize;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long a server may take to show its page.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any server's page has.
const MOST_BYTES: u64 = 1 << 20;

/// Whether what the servers acknowledge is on disk, as far as it can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// Every server that keeps the stream syncs each message before it acknowledges it.
    Always,
    /// A server acknowledges first and syncs later.
    Lazily,
    /// Not every server shows it.
    Unseen,
}

/// Says why a server's page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// The address is not one that can be read.
    #[error("{url}: not of the form http://HOST:PORT")]
    Address {
        /// The address.
        url: String,
    },
    /// The server was not reached, or broke off.
    #[error("{url}: {source}")]
    Io {
        /// The address.
        url: String,
        /// What failed.
        source: io::Error,
    },
    /// It does not answer with a page of this kind.
    #[error("{url}: no page of a server that keeps streams: {source}")]
    Page {
        /// The address.
        url: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It answers with a refusal.
    #[error("{url}: it answers {status:?}")]
    Status {
        /// The address.
        url: String,
        /// The first line of its answer.
        status: String,
    },
    /// The server is older than what holds its promises.
    #[error("{url}: {source}")]
    TooOld {
        /// The address.
        url: String,
        /// What its version is, and what is needed.
        source: TooOld,
    },
}

#[derive(Deserialize)]
struct Page {
    version: String,
    jetstream: Streams,
}

#[derive(Deserialize)]
struct Streams {
    config: StreamsConfig,
}

#[derive(Deserialize)]
struct StreamsConfig {
    #[serde(default)]
    sync_always: bool,
}

/// Reads one server's page: whether it syncs every message; an old server is an error.
pub(crate) async fn syncs_always(url: &str) -> Result<bool, MonitorError> {
    let host = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let host = host.filter(|host| host.contains(':') && !host.contains('/'));
    let host = host.ok_or_else(|| MonitorError::Address { url: url.to_owned() })?;
    let asked = match timeout(PATIENCE, get(host, "/varz")).await {
        Ok(asked) => asked,
        Err(late) => Err(late.into()),
    };
    let answer = asked.map_err(|source| MonitorError::Io { url: url.to_owned(), source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) != Some("200") {
        return Err(MonitorError::Status { url: url.to_owned(), status: status.to_owned() });
    }
    let page: Page = serde_json::from_str(body)
        .map_err(|source| MonitorError::Page { url: url.to_owned(), source })?;
    version::check(&page.version)
        .map_err(|source| MonitorError::TooOld { url: url.to_owned(), source })?;
    Ok(page.jetstream.config.sync_always)
}

/// Gets a page by HTTP 1.0, whose answers end with the connection.
async fn get(host: &str, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(host).await?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST_BYTES).read_to_string(&mut answer).await?;
    Ok(answer)
}
