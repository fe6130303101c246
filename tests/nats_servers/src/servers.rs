//! One server, or three that keep their streams together.

use crate::{
    program::{Program, program, root},
    server::{Server, ServerError},
    ways::{Ways, without_gossip},
};
use std::{
    io,
    net::TcpListener,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// How often another set of ports is tried: somebody else may take one before the server does.
const ATTEMPTS: usize = 3;

/// Which of the shipped configuration files, and how many servers run with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One server that syncs every message: `docs/nats/one.conf`.
    One,
    /// Three servers that sync every message: `docs/nats/three.conf`.
    Three,
}

impl Shape {
    fn config(self) -> PathBuf {
        let name = match self {
            Self::One => "one.conf",
            Self::Three => "three.conf",
        };
        root().join("docs/nats").join(name)
    }

    fn servers(self) -> usize {
        match self {
            Self::One => 1,
            Self::Three => 3,
        }
    }
}

/// Servers that run until this is dropped, with stores in a folder that goes with it.
#[derive(Debug)]
pub struct Servers {
    servers: Vec<Server>,
    /// The ways between them, where one can be cut off.
    ways: Option<Ways>,
    _dir: TempDir,
}

/// How servers reach each other.
#[derive(Debug, Clone, Copy)]
enum Routing {
    Direct,
    Barrable,
}

impl Servers {
    /// Starts servers in a shape, and waits until they are ready; none where there is no program
    /// and the test is to be skipped.
    pub fn start(shape: Shape) -> Result<Option<Self>, ServerError> {
        Self::start_with(&shape.config(), shape.servers(), &[])
    }

    /// Starts three servers as shipped, of which one can be cut off from the others.
    pub fn start_barrable() -> Result<Option<Self>, ServerError> {
        let shape = Shape::Three;
        Self::started(&shape.config(), shape.servers(), &[], Routing::Barrable)
    }

    /// Starts `count` servers with a configuration file and further variables for it.
    pub fn start_with(
        config: &Path,
        count: usize,
        environment: &[(String, String)],
    ) -> Result<Option<Self>, ServerError> {
        Self::started(config, count, environment, Routing::Direct)
    }

    fn started(
        config: &Path,
        count: usize,
        environment: &[(String, String)],
        routing: Routing,
    ) -> Result<Option<Self>, ServerError> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let mut attempt = 1;
        loop {
            match Self::attempt(&program, config, count, environment, routing) {
                Err(ServerError::NotReady { .. }) if attempt < ATTEMPTS => attempt += 1,
                started => return started.map(Some),
            }
        }
    }

    fn attempt(
        program: &Program,
        config: &Path,
        count: usize,
        environment: &[(String, String)],
        routing: Routing,
    ) -> Result<Self, ServerError> {
        let dir = tempfile::tempdir().map_err(ServerError::io("making the servers' folder"))?;
        let ports = free_ports(3 * count).map_err(ServerError::io("finding free ports"))?;
        let (sets, _) = ports.as_chunks::<3>();
        let clusters: Vec<u16> = sets.iter().map(|[_, _, cluster]| *cluster).collect();
        let (config, ways) = match routing {
            Routing::Direct => (config.to_owned(), None),
            Routing::Barrable => {
                (without_gossip(config, dir.path())?, Some(Ways::between(&clusters)?))
            }
        };
        let mut servers = Vec::new();
        for (number, [client, monitor, cluster]) in sets.iter().enumerate() {
            let mut variables = environment.to_vec();
            for (to, port) in clusters.iter().enumerate() {
                let way = ways.as_ref().and_then(|ways| ways.url(number, to));
                let url = way.unwrap_or_else(|| format!("nats://127.0.0.1:{port}"));
                variables.push((format!("CHL_NATS_ROUTE_{}", to + 1), url));
            }
            let listen = format!("127.0.0.1:{cluster}");
            variables.push(("CHL_NATS_CLUSTER_LISTEN".to_owned(), listen));
            let name = format!("ledger-{}", number + 1);
            let dir = dir.path().join(&name);
            let ports = (*client, *monitor);
            servers.push(Server::new(program, &config, &dir, name, ports, variables));
        }
        let mut servers = Self { servers, ways, _dir: dir };
        servers.start_all()?;
        Ok(servers)
    }

    /// Starts those that do not run, and waits until all are ready.
    pub fn start_all(&mut self) -> Result<(), ServerError> {
        for server in self.servers.iter_mut().filter(|server| !server.is_running()) {
            server.start()?;
        }
        self.servers.iter_mut().try_for_each(Server::wait_until_ready)
    }

    /// Kills all of them at once.
    pub fn kill_all(&mut self) -> Result<(), ServerError> {
        self.servers.iter_mut().try_for_each(Server::kill)
    }

    /// Cuts a server off from the others, or lets it reach them again; its clients stay with it.
    ///
    /// # Panics
    ///
    /// When the servers were not started for it.
    pub fn cut_off(&self, number: usize, off: bool) {
        let ways = self.ways.as_ref().expect("these servers reach each other directly");
        ways.bar(number, off);
    }

    /// Where clients reach them.
    pub fn urls(&self) -> Vec<String> {
        self.servers.iter().map(Server::url).collect()
    }

    /// Where they show how they are.
    pub fn monitors(&self) -> Vec<String> {
        self.servers.iter().map(Server::monitor).collect()
    }

    /// The servers, one by one.
    pub fn each(&mut self) -> impl Iterator<Item = &mut Server> {
        self.servers.iter_mut()
    }

    /// The number of the server of a name, as they are counted by [`Servers::each`].
    pub fn position(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|server| server.name() == name)
    }

    /// The server of a name.
    pub fn named(&mut self, name: &str) -> Option<&mut Server> {
        self.servers.iter_mut().find(|server| server.name() == name)
    }
}

/// Ports that are free now, all different.
fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let held: Vec<TcpListener> =
        (0..count).map(|_| TcpListener::bind("127.0.0.1:0")).collect::<io::Result<_>>()?;
    held.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
