//! A node: `chl serve --nats` in a folder of its own.

use chl_nats_servers::Servers;
use serde_json::Value;
use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const CHL: &str = env!("CARGO_BIN_EXE_chl");
const ACTORS: &str = r#"
[svc]
role = "service"
sources = ["/svc"]

[tester]
role = "operator"
sources = "any"

[svc-portal]
role = "service"

[p-1-app]
role = "partner"
partner = "p-1"
"#;

/// A node, which may run or not.
pub(crate) struct Node {
    dir: PathBuf,
    options: Vec<String>,
    of_serve: Vec<String>,
    password: Option<String>,
    http: Option<String>,
    process: Option<Child>,
}

impl Node {
    /// A node that does not run yet.
    pub(crate) fn new(dir: &Path, servers: &Servers, replicas: usize) -> Self {
        fs::create_dir_all(dir).unwrap();
        let options = vec![
            format!("--data={}", dir.display()),
            format!("--nats={}", servers.urls().join(",")),
            format!("--nats-monitor={}", servers.monitors().join(",")),
            format!("--nats-replicas={replicas}"),
        ];
        let of_serve = Vec::new();
        Self { dir: dir.to_owned(), options, of_serve, password: None, http: None, process: None }
    }

    /// The same node, which reaches its servers as a user.
    pub(crate) fn known_as(mut self, user: &str, password: &str) -> Self {
        self.options.push(format!("--nats-user={user}"));
        self.password = Some(password.to_owned());
        self
    }

    /// The same node, which serves these ledgers.
    pub(crate) fn serving(mut self, ledgers: &[&str]) -> Self {
        self.options.extend(ledgers.iter().map(|ledger| format!("--ledger={ledger}")));
        self
    }

    /// The same node, with another option of `chl serve`.
    pub(crate) fn with(mut self, option: String) -> Self {
        self.of_serve.push(option);
        self
    }

    /// The same node, which answers monitors.
    pub(crate) fn watched(mut self) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        self.http = Some(free.local_addr().unwrap().to_string());
        self
    }

    /// Its settings as variables of the environment.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let variable = |option: &String| {
            let (name, value) = option.trim_start_matches("--").split_once('=').unwrap();
            (format!("CHL_{}", name.replace('-', "_").to_uppercase()), value.to_owned())
        };
        let http = self.http.iter().map(|address| ("CHL_HTTP".to_owned(), address.clone()));
        self.options.iter().map(variable).chain(http).collect()
    }

    fn command(&self, call: &[&str]) -> Command {
        let mut command = Command::new(CHL);
        command.args(&self.options).args(call).env("LOGNAME", "tester").env_remove("CHL_DATA");
        command.envs(self.password.iter().map(|password| ("CHL_NATS_PASSWORD", password)));
        command
    }

    /// Starts it.
    pub(crate) fn start(&mut self) {
        let actors = self.dir.join("actors.toml");
        fs::write(&actors, ACTORS).unwrap();
        let log = File::options().create(true).append(true).open(self.dir.join("said")).unwrap();
        let mut command = self.command(&["serve", "--actors", &actors.display().to_string()]);
        command.args(&self.of_serve);
        command.args(self.http.iter().flat_map(|address| ["--http", address]));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(command.spawn().unwrap());
    }

    /// Starts it again where it has ended; says whether it had.
    pub(crate) fn start_again(&mut self) -> bool {
        let ended =
            self.process.as_mut().is_none_or(|process| process.try_wait().unwrap().is_some());
        if ended {
            self.start();
        }
        ended
    }

    /// Whether it was started and not ended since.
    pub(crate) fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Whether it takes commands: its socket is there only then.
    pub(crate) fn leads(&self) -> bool {
        self.leads_ledger("main")
    }

    /// The same of one of its ledgers.
    pub(crate) fn leads_ledger(&self, ledger: &str) -> bool {
        let socket = self.dir.join(format!("{ledger}@nats/socket"));
        self.process.is_some() && std::os::unix::net::UnixStream::connect(socket).is_ok()
    }

    /// Waits until it takes commands.
    pub(crate) fn wait_until_it_leads(&self) {
        let began = Instant::now();
        while !self.leads() {
            assert!(began.elapsed() < Duration::from_secs(60), "{}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Starts it again whenever it ends, as a supervisor does, until it takes commands.
    pub(crate) fn supervise_until_it_leads(&mut self) {
        let began = Instant::now();
        while !self.leads() {
            assert!(began.elapsed() < Duration::from_secs(120), "{}", self.said());
            self.start_again();
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let Some(process) = &self.process else { return };
        let sent = Command::new("kill").args([name, &process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Tells it to stop and gives its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.process.take()?.wait().unwrap().code()
    }

    /// What it says of its ledger to monitors; null where it does not answer.
    pub(crate) fn health(&self) -> Value {
        let at = format!("http://{}/health/ready", self.http.as_deref().unwrap());
        let asked = Command::new("curl").args(["-s", &at]).output().unwrap();
        serde_json::from_slice(&asked.stdout).unwrap_or_default()
    }

    /// Waits until it ends by itself, and gives its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.process.take()?.wait().unwrap().code()
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.dir.join("said")).unwrap_or_default()
    }

    /// Calls the program on this node's folder while the node does not run.
    pub(crate) fn ask(&self, call: &[&str]) -> Vec<Value> {
        let lines = String::from_utf8(self.ask_raw(call)).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The same, however it ends.
    pub(crate) fn call(&self, call: &[&str]) -> Output {
        self.command(call).output().unwrap()
    }

    /// The same, as the bytes that were written.
    pub(crate) fn ask_raw(&self, call: &[&str]) -> Vec<u8> {
        let output = self.call(call);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{call:?}: {said}\n{}", self.said());
        output.stdout
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
