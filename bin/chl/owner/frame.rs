//! Frames on the owner's socket: a length of four bytes, big endian, and as many bytes.

use std::io::{self, ErrorKind, Read, Write};

/// The most bytes of a frame: far more than a block or a row needs, and little to a machine.
const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, body: &[u8]) -> io::Result<()> {
    let too_large = || io::Error::new(ErrorKind::InvalidInput, "a frame above 16 MiB");
    let length = u32::try_from(body.len()).map_err(|_| too_large())?;
    if body.len() > MAX_FRAME_BYTES {
        return Err(too_large());
    }
    to.write_all(&length.to_be_bytes())?;
    to.write_all(body)
}

/// Reads a frame; none when the other side has closed between two frames.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_be_bytes(length) as usize;
    if length > MAX_FRAME_BYTES {
        return Err(io::Error::new(ErrorKind::InvalidData, "a frame above 16 MiB"));
    }
    let mut body = Vec::new();
    let read = from.take(length as u64).read_to_end(&mut body)?;
    if read < length {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn frames_come_back_whole_and_one_cut_short_is_an_error() {
        let mut wire = Vec::new();
        write(&mut wire, b"one").unwrap();
        write(&mut wire, b"").unwrap();
        let mut from = wire.as_slice();
        assert_eq!(read(&mut from).unwrap().unwrap(), b"one");
        assert_eq!(read(&mut from).unwrap().unwrap(), b"");
        assert_eq!(read(&mut from).unwrap(), None);
        wire.truncate(5);
        assert_eq!(read(&mut wire.as_slice()).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        let absurd = [0xff; 8];
        assert_eq!(read(&mut absurd.as_slice()).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
