//! A way to a server on which answers get lost and connections break.

use crate::server::{Server, ServerError};
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// Passes everything on between clients and one server, until it is told otherwise.
///
/// A server of several tells clients of the others, who are reached past it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Way {
    to: String,
    swallowing: AtomicBool,
    barred: AtomicBool,
    closed: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Opens a way to a server.
    pub fn to(server: &Server) -> Result<Self, ServerError> {
        Self::to_address(server.address().to_owned())
    }

    pub(crate) fn to_address(to: String) -> Result<Self, ServerError> {
        let listener = TcpListener::bind("127.0.0.1:0");
        let listener = listener.map_err(ServerError::io("opening a proxy"))?;
        let address = listener.local_addr().map_err(ServerError::io("opening a proxy"))?;
        let way = Arc::new(Way {
            to,
            swallowing: AtomicBool::new(false),
            barred: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let theirs = Arc::clone(&way);
        let accepting = Some(std::thread::spawn(move || theirs.accept(&listener)));
        Ok(Self { address, way, accepting })
    }

    /// Where clients reach the server through it.
    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    /// Lets what the server says get lost, from now on or no more.
    pub fn swallow_answers(&self, swallowing: bool) {
        self.way.swallowing.store(swallowing, Ordering::SeqCst);
    }

    /// Breaks every connection and lets nobody connect anew, or lets them again.
    pub fn bar(&self, barred: bool) {
        self.way.barred.store(barred, Ordering::SeqCst);
        if barred {
            self.cut();
        }
    }

    /// Breaks every connection; clients may connect anew.
    pub fn cut(&self) {
        self.way.cut();
    }
}

impl Way {
    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) {
        for stream in self.open().drain(..) {
            // One side may have closed it already.
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            if self.barred.load(Ordering::SeqCst) {
                continue;
            }
            // A server that is down is one to this client, too.
            if let (Ok(client), Ok(server)) = (client, TcpStream::connect(&self.to)) {
                let both = (client.try_clone(), server.try_clone());
                let (Ok(client_too), Ok(server_too)) = both else { continue };
                let kept = [client.try_clone(), server.try_clone()];
                self.open().extend(kept.into_iter().flatten());
                if self.barred.load(Ordering::SeqCst) {
                    // It was barred since it was asked.
                    self.cut();
                }
                let (up, down) = (Arc::clone(self), Arc::clone(self));
                std::thread::spawn(move || up.pass(client, server, false));
                std::thread::spawn(move || down.pass(server_too, client_too, true));
            }
        }
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream, answers: bool) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut buffer) {
            let lost = answers && self.swallowing.load(Ordering::SeqCst);
            let bytes = buffer.get(..count).unwrap_or_default();
            if count == 0 || (!lost && to.write_all(bytes).is_err()) {
                break;
            }
        }
        for stream in [from, to] {
            // The other direction ends with this one.
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.way.closed.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the thread that accepts.
        let woken = TcpStream::connect(self.address);
        if woken.is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ended = accepting.join();
        }
    }
}
