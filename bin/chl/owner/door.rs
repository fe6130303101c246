//! The owner's side of the socket.

use super::{
    client::short_path,
    frame,
    protocol::{Hello, RELEASE, Reply, Request},
};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    ledger::Closing,
    output::{Sheet, Sink},
    talk,
};
use serde_json::Value;
use std::{
    fs,
    io::{self, BufRead, BufReader, BufWriter, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Only the owner's user may open the socket.
const SOCKET_MODE: u32 = 0o600;
/// More connections than any desk needs; another one is turned away with the reason.
const MAX_CONNECTIONS: usize = 128;
/// How often a connection that waits looks whether the owner is about to leave.
const HEARTBEAT: Duration = Duration::from_millis(200);
/// How long the rest of a frame may take that has begun.
const PATIENCE: Duration = Duration::from_secs(30);

/// What serves the requests that come in; several at once.
pub(crate) trait Serves: Send + Sync {
    /// Answers a request into a sink; `lines` are those of a submission.
    fn serve(&self, request: Request, lines: Incoming, sink: &mut dyn Sink) -> Outcome<Exit>;
}

/// The lines of a submission as they come in, each with its number.
pub(crate) struct Incoming {
    from: BufReader<UnixStream>,
    closing: Closing,
    ended: bool,
}

/// Waits for the next frame's first bytes; an owner that leaves waits no longer.
fn wait(from: &mut BufReader<UnixStream>, closing: &Closing) -> io::Result<()> {
    if !from.buffer().is_empty() {
        return Ok(());
    }
    from.get_ref().set_read_timeout(Some(HEARTBEAT))?;
    loop {
        match from.fill_buf() {
            Ok(_) => break,
            Err(error) if !is_timeout(&error) => return Err(error),
            Err(_) if closing.is_near() => return Err(io::Error::other("the owner leaves")),
            Err(_) => {}
        }
    }
    from.get_ref().set_read_timeout(Some(PATIENCE))
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

impl Iterator for Incoming {
    type Item = Outcome<(u64, Vec<u8>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = wait(&mut self.from, &self.closing)
            .and_then(|()| frame::read(&mut self.from))
            .or_exit(Exit::Unavailable, "the sender's connection broke")
            .map(Option::unwrap_or_default);
        match read {
            Ok(line) if line.is_empty() => {
                self.ended = true;
                None
            }
            Ok(frame) => {
                let line = numbered(&frame);
                self.ended = line.is_err();
                Some(line)
            }
            Err(failure) => {
                self.ended = true;
                Some(Err(failure))
            }
        }
    }
}

/// A line with its number, as a frame holds them.
fn numbered(frame: &[u8]) -> Outcome<(u64, Vec<u8>)> {
    let parts = frame.split_first_chunk::<8>();
    let parts = parts.ok_or_else(|| Failure::usage("a frame of a line without its number"))?;
    Ok((u64::from_be_bytes(*parts.0), parts.1.to_vec()))
}

/// The socket, open until it is dropped; what is being answered then is answered to the end.
pub(crate) struct Door {
    path: PathBuf,
    closing: Closing,
    accepting: Option<JoinHandle<()>>,
}

type Workers = Arc<Mutex<Vec<JoinHandle<()>>>>;

impl Door {
    /// Opens the socket of a ledger that this process owns or follows.
    ///
    /// It appears under its name only when nobody else may open it; one that a killed owner left
    /// behind is replaced.
    pub(crate) fn open(path: PathBuf, serves: Arc<dyn Serves>, closing: Closing) -> Outcome<Self> {
        let listener = listen(&path).or_exit(
            Exit::Unavailable,
            format_args!("the socket {} cannot be opened", path.display()),
        )?;
        let near = closing.clone();
        let accepting = thread::spawn(move || accept(&listener, &serves, &near));
        Ok(Self { path, closing, accepting: Some(accepting) })
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.closing.announce();
        // The accepting thread wakes by one more connection; then nobody finds the socket.
        let woken = short_path(&self.path).and_then(|(short, _folder)| UnixStream::connect(short));
        let _removed = fs::remove_file(&self.path);
        if let (Ok(_), Some(accepting)) = (woken, self.accepting.take()) {
            let _ended = accepting.join();
        }
    }
}

fn listen(path: &std::path::Path) -> io::Result<UnixListener> {
    let draft = path.with_extension("new");
    for old in [&draft] {
        match fs::remove_file(old) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let (short, _folder) = short_path(&draft)?;
    let listener = UnixListener::bind(short)?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(SOCKET_MODE))?;
    fs::rename(&draft, path)?;
    Ok(listener)
}

fn accept(listener: &UnixListener, serves: &Arc<dyn Serves>, closing: &Closing) {
    let open = Arc::new(AtomicUsize::new(0));
    let workers: Workers = Workers::default();
    loop {
        let accepted = listener.accept();
        if closing.is_near() {
            break;
        }
        let Ok((stream, _)) = accepted else {
            // Too many open files, or a client that has gone: the next one may find room.
            thread::sleep(HEARTBEAT);
            continue;
        };
        let mut held = workers.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|worker| !worker.is_finished());
        if open.fetch_add(1, Ordering::AcqRel) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::AcqRel);
            let full = Failure::new(Exit::Unavailable, "the owner has too many connections");
            let _told = Replies::new(stream).end(Err(full));
            continue;
        }
        let (serves, open, closing) = (Arc::clone(serves), Arc::clone(&open), closing.clone());
        held.push(thread::spawn(move || {
            if let Err(error) = converse(stream, serves.as_ref(), &closing) {
                talk::say(&format!("a connection broke: {error}"));
            }
            open.fetch_sub(1, Ordering::AcqRel);
        }));
    }
    let held = std::mem::take(&mut *workers.lock().unwrap_or_else(PoisonError::into_inner));
    for worker in held {
        let _ended = worker.join();
    }
}

