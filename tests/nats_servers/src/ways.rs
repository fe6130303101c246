//! The ways between servers of a cluster, so that one can be cut off from the others.

use crate::{proxy::Proxy, server::ServerError};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where nobody listens: servers tell each other of this address instead of their own.
const NOWHERE: &str = "127.0.0.1:9";

/// One way from each server to each other one.
#[derive(Debug)]
pub(crate) struct Ways(Vec<Way>);

#[derive(Debug)]
struct Way {
    from: usize,
    to: usize,
    proxy: Proxy,
}

impl Ways {
    /// Opens the ways between servers that listen for each other on these ports.
    pub(crate) fn between(ports: &[u16]) -> Result<Self, ServerError> {
        let mut ways = Vec::new();
        for from in 0..ports.len() {
            for (to, port) in ports.iter().enumerate().filter(|(to, _)| *to != from) {
                let proxy = Proxy::to_address(format!("127.0.0.1:{port}"))?;
                ways.push(Way { from, to, proxy });
            }
        }
        Ok(Self(ways))
    }

    /// Where one server reaches another; none for itself.
    pub(crate) fn url(&self, from: usize, to: usize) -> Option<String> {
        let way = self.0.iter().find(|way| way.from == from && way.to == to);
        way.map(|way| way.proxy.url())
    }

    /// Bars all ways from and to a server, or opens them again.
    pub(crate) fn bar(&self, server: usize, barred: bool) {
        for way in self.0.iter().filter(|way| way.from == server || way.to == server) {
            way.proxy.bar(barred);
        }
    }
}

/// Copies a cluster's configuration file, so that servers connect as it says and not, past it, as
/// they hear of each other.
pub(crate) fn without_gossip(config: &Path, dir: &Path) -> Result<PathBuf, ServerError> {
    let shipped = fs::read_to_string(config).map_err(ServerError::io("reading a configuration"))?;
    let copy = shipped.replace("cluster {", &format!("cluster {{\n  advertise: \"{NOWHERE}\""));
    let path = dir.join("without-gossip.conf");
    fs::write(&path, copy).map_err(ServerError::io("writing a configuration"))?;
    Ok(path)
}
