//! Where positions lie in the stream: which message holds which.

use std::collections::{BTreeMap, BTreeSet};

/// Every so many messages one is remembered; between two of them it is searched.
const REMEMBER_EVERY: u64 = 64;

/// Maps first positions of blocks to sequences of messages; sparse, and bounded where the node's
/// own copy answers for what is older.
#[derive(Debug)]
pub(crate) struct Index {
    known: BTreeMap<u64, u64>,
    /// Messages that are no part of the log.
    voids: BTreeSet<u64>,
    /// The position behind the last block, and the sequence the next message gets.
    end: (u64, u64),
}

/// A stretch of messages, by the first positions and the sequences of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// A block that begins at or before the position.
    pub(crate) low: (u64, u64),
    /// The first known one that begins behind it.
    pub(crate) high: (u64, u64),
}

impl Index {
    /// Begins where a message is known to begin: nothing before it is asked for.
    pub(crate) fn new(position: u64, sequence: u64) -> Self {
        let known = BTreeMap::from([(position, sequence)]);
        Self { known, voids: BTreeSet::new(), end: (position, sequence) }
    }

    /// Takes note of the next message, whose block leads from `first` to `next`.
    pub(crate) fn push(&mut self, first: u64, next: u64) {
        let (_, sequence) = self.end;
        if sequence.is_multiple_of(REMEMBER_EVERY) {
            self.known.insert(first, sequence);
        }
        self.end = (next, sequence + 1);
    }

    /// Takes note that the next message is no part of the log.
    pub(crate) fn skip(&mut self) {
        self.voids.insert(self.end.1);
        self.end.1 += 1;
    }

    /// The messages of a stretch that are no part of the log.
    pub(crate) fn voids(&self, from: u64, to: u64) -> BTreeSet<u64> {
        if from > to { BTreeSet::new() } else { self.voids.range(from..=to).copied().collect() }
    }

    /// The position behind the last block, and the sequence the next message gets.
    pub(crate) fn end(&self) -> (u64, u64) {
        self.end
    }

    /// Forgets what lies before a position, of which the sequence is known.
    pub(crate) fn forget_before(&mut self, position: u64, sequence: u64) {
        self.known = self.known.split_off(&position);
        self.voids = self.voids.split_off(&sequence);
        self.known.insert(position, sequence);
    }

    /// Where the message that holds a position lies; none where the position is not known of.
    pub(crate) fn span(&self, position: u64) -> Option<Span> {
        if position >= self.end.0 {
            return None;
        }
        let pair = |(position, sequence): (&u64, &u64)| (*position, *sequence);
        let mut low = self.known.range(..=position).next_back().map(pair)?;
        // Of where a file of the copy ended it was known before what came next.
        while self.voids.contains(&low.1) {
            low.1 += 1;
        }
        let high = self.known.range(position + 1..).next().map(pair).unwrap_or(self.end);
        Some(Span { low, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_lies_between_two_that_are_known() {
        let mut index = Index::new(0, 1);
        for message in 0..1000_u64 {
            index.push(message * 3, message * 3 + 3);
        }
        assert_eq!(index.end(), (3000, 1001));
        for position in 0..3000 {
            let sequence = position / 3 + 1;
            let Some(Span { low, high }) = index.span(position) else {
                panic!("position {position} is not found");
            };
            assert!(low.0 <= position && position < high.0, "{position}: {low:?} {high:?}");
            assert!(low.1 <= sequence && sequence < high.1, "{position}: {low:?} {high:?}");
            assert!(high.1 - low.1 <= REMEMBER_EVERY);
        }
        index.skip();
        index.push(3000, 3001);
        assert_eq!((index.end(), index.voids(1, 1002)), ((3001, 1003), BTreeSet::from([1001])));
        index.forget_before(2400, 801);
        assert_eq!(index.span(2399), None);
        assert_eq!(index.span(2400).map(|span| span.low), Some((2400, 801)));
    }
}
