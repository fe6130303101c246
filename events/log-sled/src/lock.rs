//! One process owns a ledger.

use crate::OpenError;
use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};
use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::unix::fs::FileExt,
    path::Path,
};

const NAME: &str = "lock";
const MAX_PID_BYTES: u64 = 32;

/// The owner's lock on a ledger. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct OwnerLock {
    _file: File,
}

impl OwnerLock {
    /// Becomes the owner, or fails with the process id of the one there is.
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join(NAME);
        let io = OpenError::io(&path);
        let open =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(&io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let read = file.by_ref().take(MAX_PID_BYTES).read_to_string(&mut text);
                let pid = read.ok().and_then(|_| text.trim().parse().ok());
                return Err(OpenError::Owned { dir: dir.to_owned(), pid });
            }
            Err(error) => return Err(io(error.into())),
        }
        let pid = format!("{}\n", std::process::id());
        file.set_len(0).and_then(|()| file.write_all_at(pid.as_bytes(), 0)).map_err(io)?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_second_owner_is_refused_with_the_first_ones_process_id() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(NAME), "123456789 of a process long gone").unwrap();
        let first = OwnerLock::take(dir.path()).unwrap();
        let refused = OwnerLock::take(dir.path()).unwrap_err();
        let me = std::process::id();
        assert!(matches!(refused, OpenError::Owned { pid: Some(pid), .. } if pid == me));
        drop(first);
        OwnerLock::take(dir.path()).unwrap();
    }
}
