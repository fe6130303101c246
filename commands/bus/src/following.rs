//! Following: blocks handed on as they become durable, through a queue that is bounded by their
//! bytes, since groups make blocks of a few hundred bytes as well as of 64 KiB.

use chl_events::Block;
use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

#[derive(Default)]
struct Queue {
    blocks: VecDeque<Block>,
    bytes: usize,
    /// The ledger hands nothing on any more.
    ended: bool,
    /// Nobody takes anything any more.
    left: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    room: usize,
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes one of the ends, and wakes the other.
    fn tell(&self, change: impl FnOnce(&mut Queue)) {
        change(&mut self.queue());
        self.changed.notify_all();
    }
}

/// The ledger's end of a queue.
pub(crate) struct Hand(Arc<Shared>);

/// The follower's end of a queue, before it is known where it begins.
pub(crate) struct Taking(Arc<Shared>);

/// A queue in which blocks of about so many bytes wait; a block fits whenever nothing else waits.
pub(crate) fn queue(room: usize) -> (Hand, Taking) {
    let shared = Shared { queue: Mutex::default(), changed: Condvar::new(), room };
    let shared = Arc::new(shared);
    (Hand(Arc::clone(&shared)), Taking(shared))
}

impl Hand {
    /// Hands a block on once there is room for it; says whether anybody still follows.
    pub(crate) fn hand(&self, block: Block) -> bool {
        let size = block.bytes().len();
        let mut queue = self.0.queue();
        while !queue.left && queue.bytes > 0 && queue.bytes.saturating_add(size) > self.0.room {
            queue = self.0.wait(queue);
        }
        if queue.left {
            return false;
        }
        queue.bytes = queue.bytes.saturating_add(size);
        queue.blocks.push_back(block);
        drop(queue);
        self.0.changed.notify_all();
        true
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.tell(|queue| queue.ended = true);
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        self.0.tell(|queue| {
            queue.left = true;
            queue.blocks.clear();
        });
    }
}

/// Blocks as they become durable, in memory, without a gap. While nobody takes them and the queue
/// is full, the ledger waits.
pub struct Following {
    from: u64,
    taking: Taking,
}

impl Following {
    pub(crate) fn new(from: u64, taking: Taking) -> Self {
        Self { from, taking }
    }

    /// The position the first block begins at; what lies before is in the log.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// Waits for the next block, and takes with it what else is there, up to so many bytes. None
    /// once the ledger is closed and everything was taken.
    pub fn next(&self, most: usize) -> Option<Vec<Block>> {
        let shared = &self.taking.0;
        let mut queue = shared.queue();
        while queue.blocks.is_empty() {
            if queue.ended {
                return None;
            }
            queue = shared.wait(queue);
        }
        let (mut taken, mut bytes) = (Vec::new(), 0_usize);
        while let Some(block) = queue.blocks.pop_front() {
            bytes = bytes.saturating_add(block.bytes().len());
            taken.push(block);
            if bytes >= most {
                break;
            }
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        drop(queue);
        shared.changed.notify_all();
        Some(taken)
    }

    /// Whether no block waits at this moment.
    pub fn is_drained(&self) -> bool {
        self.taking.0.queue().blocks.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use chl_events::{Hash, LedgerId};
    use std::{thread, time::Duration};

    fn block(first: u64, bytes: usize) -> Block {
        Block::new(LedgerId([1; 16]), first, Hash([0; 32]), &[vec![0; bytes]]).unwrap()
    }

    #[test]
    fn a_full_queue_is_waited_for_and_blocks_come_in_order() {
        let (hand, taking) = queue(5_000);
        let follows = Following::new(0, taking);
        let handing = thread::spawn(move || {
            for at in 0..100 {
                assert!(hand.hand(block(at, 2_000)));
            }
        });
        thread::sleep(Duration::from_millis(50));
        assert!(!handing.is_finished());
        let mut taken = Vec::new();
        while let Some(blocks) = follows.next(3_000) {
            assert!(blocks.len() <= 2, "no more than asked for, and one");
            taken.extend(blocks.iter().map(Block::first));
        }
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
        handing.join().unwrap();
        assert!(follows.is_drained());
    }

    #[test]
    fn a_block_larger_than_the_room_goes_alone() {
        let (hand, taking) = queue(10);
        let follows = Following::new(7, taking);
        assert!(hand.hand(block(7, 1_000)));
        assert!(!follows.is_drained());
        assert_eq!(follows.next(1).unwrap().len(), 1);
        drop(hand);
        assert!(follows.next(1).is_none());
    }

    #[test]
    fn who_hands_on_learns_that_nobody_follows() {
        let (hand, taking) = queue(10);
        assert!(hand.hand(block(0, 1_000)));
        let waiting = thread::spawn(move || hand.hand(block(1, 1_000)));
        thread::sleep(Duration::from_millis(20));
        drop(Following::new(0, taking));
        assert!(!waiting.join().unwrap());
    }
}
