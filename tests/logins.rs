//! Every way to log in, tried with the program against real servers: the blocks of
//! `docs/security.md` as they stand there. Who is not let in learns which option to look at.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod cli;

use chl_nats_servers::{Accounts, Authority, Nkey, Servers};
use cli::{CHL, PARTNER};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The hosts that a server of the tests stands for.
const HOSTS: &[&str] = &["127.0.0.1", "localhost"];

/// What is said to the program, as options and variables.
#[derive(Debug, Clone, Default)]
struct Said {
    options: Vec<String>,
    variables: Vec<(&'static str, String)>,
}

impl Said {
    fn option(mut self, option: &str, value: impl AsRef<Path>) -> Self {
        self.options.push(format!("{option}={}", value.as_ref().display()));
        self
    }

    fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }
}

/// A server with a way to log in, and a folder for secrets and nodes.
struct Gate {
    servers: Servers,
    folder: tempfile::TempDir,
}

impl Gate {
    /// Starts a server with a block of the page; `change` makes its words those of this test.
    fn open(
        block: &str,
        folder: tempfile::TempDir,
        variables: &[(&str, &str)],
        change: impl Fn(String) -> String,
    ) -> Option<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::copy(root.join("docs/nats/one.conf"), folder.path().join("one.conf")).unwrap();
        let page = fs::read_to_string(root.join("docs/security.md")).unwrap();
        let (_, block) = page.split_once(&format!("<!-- run: {block} -->\n```\n")).unwrap();
        let (block, _) = block.split_once("```").unwrap();
        let block = block.replace("/etc/nats", &folder.path().display().to_string());
        let conf = folder.path().join("gate.conf");
        fs::write(&conf, format!("include ./one.conf\n{}", change(block))).unwrap();
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let servers = Servers::start_with(&conf, 1, &variables).unwrap()?;
        Some(Self { servers, folder })
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    fn command(&self, said: &Said, call: &[&str]) -> Command {
        let mut command = Command::new(CHL);
        command
            .arg(format!("--data={}", self.folder.path().join("node").display()))
            .arg(format!("--nats={}", self.servers.urls()[0]))
            .arg(format!("--nats-monitor={}", self.servers.monitors()[0]))
            .args(&said.options)
            .args(call)
            .env("LOGNAME", "tester")
            .env_remove("CHL_DATA")
            .envs(said.variables.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, said: &Said, call: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(said, call).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    fn actors(&self) -> String {
        self.file("actors.toml", "[svc]\nrole = \"service\"\n").display().to_string()
    }

    /// With the right secret all calls do what they are for, and the secret is nowhere to be seen.
    fn lets_in(&self, said: &Said, secrets: &[&str]) {
        let line = self.file("line", PARTNER).display().to_string();
        let (code, _, err) = self.run(said, &["submit", &line]);
        assert_eq!(code, Some(0), "{err}");
        let (code, out, err) = self.run(said, &["query", "partners"]);
        assert!(code == Some(0) && out.contains("p-1"), "{out}{err}");
        let (code, out, err) = self.run(said, &["log", "export"]);
        assert!(code == Some(0) && out.lines().count() > 1, "{out}{err}");
        let log = self.folder.path().join("said");
        let mut command = self.command(said, &["serve", "--actors", &self.actors()]);
        command.env("RUST_LOG", "trace").stdout(Stdio::null());
        command.stderr(fs::File::create(&log).unwrap());
        let mut serving = Serving(command.spawn().unwrap());
        let socket = self.folder.path().join("node/main@nats/socket");
        let began = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            let said = fs::read_to_string(&log).unwrap();
            assert!(began.elapsed() < Duration::from_secs(60), "it does not lead: {said}");
            std::thread::sleep(Duration::from_millis(50));
        }
        let seen = fs::read(format!("/proc/{}/cmdline", serving.0.id())).unwrap();
        let seen = String::from_utf8_lossy(&seen).into_owned();
        assert_eq!(serving.stop(), Some(0));
        let log = fs::read_to_string(&log).unwrap();
        assert!(log.contains("is served at"), "{log}");
        for secret in secrets {
            assert!(!seen.contains(secret) && !log.contains(secret), "{secret} is shown: {seen}");
        }
    }

    /// With a wrong one none of them does anything, and each says which option to look at.
    fn keeps_out(&self, said: &Said, code: i32, named: &str) {
        let actors = self.actors();
        let calls: [&[&str]; 4] = [
            &["serve", "--actors", &actors],
            &["query", "partners"],
            &["log", "export"],
            &["parked"],
        ];
        for call in calls {
            let (ended, out, err) = self.run(said, call);
            assert_eq!((ended, out.as_str()), (Some(code), ""), "{call:?}: {err}");
            assert!(err.contains(named), "{call:?} names no {named}: {err}");
            for (_, secret) in &said.variables {
                assert!(!err.contains(secret.as_str()), "{err}");
            }
        }
    }
}

struct Serving(Child);

impl Serving {
    fn stop(&mut self) -> Option<i32> {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.0.wait().unwrap().code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _already = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn unchanged(block: String) -> String {
    block
}

#[test]
fn a_user_has_a_password() {
    let right = "right-of-node";
    let variables = [("CHL_PASSWORD_NODE", right)];
    let Some(gate) = Gate::open("password", folder(), &variables, unchanged) else { return };
    let node = Said::default().option("--nats-user", "node");
    let file = gate.file("password", "right-of-node\n");
    gate.lets_in(&node.clone().variable("CHL_NATS_PASSWORD", right), &[right]);
    gate.lets_in(&node.clone().option("--nats-password-file", file), &[right]);
    let wrong = node.clone().variable("CHL_NATS_PASSWORD", "wrong-of-node");
    gate.keeps_out(&wrong, 5, "--nats-user node in with CHL_NATS_PASSWORD");
    let wrong = gate.file("wrong", "wrong-of-node");
    gate.keeps_out(&node.clone().option("--nats-password-file", wrong), 5, "--nats-password-file");
    gate.keeps_out(&node, 2, "CHL_NATS_PASSWORD");
    gate.keeps_out(&Said::default(), 5, "--nats-user");
    let named = node.clone().variable("CHL_NATS_PASSWORD", right);
    for inbox in ["INBOX.node", "_INBOX.*"] {
        gate.keeps_out(&named.clone().option("--nats-inbox", inbox), 2, "--nats-inbox");
    }
    let other = Said::default().option("--nats-user", "nobody");
    gate.keeps_out(&other.variable("CHL_NATS_PASSWORD", right), 5, "--nats-user nobody");
    let (code, _, err) = gate.run(
        &Said::default(),
        &["--nats", "nats://node:right-of-node@127.0.0.1:4222", "query", "partners"],
    );
    // The last of two values counts, or the second is refused: in neither case is it shown.
    assert!(code == Some(2) && !err.contains(right), "{err}");
}

#[test]
fn a_token_stands_in_a_file() {
    let right = "right-token-of-all";
    let variables = [("CHL_TOKEN", right)];
    let Some(gate) = Gate::open("token", folder(), &variables, unchanged) else { return };
    let token = |name, text| Said::default().option("--nats-token-file", gate.file(name, text));
    gate.lets_in(&token("right", "right-token-of-all\n"), &[right]);
    gate.keeps_out(&token("wrong", "wrong-token-of-all"), 5, "--nats-token-file");
    gate.keeps_out(&token("empty", ""), 2, "--nats-token-file");
    let nowhere = Said::default().option("--nats-token-file", "/nowhere");
    gate.keeps_out(&nowhere, 2, "--nats-token-file cannot be used: /nowhere");
}

#[test]
fn an_nkey_signs() {
    let (right, wrong) = (Nkey::user(), Nkey::user());
    let variables = [("CHL_NKEY_NODE", right.public.as_str())];
    let Some(gate) = Gate::open("nkey", folder(), &variables, unchanged) else { return };
    let nkey = |name, seed: &str| Said::default().option("--nats-nkey", gate.file(name, seed));
    gate.lets_in(&nkey("right", &right.seed), &[&right.seed]);
    gate.keeps_out(&nkey("wrong", &wrong.seed), 5, "--nats-nkey");
    gate.keeps_out(&nkey("no-seed", "SUNOSEED"), 5, "--nats-nkey");
}

#[test]
fn credentials_are_signed_by_the_account() {
    let (accounts, others) = (Accounts::new(), Accounts::new());
    let folder = folder();
    fs::write(folder.path().join("operator.jwt"), &accounts.operator).unwrap();
    let keyed = |block: String| {
        block
            .replace("SYSTEM_ACCOUNT_KEY", &accounts.system)
            .replace("SYSTEM_ACCOUNT_JWT", &accounts.system_jwt)
            .replace("LEDGER_ACCOUNT_KEY", &accounts.account)
            .replace("LEDGER_ACCOUNT_JWT", &accounts.account_jwt)
    };
    let Some(gate) = Gate::open("credentials", folder, &[], keyed) else { return };
    let creds = |name, text: &str| Said::default().option("--nats-creds", gate.file(name, text));
    let right = accounts.user("node");
    let secret = right.lines().find(|line| line.starts_with("SU")).unwrap();
    gate.lets_in(&creds("right", &right), &[secret]);
    gate.keeps_out(&creds("other", &others.user("node")), 5, "--nats-creds");
    gate.keeps_out(&creds("none", "no credentials"), 2, "--nats-creds");
    // Another user's seed under this one's JWT.
    let mixed = right.replace(secret, &Nkey::user().seed);
    gate.keeps_out(&creds("mixed", &mixed), 5, "--nats-creds");
}

#[test]
fn encryption_is_with_whom_an_authority_vouches_for() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ca").unwrap();
    ours.certify("server", HOSTS).unwrap();
    Authority::new(folder.path(), "others").unwrap();
    let Some(gate) = Gate::open("tls", folder, &[], unchanged) else { return };
    let trusts = |name: &str| {
        let path = gate.folder.path().join(name);
        Said::default().option("--nats-ca", path)
    };
    gate.lets_in(&trusts("ca.pem"), &[]);
    gate.keeps_out(&trusts("others.pem"), 5, "--nats-ca");
    gate.keeps_out(&Said::default(), 5, "--nats-ca");
    gate.keeps_out(&trusts("server.key"), 2, "--nats-ca");
    gate.keeps_out(&trusts("missing.pem"), 2, "--nats-ca");
}

#[test]
fn a_certificate_for_another_host_and_a_server_without_one_are_refused() {
    let elsewhere = folder();
    let ours = Authority::new(elsewhere.path(), "ca").unwrap();
    ours.certify("server", &["elsewhere.example"]).unwrap();
    let ca = elsewhere.path().join("ca.pem");
    let plain = folder();
    let Some(gate) = Gate::open("tls", elsewhere, &[], unchanged) else { return };
    let trusts = Said::default().option("--nats-ca", ca);
    gate.keeps_out(&trusts, 5, "--nats-ca");
    let variables = [("CHL_TOKEN", "a-token")];
    let Some(gate) = Gate::open("token", plain, &variables, unchanged) else { return };
    let trusts = trusts.option("--nats-token-file", gate.file("token", "a-token"));
    gate.keeps_out(&trusts, 5, "--nats-ca or --nats-cert asks for encryption");
}

#[test]
fn a_certificate_is_the_login() {
    let folder = folder();
    let ours = Authority::new(folder.path(), "ca").unwrap();
    ours.certify("server", HOSTS).unwrap();
    let [node, stranger] = ["node", "stranger"].map(|name| ours.certify(name, &[]).unwrap());
    let others = Authority::new(folder.path(), "others").unwrap();
    let forged = others.certify("forged", &[]).unwrap();
    let Some(gate) = Gate::open("mutual", folder, &[], unchanged) else { return };
    let trusts = Said::default().option("--nats-ca", gate.folder.path().join("ca.pem"));
    let with = |certificate: &Path, key: &Path| {
        trusts.clone().option("--nats-cert", certificate).option("--nats-key", key)
    };
    gate.lets_in(&with(&node.certificate, &node.key), &[]);
    gate.keeps_out(&with(&stranger.certificate, &stranger.key), 5, "--nats-cert");
    gate.keeps_out(&with(&forged.certificate, &forged.key), 5, "--nats-cert");
    gate.keeps_out(&with(&node.certificate, &stranger.key), 5, "--nats-key");
    gate.keeps_out(&with(&node.certificate, &node.certificate), 5, "--nats-key");
    gate.keeps_out(&trusts, 5, "--nats-cert and --nats-key");
}