/// Hears one request and answers it.
fn converse(stream: UnixStream, serves: &dyn Serves, closing: &Closing) -> io::Result<()> {
    let mut from = BufReader::new(stream.try_clone()?);
    let mut replies = Replies::new(stream);
    replies.send(&Reply::Here).and_then(|()| replies.to.flush())?;
    wait(&mut from, closing)?;
    let Some(body) = frame::read(&mut from)? else { return Ok(()) };
    let request = match understood(&body) {
        Ok(request) => request,
        Err(failure) => return replies.end(Err(failure)),
    };
    let lines = Incoming { from, closing: closing.clone(), ended: false };
    let outcome = serves.serve(request, lines, &mut replies);
    replies.end(outcome)
}

fn understood(body: &[u8]) -> Outcome<Request> {
    let said: Hello<Value> =
        serde_json::from_slice(body).or_exit(Exit::Usage, "the first frame is no hello")?;
    if said.release != RELEASE {
        return Err(Failure::new(
            Exit::Unavailable,
            format_args!(
                "the ledger's owner is chl {RELEASE}, this is chl {}; use the same release",
                said.release
            ),
        ));
    }
    serde_json::from_value(said.request).or_exit(Exit::Usage, "the request cannot be read")
}

/// The replies of one conversation.
struct Replies {
    to: BufWriter<UnixStream>,
}

impl Replies {
    fn new(stream: UnixStream) -> Self {
        Self { to: BufWriter::new(stream) }
    }

    fn send(&mut self, reply: &Reply) -> io::Result<()> {
        frame::write(&mut self.to, &serde_json::to_vec(reply)?)
    }

    fn say(&mut self, reply: &Reply) -> Outcome {
        // A client that went away wants no more: the same as a reader of our own output.
        self.send(reply).and_then(|()| self.to.flush()).map_err(|_| Failure::ReaderGone)
    }

    fn end(&mut self, outcome: Outcome<Exit>) -> io::Result<()> {
        let last = match outcome {
            Ok(exit) => Reply::End(exit),
            Err(Failure::ReaderGone) => return Ok(()),
            Err(failure) => Reply::Failed { exit: failure.exit(), text: failure.to_string() },
        };
        self.send(&last).and_then(|()| self.to.flush())
    }
}

impl Sink for Replies {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.say(&Reply::Begin {
            name: sheet.name.to_owned(),
            columns: sheet.columns.iter().map(ToString::to_string).collect(),
            people: sheet.people.map(|people| people.iter().map(ToString::to_string).collect()),
        })
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        self.send(&Reply::Row(values)).map_err(|_| Failure::ReaderGone)
    }

    fn document(&mut self, json: &str) -> Outcome {
        self.send(&Reply::Document(json.to_owned())).map_err(|_| Failure::ReaderGone)
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.send(&Reply::Line(line.to_owned())).map_err(|_| Failure::ReaderGone)
    }

    fn pass_on(&mut self) -> Outcome {
        self.say(&Reply::PassOn)
    }

    fn note(&mut self, text: &str) -> Outcome {
        self.say(&Reply::Note(text.to_owned()))
    }
}
