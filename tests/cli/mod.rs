//! Runs the built program in folders of its own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(dead_code, reason = "each file of tests uses some of it")]

pub(crate) mod damage;
pub(crate) mod followed;
pub(crate) mod sample;
pub(crate) mod watched;

use serde_json::Value;
use std::{
    io::Write,
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The program.
pub(crate) const CHL: &str = env!("CARGO_BIN_EXE_chl");

/// A recruited partner.
pub(crate) const PARTNER: &str = r#"{"id":"1","type":"RecruitPartner","time":"2026-01-02T09:00:00Z","data":{"partner":"p-1","name":"Acme Resale","types":["reseller"]}}"#;

/// A partner on its way to active.
pub(crate) fn partner_lines() -> String {
    let steps = [("2", "ApplyForProgramme"), ("3", "ApprovePartner"), ("4", "ActivatePartner")];
    let mut lines = format!("{PARTNER}\n");
    for (id, step) in steps {
        lines.push_str(&format!(
            "{{\"id\":\"{id}\",\"type\":\"{step}\",\"time\":\"2026-01-03T09:00:00Z\",\
             \"data\":{{\"partner\":\"p-1\"}}}}\n"
        ));
    }
    lines
}

/// The worked example of a programme with co-op and deals: an accrual, a claim, two partners at one
/// slot.
pub(crate) fn programme_lines() -> String {
    r#"{"id":"g","type":"PublishProgramme","time":"2026-01-01T00:00:00Z","data":{"programme":"gold","version":1,"effective_from":"2026-01-01","currency":"USD","terms":{"deal_registration":{"approval":"auto","protection_days":90},"coop":{"accrual":[{"bands":[{"from":"0","rate":"0.02"}]}],"match_rate":"0.50","claim_days":60}}}}
{"id":"e","type":"EnrolPartner","time":"2026-01-03T09:00:00Z","data":{"partner":"p-1","programme":"gold"}}
{"id":"c","type":"RegisterCustomer","time":"2026-01-04T09:00:00Z","data":{"customer":"acme","name":"Acme Corporation"}}
{"id":"d","type":"RegisterDeal","time":"2026-03-01T09:00:00Z","reason":"first meeting held","data":{"deal":"d-1","customer":"acme","partner":"p-1","programme":"gold","product_line":"gtx","value":{"amount":"50000.00","currency":"USD"}}}
{"id":"a","type":"AccrueCoop","time":"2026-03-02T09:00:00Z","data":{"partner":"p-1","programme":"gold","sale":"s-1","net_amount":{"amount":"250000.00","currency":"USD"},"sold_on":"2026-03-02"}}
{"id":"k","type":"ClaimCoop","time":"2026-03-20T09:00:00Z","data":{"claim":"c-1","partner":"p-1","programme":"gold","activity":"ad","cost":{"amount":"7200.00","currency":"USD"},"activity_date":"2026-03-10","proof":[]}}
"#
    .to_owned()
}

/// A second partner, and its deal at the slot that the first one's protects until 30 May 2026.
pub(crate) fn contest_lines() -> String {
    let mut lines = String::new();
    let steps = ["RecruitPartner", "ApplyForProgramme", "ApprovePartner", "ActivatePartner"];
    for step in steps {
        let recruited =
            if step == "RecruitPartner" { r#","name":"B","types":["var"]"# } else { "" };
        lines.push_str(&format!(
            "{{\"id\":\"2-{step}\",\"type\":\"{step}\",\"time\":\"2026-01-03T09:00:00Z\",\
             \"data\":{{\"partner\":\"p-2\"{recruited}}}}}\n"
        ));
    }
    lines
        + r#"{"id":"2-e","type":"EnrolPartner","time":"2026-01-03T09:00:00Z","data":{"partner":"p-2","programme":"gold"}}
{"id":"2-d","type":"RegisterDeal","time":"2026-03-20T09:00:00Z","data":{"deal":"d-2","customer":"acme","partner":"p-2","programme":"gold","product_line":"gtx","value":{"amount":"60000.00","currency":"USD"}}}
"#
}

/// A desk where two partners meet at one slot.
pub(crate) fn contested() -> Desk {
    let desk = Desk::with_history();
    let run = desk.submit(&contest_lines());
    assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
    desk
}

/// A folder of ledgers.
pub(crate) struct Desk {
    folder: tempfile::TempDir,
    seal_bytes: Option<u64>,
}

/// What a call did.
pub(crate) struct Run {
    /// Its exit code.
    pub(crate) code: i32,
    /// What it wrote to standard output.
    pub(crate) out: String,
    /// What it wrote to standard error.
    pub(crate) err: String,
}

impl Run {
    /// Its output, a JSON document a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line);
        self.out.lines().map(parse).collect::<Result<_, _>>().unwrap_or_else(|error| {
            panic!("{error} in\n{}\nand on standard error\n{}", self.out, self.err)
        })
    }
}

impl Desk {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), seal_bytes: None }
    }

    /// The same folder, whose logs are sealed at so many bytes.
    pub(crate) fn sealing_at(self, bytes: u64) -> Self {
        Self { seal_bytes: Some(bytes), ..self }
    }

    /// A desk with a partner, a programme, a deal, and a claim.
    pub(crate) fn with_history() -> Self {
        let desk = Self::new();
        let run = desk.submit(&(partner_lines() + &programme_lines()));
        assert_eq!(run.code, 0, "{}\n{}", run.out, run.err);
        desk
    }

    /// The folder's path.
    pub(crate) fn data(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// A path below the folder.
    pub(crate) fn path(&self, below: &str) -> std::path::PathBuf {
        self.folder.path().join(below)
    }

    /// The program, about to be called on this folder.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(CHL);
        command.arg("--data").arg(self.folder.path()).args(args).env("LOGNAME", "tester");
        command.env_remove("CHL_DATA").current_dir(self.folder.path());
        command.envs(self.seal_bytes.map(|bytes| ("CHL_SEAL_BYTES", bytes.to_string())));
        command
    }

    /// Calls the program.
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        self.run_with(args, b"")
    }

    /// Calls the program with something on its standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut to = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writing = std::thread::spawn(move || to.write_all(&input));
        let output = child.wait_with_output().unwrap();
        // A program that ends without reading all of it has said why.
        let _written = writing.join().unwrap();
        Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Submits lines.
    pub(crate) fn submit(&self, lines: &str) -> Run {
        self.run_with(&["submit"], lines.as_bytes())
    }

    /// Starts `chl serve` and waits until it listens.
    pub(crate) fn serve(&self) -> Served {
        self.serve_with(&[])
    }

    /// Starts `chl serve` with more options, and waits until it listens.
    pub(crate) fn serve_with(&self, options: &[String]) -> Served {
        let mut command = self.command(&["serve"]);
        command.args(options);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let began = Instant::now();
        // A killed owner leaves its socket's file behind; only one that listens can be reached.
        while UnixStream::connect(self.path("main/socket")).is_err() {
            assert!(began.elapsed() < Duration::from_secs(60), "it does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Served { child }
    }
}

/// A running `chl serve`; killed when it is dropped.
pub(crate) struct Served {
    child: Child,
}

impl Served {
    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop, and waits for its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Kills it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _already = self.child.kill();
        let _gone = self.child.wait();
    }
}
