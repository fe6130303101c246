//! Finds the server's program, or says visibly that there is none.

use std::{
    env,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// The program's name.
const NAME: &str = "nats-server";
/// Where the gate installs it, from the checkout's root.
const INSTALLED: &str = "target/nats/bin/nats-server";
/// The oldest release that keeps its promises about replicated streams.
const OLDEST: (u64, u64, u64) = (2, 12, 3);

/// A server's program that is there and new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What it says of its version.
    pub version: String,
}

/// Finds the server's program; without one, says so and returns none, so that a test is skipped.
///
/// # Panics
///
/// Where `CI` is set, a missing program fails the test; a program that is too old always does.
pub fn program() -> Option<Program> {
    let Some(path) = find() else {
        let what = "no nats-server: set CHL_NATS_SERVER, put it into PATH, or run .ci/run";
        assert!(env::var_os("CI").is_none(), "{what}");
        // Past the test harness, which keeps what a passing test prints to itself.
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let _told = writeln!(std::io::stderr(), "SKIPPED {test}: {what}");
        return None;
    };
    let said = Command::new(&path).arg("--version").output();
    let said = said.unwrap_or_else(|error| panic!("{} does not run: {error}", path.display()));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = said.trim().rsplit('v').next().unwrap_or_default().to_owned();
    assert!(
        numbers(&version).is_some_and(|found| found >= OLDEST),
        "{} says {said:?}; at least {OLDEST:?} is needed",
        path.display()
    );
    Some(Program { path, version })
}

fn find() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHL_NATS_SERVER") {
        return Some(PathBuf::from(named));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let installed = root().join(INSTALLED);
    env::split_paths(&path).map(|dir| dir.join(NAME)).chain([installed]).find(|file| file.is_file())
}

/// The checkout's root.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("this crate lies two folders below the root")
}

fn numbers(version: &str) -> Option<(u64, u64, u64)> {
    let mut parts = version.split(['.', '-']).map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??, parts.next()??))
}
