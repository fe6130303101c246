//! One server, or three that keep their streams together.

use crate::{
    program::{Program, program, root},
    server::{Server, ServerError},
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
    _dir: TempDir,
}

impl Servers {
    /// Starts servers in a shape, and waits until they are ready; none where there is no program
    /// and the test is to be skipped.
    pub fn start(shape: Shape) -> Result<Option<Self>, ServerError> {
        Self::start_with(&shape.config(), shape.servers(), &[])
    }

    /// Starts `count` servers with a configuration file and further variables for it.
    pub fn start_with(
        config: &Path,
        count: usize,
        environment: &[(String, String)],
    ) -> Result<Option<Self>, ServerError> {
        let Some(program) = program() else {
            return Ok(None);
        };
        let mut attempt = 1;
        loop {
            match Self::attempt(&program, config, count, environment) {
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
    ) -> Result<Self, ServerError> {
        let dir = tempfile::tempdir().map_err(ServerError::io("making the servers' folder"))?;
        let ports = free_ports(3 * count).map_err(ServerError::io("finding free ports"))?;
        let (sets, _) = ports.as_chunks::<3>();
        let mut routes = Vec::new();
        for (number, [_, _, cluster]) in (1..).zip(sets) {
            routes
                .push((format!("CHL_NATS_ROUTE_{number}"), format!("nats://127.0.0.1:{cluster}")));
        }
        let mut servers = Vec::new();
        for (number, [client, monitor, cluster]) in (1..).zip(sets) {
            let mut variables = [environment, &routes].concat();
            let listen = format!("127.0.0.1:{cluster}");
            variables.push(("CHL_NATS_CLUSTER_LISTEN".to_owned(), listen));
            let name = format!("ledger-{number}");
            let dir = dir.path().join(&name);
            let ports = (*client, *monitor);
            servers.push(Server::new(program, config, &dir, name, ports, variables));
        }
        let mut servers = Self { servers, _dir: dir };
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
