//! What is said over the socket.

use crate::{exit::Exit, reads::Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::num::NonZeroU64;

/// The release both sides must be of: shapes may change between releases.
pub(super) const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// The first frame of a client.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello<R> {
    /// The client's release.
    pub(super) release: String,
    /// What it wants, read only when the releases agree.
    pub(super) request: R,
}

/// What a client wants.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// Something to be read.
    Read(Read),
    /// Commands, one a frame, to be decided.
    Submit(Submission),
    /// Read models to be built anew.
    Rebuild(Rebuilding),
}

/// How lines of commands are to be taken.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Submission {
    /// Who runs the program.
    pub(crate) actor: String,
    /// The source of lines that name none.
    pub(crate) source: String,
    /// Whether a line's actor, role and partner are believed.
    pub(crate) trust_claims: bool,
    /// Whether all is decided on a scratch copy and nothing written.
    pub(crate) dry_run: bool,
    /// The read models that hold what is answered before the answer leaves.
    pub(crate) wait: Vec<String>,
}

/// How read models are to be built anew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rebuilding {
    /// Those to be shown; all where there are none.
    pub(crate) views: Vec<String>,
    /// So many events a second and no more.
    pub(crate) rate: Option<NonZeroU64>,
}

/// A frame of the owner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The owner has heard the connection and will answer it: the first frame. A connection that
    /// ends before it met an owner that was leaving.
    Here,
    /// A table begins.
    Begin {
        /// Its name.
        name: String,
        /// Its columns.
        columns: Vec<String>,
        /// Those that people see, where that is not all.
        people: Option<Vec<String>>,
    },
    /// A row of the table.
    Row(Vec<Value>),
    /// A document that is data.
    Document(String),
    /// A line that is data.
    Line(String),
    /// Nothing more comes for a while.
    PassOn,
    /// Talk.
    Note(String),
    /// The end: the last frame of an answer.
    End(Exit),
    /// The end of an answer that could not be given.
    Failed {
        /// How the program ends.
        exit: Exit,
        /// Why.
        text: String,
    },
}
