//! Lines that come in: from a file, or from standard input.

use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
};
use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

/// How much of a file is read at once.
const BUFFER_BYTES: usize = 1 << 20;
/// What some programs put before UTF-8 text; it says nothing and belongs to no line.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where lines come from, and what the user knows it as.
pub(crate) struct Input {
    /// The bytes.
    pub(crate) from: Box<dyn BufRead + Send>,
    /// Its name.
    pub(crate) name: String,
}

impl Input {
    /// Opens a file; without one, or with `-`, standard input.
    pub(crate) fn open(file: Option<&Path>) -> Outcome<Self> {
        let Some(path) = file.filter(|path| path.as_os_str() != "-") else {
            let from = Box::new(BufReader::new(io::stdin()));
            return Ok(Self { from, name: "standard input".to_owned() });
        };
        let name = path.display().to_string();
        let opened =
            File::open(path).or_exit(Exit::Usage, format_args!("{name} cannot be read"))?;
        // A folder opens as a file does, and only then cannot be read.
        if path.is_dir() {
            return Err(Failure::usage(format_args!("{name} is a folder, not a file of lines")));
        }
        Ok(Self { from: Box::new(BufReader::with_capacity(BUFFER_BYTES, opened)), name })
    }
}

/// A first line without the mark that may stand before it.
pub(crate) fn unmarked(mut line: Vec<u8>) -> Vec<u8> {
    if line.starts_with(BYTE_ORDER_MARK) {
        line.drain(..BYTE_ORDER_MARK.len());
    }
    line
}
