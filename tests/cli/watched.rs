//! A served ledger with a door on HTTP, and calls to it.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::Desk;
use chl_bus::TokenDigest;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// A list of actors in which each has a token of its own name behind `token-`.
pub(crate) const CALLERS: &[(&str, &str)] = &[
    ("ops", "role = \"operator\"\nsources = \"any\""),
    ("svc", "role = \"service\"\nsources = [\"/svc\"]"),
    ("slow", "role = \"service\"\nper_second = 1"),
    ("ana", "role = \"analyst\""),
    ("cm", "role = \"channel_manager\"\nlevel = 9"),
    ("p-1-app", "role = \"partner\"\npartner = \"p-1\""),
    ("p-2-app", "role = \"partner\"\npartner = \"p-2\""),
];

/// A running `chl serve --http` of which all that it says is kept.
pub(crate) struct Watched {
    process: Child,
    said: PathBuf,
    /// Where it listens.
    pub(crate) address: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Reply {
    /// The document it holds.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// One event of a stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

impl Watched {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(desk: &Desk, options: &[String], environment: &[(&str, &str)]) -> Self {
        let said = desk.path("said");
        let mut command = desk.command(&["serve", "--http", "127.0.0.1:0"]);
        command.args(options).envs(environment.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.stderr(File::create(&said).unwrap()).spawn().unwrap();
        let mut watched = Self { process, said, address: String::new() };
        watched.address = watched.wait(|said| {
            let from = said.split("http://").nth(1)?;
            let end = from.find(|c: char| c != '.' && c != ':' && !c.is_ascii_digit())?;
            Some(from[..end].to_owned())
        });
        watched
    }

    /// Starts it with the list of callers, and waits until it is ready.
    pub(crate) fn for_callers(desk: &Desk) -> Self {
        Self::for_callers_with(desk, &[])
    }

    /// Starts it with the list of callers and more options, and waits until it is ready.
    pub(crate) fn for_callers_with(desk: &Desk, options: &[String]) -> Self {
        let entry = |(name, what): &(&str, &str)| {
            let digest = TokenDigest::of(&format!("token-{name}"));
            format!("[{name}]\n{what}\ntokens = [\"{digest}\"]\n\n")
        };
        let actors = desk.path("actors.toml");
        fs::write(&actors, CALLERS.iter().map(entry).collect::<String>()).unwrap();
        let list = ["--actors".to_owned(), actors.display().to_string()];
        Self::start(desk, &[&list, options].concat(), &[]).ready()
    }

    /// All that it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.said).unwrap()
    }

    /// Waits until what it has said holds something.
    pub(crate) fn wait<T>(&self, found: impl Fn(&str) -> Option<T>) -> T {
        wait_until(|| found(&self.said()))
    }

    /// Waits until it is ready.
    pub(crate) fn ready(self) -> Self {
        wait_until(|| (self.get("/health/ready").0 == 200).then_some(()));
        self
    }

    /// Gets what is at a path, as nobody.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let reply = self.call("GET", path, &[], "");
        (reply.status, reply.body)
    }

    /// Gets what is at a path, as one of the callers.
    pub(crate) fn get_as(&self, name: &str, path: &str) -> Reply {
        self.call("GET", path, &[("Authorization", &bearer(name))], "")
    }

    /// Sends a command, as one of the callers.
    pub(crate) fn send_as(&self, name: &str, document: &str) -> Reply {
        self.call("POST", "/v1/commands", &[("Authorization", &bearer(name))], document)
    }

    /// Calls.
    pub(crate) fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut stream = self.connect(method, path, headers, body);
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Reply { status, headers: lines.map(header).collect(), body: body.to_owned() }
    }

    fn connect(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let headers = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\
             {}\r\n{body}",
            self.address,
            body.len(),
            headers.collect::<String>(),
        );
        // A door that has read enough may close before it has read all.
        let _sent = stream.write_all(request.as_bytes());
        stream
    }

    /// Follows a stream of events as one of the callers until so many have come.
    pub(crate) fn follow(
        &self,
        name: &str,
        path: &str,
        last: Option<&str>,
        count: usize,
    ) -> Vec<Sent> {
        let sent: Vec<Sent> = self.stream(name, path, last).take(count).collect();
        assert_eq!(sent.len(), count, "it ended after {sent:?}");
        sent
    }

    /// A stream of events as one of the callers sees it.
    pub(crate) fn stream(
        &self,
        name: &str,
        path: &str,
        last: Option<&str>,
    ) -> impl Iterator<Item = Sent> + use<> {
        let bearer = bearer(name);
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(last.map(|id| ("Last-Event-ID", id)));
        let stream = self.connect("GET", path, &headers, "");
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        std::iter::from_fn(move || {
            let mut sent = Sent::default();
            for line in lines.by_ref() {
                if let Some(value) = line.strip_prefix("id: ") {
                    value.clone_into(&mut sent.id);
                } else if let Some(value) = line.strip_prefix("event: ") {
                    value.clone_into(&mut sent.kind);
                } else if let Some(value) = line.strip_prefix("data: ") {
                    sent.data = serde_json::from_str(value).unwrap();
                } else if line.is_empty() && !sent.data.is_null() {
                    return Some(sent);
                }
            }
            None
        })
    }

    /// Tells it to stop, and waits for its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.process.wait().unwrap().code().unwrap_or(-1)
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _already = self.process.kill();
        let _gone = self.process.wait();
    }
}

/// The status and code of a problem.
pub(crate) fn problem(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.headers["content-type"], "application/problem+json", "{reply:?}");
    let document = reply.json();
    assert_eq!(document["status"], json!(reply.status));
    assert!(!document["detail"].as_str().unwrap().is_empty());
    (reply.status, document["code"].as_str().unwrap().to_owned())
}

/// What a refusal is compared with.
pub(crate) fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A customer to register.
pub(crate) fn customer(id: &str, name: &str) -> String {
    let data = json!({ "customer": id, "name": name });
    json!({ "id": id, "type": "RegisterCustomer", "data": data }).to_string()
}

/// Whether a document names a partner, or a deal of its.
pub(crate) fn names(document: &Value, words: &[&str]) -> bool {
    match document {
        Value::String(text) => words.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|item| names(item, words)),
        Value::Object(fields) => fields.values().any(|field| names(field, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What one of the callers shows.
pub(crate) fn bearer(name: &str) -> String {
    format!("Bearer token-{name}")
}

/// Waits until something is there.
pub(crate) fn wait_until<T>(found: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "it does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}
