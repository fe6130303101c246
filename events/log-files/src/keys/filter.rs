//! Filters: whether a file may hold a key, from memory, at about nine bits a key.
//!
//! A file has one for each stretch of its sorted hashes, so that building one takes little memory
//! however large the file is.

use super::KeyHash;
use xorf::{BinaryFuse8, BinaryFuse8Ref, DmaSerializable, Filter, FilterRef};

/// A stretch ends at the first new hash behind so many keys.
const KEYS_PER_FILTER: usize = 128 * 1024;
const DESCRIPTOR_BYTES: usize = BinaryFuse8::DESCRIPTOR_LEN;

/// The filters of a file, in the order of their first hashes.
#[derive(Debug, Default)]
pub(super) struct Filters {
    /// Where each begins.
    firsts: Vec<u64>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    descriptor: [u8; DESCRIPTOR_BYTES],
    fingerprints: Box<[u8]>,
}

impl Filters {
    /// Whether a key may be there; at most one of 250 that are not seems to be.
    pub(super) fn may_hold(&self, hash: KeyHash) -> bool {
        let upper = hash.upper();
        self.part(upper).is_some_and(|part| {
            BinaryFuse8Ref::from_dma(&part.descriptor, &part.fingerprints).contains(&upper)
        })
    }

    /// The filter whose stretch holds a key. Hashes are spread evenly, so that it is near where its
    /// share of all hashes says: looking there asks less of the memory than halving does.
    fn part(&self, upper: u64) -> Option<&Part> {
        let share = (u128::from(upper) * self.firsts.len() as u128) >> u64::BITS;
        let mut index = usize::try_from(share).ok()?;
        while index > 0 && self.firsts.get(index).is_some_and(|first| *first > upper) {
            index -= 1;
        }
        while self.firsts.get(index + 1).is_some_and(|first| *first <= upper) {
            index += 1;
        }
        let holds = self.firsts.get(index).is_some_and(|first| *first <= upper);
        self.parts.get(index).filter(|_| holds)
    }

    /// How many bytes of memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|part| part.fingerprints.len() + DESCRIPTOR_BYTES + 8).sum()
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&(self.parts.len() as u32).to_be_bytes());
        for (first, part) in self.firsts.iter().zip(&self.parts) {
            bytes.extend_from_slice(&first.to_be_bytes());
            bytes.extend_from_slice(&(part.fingerprints.len() as u32).to_be_bytes());
            bytes.extend_from_slice(&part.descriptor);
            bytes.extend_from_slice(&part.fingerprints);
        }
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first_chunk::<4>()?;
        let mut filters = Self::default();
        for _ in 0..u32::from_be_bytes(*count) {
            let (first, after) = rest.split_first_chunk::<8>()?;
            let (length, after) = after.split_first_chunk::<4>()?;
            let (descriptor, after) = after.split_first_chunk::<DESCRIPTOR_BYTES>()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (fingerprints, after) = after.split_at_checked(length)?;
            filters.push(
                u64::from_be_bytes(*first),
                Part { descriptor: *descriptor, fingerprints: fingerprints.into() },
            );
            rest = after;
        }
        rest.is_empty().then_some(filters)
    }

    fn push(&mut self, first: u64, part: Part) {
        self.firsts.push(first);
        self.parts.push(part);
    }
}

/// Builds filters while hashes pass in their order.
#[derive(Debug, Default)]
pub(super) struct FilterBuilder {
    filters: Filters,
    pending: Vec<u64>,
}

impl FilterBuilder {
    pub(super) fn push(&mut self, hash: KeyHash) -> Result<(), &'static str> {
        let upper = hash.upper();
        // Equal halves stay in one stretch, and a filter is built of different keys only.
        if self.pending.last() == Some(&upper) {
            return Ok(());
        }
        if self.pending.len() >= KEYS_PER_FILTER {
            self.cut()?;
        }
        self.pending.push(upper);
        Ok(())
    }

    fn cut(&mut self) -> Result<(), &'static str> {
        let Some(first) = self.pending.first().copied() else {
            return Ok(());
        };
        let filter = BinaryFuse8::try_from(&self.pending)?;
        let mut descriptor = [0; DESCRIPTOR_BYTES];
        filter.dma_copy_descriptor_to(&mut descriptor);
        let fingerprints = filter.fingerprints;
        self.filters.push(first, Part { descriptor, fingerprints });
        self.pending.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Filters, &'static str> {
        self.cut()?;
        Ok(self.filters)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn hashes(count: u64) -> Vec<KeyHash> {
        let mut hashes: Vec<_> = (0..count).map(|n| KeyHash::of(1, &n.to_be_bytes())).collect();
        hashes.sort_unstable();
        hashes
    }

    #[test]
    fn every_key_is_found_and_hardly_any_other_at_every_size() {
        for count in (1..70).chain([1000, KEYS_PER_FILTER as u64, 2 * KEYS_PER_FILTER as u64 + 1]) {
            let hashes = hashes(count);
            let mut builder = FilterBuilder::default();
            for hash in &hashes {
                builder.push(*hash).unwrap();
            }
            let filters = builder.finish().unwrap();
            let mut bytes = Vec::new();
            filters.encode(&mut bytes);
            let filters = Filters::decode(&bytes).unwrap();
            assert!(hashes.iter().all(|hash| filters.may_hold(*hash)), "{count}");
            let others = (0..10_000_u64).map(|n| KeyHash::of(2, &n.to_be_bytes()));
            let wrong = others.filter(|hash| filters.may_hold(*hash)).count();
            assert!(wrong < 80, "{wrong} of 10,000 at {count} keys");
            if count >= KEYS_PER_FILTER as u64 {
                assert!(
                    filters.bytes() * 10 < hashes.len() * 13,
                    "{} for {count}",
                    filters.bytes()
                );
            }
        }
    }
}
