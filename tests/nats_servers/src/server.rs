//! One server: a process that is started, ended, paused, and started again on the same store.

use crate::program::Program;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// How long a server may take until it is ready, or gone after it was asked to go.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(20);
/// The last of what a server said that an error repeats.
const TAIL_BYTES: usize = 2000;

/// Says why a server could not be started or ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The system failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What failed.
        source: io::Error,
    },
    /// It ended, or did not become ready in time.
    #[error("server {name} is not ready; it said last:\n{tail}")]
    NotReady {
        /// Its name.
        name: String,
        /// The end of its log.
        tail: String,
    },
    /// It did not end in time.
    #[error("server {name} did not end")]
    NotEnded {
        /// Its name.
        name: String,
    },
}

impl ServerError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// A server with a store of its own, which outlives its process.
#[derive(Debug)]
pub struct Server {
    program: Program,
    config: PathBuf,
    dir: PathBuf,
    name: String,
    client: String,
    monitor: String,
    environment: Vec<(String, String)>,
    process: Option<Child>,
}

impl Server {
    pub(crate) fn new(
        program: &Program,
        config: &Path,
        dir: &Path,
        name: String,
        (client, monitor): (u16, u16),
        mut environment: Vec<(String, String)>,
    ) -> Self {
        let (client, monitor) = (format!("127.0.0.1:{client}"), format!("127.0.0.1:{monitor}"));
        let store = dir.join("store").display().to_string();
        for (variable, value) in [
            ("CHL_NATS_NAME", &name),
            ("CHL_NATS_LISTEN", &client),
            ("CHL_NATS_MONITOR", &monitor),
            ("CHL_NATS_STORE", &store),
        ] {
            environment.push((variable.to_owned(), value.clone()));
        }
        let (program, config, dir) = (program.clone(), config.to_owned(), dir.to_owned());
        Self { program, config, dir, name, client, monitor, environment, process: None }
    }

    /// Its name in its cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where clients reach it.
    pub fn url(&self) -> String {
        format!("nats://{}", self.client)
    }

    pub(crate) fn address(&self) -> &str {
        &self.client
    }

    /// Where it shows how it is.
    pub fn monitor(&self) -> String {
        format!("http://{}", self.monitor)
    }

    /// Whether its process runs.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Starts its process, on the store that is there; [`Server::wait_until_ready`] comes next.
    pub fn start(&mut self) -> Result<(), ServerError> {
        fs::create_dir_all(&self.dir).map_err(ServerError::io("making a server's folder"))?;
        let log = File::options().create(true).append(true).open(self.log());
        let log = log.map_err(ServerError::io("opening a server's log"))?;
        let mut command = Command::new(&self.program.path);
        command.arg("-c").arg(&self.config).envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = command.spawn().map_err(ServerError::io("starting nats-server"))?;
        self.process = Some(process);
        Ok(())
    }

    /// Waits until it takes clients and its streams are at hand.
    pub fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if self.greets() && self.is_healthy() {
                return Ok(());
            }
            let ended = self.process.as_mut().and_then(|process| process.try_wait().ok().flatten());
            if ended.is_some() {
                self.process = None;
                break;
            }
            std::thread::sleep(GLANCE);
        }
        Err(ServerError::NotReady { name: self.name.clone(), tail: self.tail() })
    }

    /// Kills it as a crash does (SIGKILL); what it had not written is lost.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        let killed = process.kill().and_then(|()| process.wait());
        killed.map(|_| ()).map_err(ServerError::io(format!("killing server {}", self.name)))
    }

    /// Kills it and takes its disk away: it starts again as an empty one.
    pub fn lose(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        fs::remove_dir_all(self.store())
            .map_err(ServerError::io(format!("losing the store of {}", self.name)))
    }

    /// The folder of its streams.
    pub fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    /// Asks it to go (SIGTERM) and waits until it has: it hands over what it leads.
    pub fn terminate(&mut self) -> Result<(), ServerError> {
        let Some(process) = &mut self.process else {
            return Ok(());
        };
        signal(process, Signal::TERM)
            .map_err(ServerError::io(format!("ending server {}", self.name)))?;
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if matches!(process.try_wait(), Ok(Some(_))) {
                self.process = None;
                return Ok(());
            }
            std::thread::sleep(GLANCE);
        }
        Err(ServerError::NotEnded { name: self.name.clone() })
    }

    /// Stops it where it is (SIGSTOP); it keeps its connections and answers nothing.
    pub fn pause(&self) -> Result<(), ServerError> {
        self.send(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    pub fn resume(&self) -> Result<(), ServerError> {
        self.send(Signal::CONT)
    }

    fn send(&self, what: Signal) -> Result<(), ServerError> {
        let sent = self.process.as_ref().map_or(Ok(()), |process| signal(process, what));
        sent.map_err(ServerError::io(format!("signalling server {}", self.name)))
    }

    /// Whether it says INFO to a client.
    fn greets(&self) -> bool {
        let Ok(stream) = self.connect(&self.client) else {
            return false;
        };
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO ")
    }

    fn is_healthy(&self) -> bool {
        let ask = || {
            let mut stream = self.connect(&self.monitor)?;
            stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            io::Result::Ok(answer.starts_with("HTTP/1.0 200 "))
        };
        ask().unwrap_or(false)
    }

    fn connect(&self, to: &str) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(to)?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        Ok(stream)
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    fn tail(&self) -> String {
        let log = fs::read(self.log()).unwrap_or_default();
        let from = log.len().saturating_sub(TAIL_BYTES);
        String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned()
    }
}

fn signal(process: &Child, what: Signal) -> io::Result<()> {
    let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("a process without an id"))?;
    Ok(kill_process(pid, what)?)
}

impl Drop for Server {
    fn drop(&mut self) {
        // The store goes with the test; a paused process dies of this too.
        let _killed = self.kill();
    }
}
