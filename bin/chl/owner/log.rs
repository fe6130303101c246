//! A log that another process has open, read through its socket.

use super::{Request, connect};
use crate::{
    exit::Exit,
    failure::{Failure, Outcome},
    output::Sink,
    place::Place,
    reads::{Blocks as Asked, BlocksHead, Read},
};
use chl_events::Block;
use chl_log::{Blocks, Head, ReadError, ReadLog};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

/// So many blocks may be on their way.
const ON_THEIR_WAY: usize = 8;

/// The log of a ledger, as the process that has it open hands it out.
pub(crate) struct OwnersLog {
    place: Place,
    /// The process that has it open: another one may have another history open.
    owner: u32,
    /// Where it ended when the owner was asked last, for whatever: what is read never lies behind.
    head: Arc<Mutex<Head>>,
    /// What the owner said of damage.
    damage: Arc<Mutex<Option<Failure>>>,
}

impl OwnersLog {
    /// Asks where the log ends; none where nobody has it open.
    pub(crate) fn open(place: &Place) -> Outcome<Option<Self>> {
        let asked = Asked { from: u64::MAX, most: Some(0), wait: Duration::ZERO };
        let mut told = Told::default();
        ask(place, asked, &mut told)?;
        Ok(told.head.map(|(owner, head)| {
            let head = Arc::new(Mutex::new(head));
            Self { place: place.clone(), owner, head, damage: Arc::default() }
        }))
    }

    /// What takes the answers of this owner and no other.
    fn told(&self, blocks: Option<Hand>) -> Told {
        Told { head: None, known: Some((self.owner, Arc::clone(&self.head))), blocks }
    }

    /// What the owner said of damage, if that is why something could not be read.
    pub(crate) fn damage(&self) -> Option<Failure> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The blocks from the one that holds a position on, as the owner sends them.
    fn blocks(&self, from: u64, most: Option<usize>) -> Blocks {
        let (hand, taken) = sync_channel(ON_THEIR_WAY);
        let (place, damage) = (self.place.clone(), Arc::clone(&self.damage));
        let mut told = self.told(Some(hand.clone()));
        let asked = Asked { from, most, wait: Duration::ZERO };
        thread::spawn(move || match ask(&place, asked, &mut told) {
            Ok(true) | Err(Failure::ReaderGone) => {}
            Ok(false) => {
                let _enough = hand.send(Err(ReadError::Closed));
            }
            Err(failure) => {
                let error = unread(from, &failure);
                if failure.exit() == Exit::Verification {
                    *damage.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                }
                let _enough = hand.send(Err(error));
            }
        });
        Box::new(taken.into_iter())
    }
}

impl ReadLog for OwnersLog {
    fn head(&self) -> Head {
        *self.head.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, from: u64) -> Result<Blocks, ReadError> {
        Ok(self.blocks(from, None))
    }

    fn wait_beyond(&self, position: u64, timeout: Duration) -> Result<Head, ReadError> {
        let asked = Asked { from: position, most: Some(0), wait: timeout };
        let mut told = self.told(None);
        ask(&self.place, asked, &mut told).map_err(|failure| unread(position, &failure))?;
        told.head.map(|(_, head)| head).ok_or(ReadError::Closed)
    }

    fn commit_at(&self, position: u64) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(block) = self.blocks(position, Some(1)).next().transpose()? else {
            return Ok(None);
        };
        let mut numbered = (block.first()..).zip(block.commits());
        let found = numbered.find(|(at, _)| *at == position);
        found.map(|(_, bytes)| Some(bytes.to_vec())).ok_or(ReadError::Gap { position })
    }
}

fn unread(position: u64, failure: &Failure) -> ReadError {
    ReadError::Storage { position, cause: Arc::new(io::Error::other(failure.to_string())) }
}

/// Asks the owner; says whether there is one.
fn ask(place: &Place, asked: Asked, told: &mut Told) -> Outcome<bool> {
    let Some(connection) = connect(place)? else { return Ok(false) };
    connection.ask(Request::Read(Read::Blocks(asked)), told)?;
    Ok(true)
}

/// Where blocks go.
type Hand = SyncSender<Result<Block, ReadError>>;

/// Takes what the owner tells.
#[derive(Default)]
struct Told {
    head: Option<(u32, Head)>,
    /// The owner that was asked first, and where its log ended when it was asked last.
    known: Option<(u32, Arc<Mutex<Head>>)>,
    blocks: Option<Hand>,
}

impl Sink for Told {
    fn document(&mut self, json: &str) -> Outcome {
        let (owner, head) = BlocksHead::read(json)?;
        self.head = Some((owner, head));
        let Some((known, last)) = &self.known else { return Ok(()) };
        if *known != owner {
            return Err(Failure::new(Exit::Unavailable, "the ledger has another owner now"));
        }
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if head.next > last.next {
            *last = head;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Outcome {
        let block = Asked::read(line)?;
        let Some(hand) = &self.blocks else { return Ok(()) };
        // Whoever asked may have enough.
        hand.send(Ok(block)).map_err(|_| Failure::ReaderGone)
    }
}
