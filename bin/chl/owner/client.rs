//! The client's side of the socket.

use super::{
    frame,
    protocol::{Hello, RELEASE, Reply, Request, Submission},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    output::{Sheet, Sink},
    place::Place,
};
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, ErrorKind, Write},
    os::{fd::AsRawFd, unix::net::UnixStream},
    path::{Path, PathBuf},
};

/// The longest path that fits into a socket's address, with room to spare.
const MAX_PATH_BYTES: usize = 100;

/// A connection to the owner.
pub(crate) struct Connection {
    stream: UnixStream,
}

/// A path to a file of a folder that is short enough for a socket's address, and what keeps it
/// valid.
pub(super) fn short_path(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
    if path.as_os_str().len() <= MAX_PATH_BYTES {
        return Ok((path.to_owned(), None));
    }
    let parent = path.parent().unwrap_or(Path::new("."));
    let folder = File::open(parent)?;
    let name = path.file_name().unwrap_or_default();
    let short = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((short, Some(folder)))
}

/// Connects to the owner; none when nobody listens.
pub(crate) fn connect(place: &Place) -> Outcome<Option<Connection>> {
    connect_at(&place.socket())
}

/// Connects to a node that follows, to read beside it; none when nobody listens.
pub(crate) fn connect_to_read(place: &Place) -> Outcome<Option<Connection>> {
    connect_at(&place.reading_socket())
}

fn connect_at(path: &Path) -> Outcome<Option<Connection>> {
    let tried = short_path(path).and_then(|(short, folder)| {
        let stream = UnixStream::connect(short);
        drop(folder);
        stream
    });
    let heard = tried.and_then(|stream| Ok((frame::read(&mut &stream)?, stream)));
    match heard {
        Ok((Some(first), stream)) => greeted(&first).map(|()| Some(Connection { stream })),
        Ok((None, _)) => Ok(None),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(error).or_exit(
            Exit::Unavailable,
            format_args!("the owner's socket {} cannot be reached", path.display()),
        ),
    }
}

/// Whether nobody listens: no socket, one that a killed owner left, or an owner about to leave.
fn is_absent(error: &io::Error) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionRefused, ConnectionReset, NotFound, UnexpectedEof};
    let absent = [NotFound, ConnectionRefused, ConnectionReset, BrokenPipe, UnexpectedEof];
    absent.contains(&error.kind())
}

/// Reads the owner's first frame, by which it takes the connection or turns it away.
fn greeted(first: &[u8]) -> Outcome {
    if let Reply::Failed { exit, text } = reply(first)? {
        return Err(Failure::new(exit, text));
    }
    Ok(())
}

fn reply(body: &[u8]) -> Outcome<Reply> {
    serde_json::from_slice(body)
        .or_exit(Exit::Internal, "the ledger's owner said what this program cannot read")
}

impl Connection {
    /// Asks for something and passes the answer on.
    pub(crate) fn ask(self, request: Request, sink: &mut dyn Sink) -> Outcome<Exit> {
        let hello = Hello { release: RELEASE.to_owned(), request };
        let mut to = BufWriter::new(&self.stream);
        broken(send(&mut to, &hello).and_then(|()| to.flush()))?;
        replies(&self.stream, sink)
    }

    /// Sends lines to be decided and passes their answers on, in order.
    ///
    /// A line goes with its number. Lines go out beside the answers that come in, as fast as the owner takes them.
    pub(crate) fn submit(
        self,
        submission: Submission,
        lines: impl Iterator<Item = Outcome<(u64, Vec<u8>)>> + Send,
        sink: &mut dyn Sink,
    ) -> Outcome<Exit> {
        let hello = Hello { release: RELEASE.to_owned(), request: Request::Submit(submission) };
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| {
                let sent = send_all(&self.stream, &hello, lines);
                if sent.is_err() {
                    // The owner answers what it has got, and does not wait for more.
                    let _gone = self.stream.shutdown(std::net::Shutdown::Write);
                }
                sent
            });
            let answered = replies(&self.stream, sink);
            if answered.is_err() {
                // The sender may stand at a full socket; nobody will read it any more.
                let _gone = self.stream.shutdown(std::net::Shutdown::Both);
            }
            let sent = sending.join();
            let exit = answered?;
            sent.unwrap_or_else(|_| Err(Failure::new(Exit::Internal, "the sender panicked")))?;
            Ok(exit)
        })
    }
}

/// Sends the hello, the lines as they come, and the end.
fn send_all(
    stream: &UnixStream,
    hello: &Hello<Request>,
    lines: impl Iterator<Item = Outcome<(u64, Vec<u8>)>>,
) -> Outcome {
    let mut to = BufWriter::new(stream);
    broken(send(&mut to, hello).and_then(|()| to.flush()))?;
    for line in lines {
        let (number, line) = line?;
        let frame = [&number.to_be_bytes(), line.as_slice()].concat();
        // A sender that waits for its answer before the next line must not wait for our buffer.
        broken(frame::write(&mut to, &frame).and_then(|()| to.flush()))?;
    }
    broken(frame::write(&mut to, b"").and_then(|()| to.flush()))
}

fn send<T: serde::Serialize>(to: &mut impl Write, what: &T) -> io::Result<()> {
    frame::write(to, &serde_json::to_vec(what)?)
}

fn broken<T>(result: io::Result<T>) -> Outcome<T> {
    result.or_exit(
        Exit::Unavailable,
        "the connection to the ledger's owner broke; what was accepted stands, and the same \
         commands may be sent again",
    )
}

/// Passes the owner's replies on until the last one.
fn replies(stream: &UnixStream, sink: &mut dyn Sink) -> Outcome<Exit> {
    let mut from = BufReader::new(stream);
    loop {
        let body = broken(frame::read(&mut from))?;
        let body = broken(body.ok_or_else(|| ErrorKind::UnexpectedEof.into()))?;
        match reply(&body)? {
            Reply::Here => {}
            Reply::Begin { name, columns, people } => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let people = people.unwrap_or_default();
                let people: Vec<&str> = people.iter().map(String::as_str).collect();
                let people = (!people.is_empty()).then_some(people.as_slice());
                sink.begin(&Sheet { name: &name, columns: &columns, people })?;
            }
            Reply::Row(values) => sink.row(values)?,
            Reply::Document(json) => sink.document(&json)?,
            Reply::PassOn => sink.pass_on()?,
            Reply::Line(line) => sink.line(&line)?,
            Reply::Note(text) => sink.note(&text)?,
            Reply::End(exit) => return Ok(exit),
            Reply::Failed { exit, text } => return Err(Failure::new(exit, text)),
        }
    }
}
