//! Writing and reading frozen structs: postcard, a piece at a time instead of a byte at a time.

use postcard::ser_flavors::Flavor;
use serde::Serialize;

/// Most structs are smaller, and are written without growing the buffer.
const USUAL_BYTES: usize = 128;

struct Buffer(Vec<u8>);

impl Flavor for Buffer {
    type Output = Vec<u8>;

    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Writes a frozen struct behind what a buffer holds.
pub(crate) fn write_behind<T: Serialize>(buffer: Vec<u8>, value: &T) -> postcard::Result<Vec<u8>> {
    postcard::serialize_with_flavor(value, Buffer(buffer))
}

/// The bytes of a frozen struct.
pub fn to_bytes<T: Serialize>(value: &T) -> postcard::Result<Vec<u8>> {
    write_behind(Vec::with_capacity(USUAL_BYTES), value)
}

/// Bytes within a struct: written as a vector of them is, but in one piece.
pub(crate) mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        bytes: &impl AsRef<[u8]>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes.as_ref())
    }

    pub(crate) fn deserialize<'de, B: From<&'de [u8]>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<B, D::Error> {
        <&'de [u8]>::deserialize(from).map(B::from)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[derive(serde::Serialize, serde::Deserialize)]
    struct Whole {
        #[serde(with = "bytes")]
        bytes: Vec<u8>,
        after: u16,
    }

    #[test]
    fn bytes_are_written_as_a_vector_of_them_is() {
        for length in [0, 1, 127, 128, 70_000] {
            let bytes: Vec<u8> = (0..length).map(|at: u32| at as u8).collect();
            let written = to_bytes(&Whole { bytes: bytes.clone(), after: 300 }).unwrap();
            assert_eq!(written, postcard::to_stdvec(&(&bytes, 300_u16)).unwrap());
            let read: Whole = postcard::from_bytes(&written).unwrap();
            assert_eq!((read.bytes, read.after), (bytes, 300));
        }
        let short = postcard::from_bytes::<Whole>(&[5, 1, 2]);
        assert!(short.is_err());
    }
}
