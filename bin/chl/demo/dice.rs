//! Chance from a seed: whole numbers only, and the same ones in every release.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A source of chance; the draws are made here, so that no library's way of drawing matters.
#[derive(Debug)]
pub(super) struct Dice(ChaCha12Rng);

impl Dice {
    /// The dice of a seed.
    pub(super) fn of(seed: u64) -> Self {
        Self(ChaCha12Rng::seed_from_u64(seed))
    }

    /// A number from 0 to `n` − 1; 0 for an `n` of 0.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        let scaled = u128::from(self.0.next_u64()) * u128::from(n);
        u64::try_from(scaled >> 64).expect("the upper half of a product of two u64 is one")
    }

    /// A number between two, both included.
    pub(super) fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.saturating_sub(least).saturating_add(1);
        let drawn = self.below(u64::try_from(span).unwrap_or(0));
        least.saturating_add(i64::try_from(drawn).unwrap_or(0))
    }

    /// True in so many cases of a thousand.
    pub(super) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    /// A place in a list, the first far more often than the last.
    pub(super) fn skewed(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        let within = self.below(length) + 1;
        usize::try_from(self.below(within)).unwrap_or(0)
    }

    /// One of a list of texts.
    pub(super) fn pick<T: Copy + Default>(&mut self, list: &[T]) -> T {
        let length = u64::try_from(list.len()).unwrap_or(0);
        let at = usize::try_from(self.below(length)).unwrap_or(0);
        list.get(at).copied().unwrap_or_default()
    }

    /// An amount in minor units between two, small ones more often, in steps of a whole unit.
    pub(super) fn amount(&mut self, least: i64, most: i64) -> i64 {
        let span = u64::try_from(most.saturating_sub(least) / 100).unwrap_or(0);
        let within = self.below(span) + 1;
        let drawn = i64::try_from(self.below(within)).unwrap_or(0);
        least.saturating_add(drawn.saturating_mul(100))
    }

    /// Which of several, by their weights.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(u64, T)]) -> Option<T> {
        let total = choices.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.below(total);
        choices.iter().find_map(|(weight, choice)| {
            let here = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            here.then_some(*choice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_has_the_same_dice_for_ever() {
        let mut dice = Dice::of(7);
        let drawn: Vec<u64> = (0..6).map(|_| dice.below(1000)).collect();
        assert_eq!(drawn, [30, 307, 142, 542, 272, 951]);
    }

    #[test]
    fn draws_stay_within_their_bounds() {
        let mut dice = Dice::of(1);
        for _ in 0..10_000 {
            assert!((-3..=4).contains(&dice.between(-3, 4)));
            assert!(dice.skewed(5) < 5);
            assert!((500..100_000).contains(&dice.amount(500, 100_000)));
            assert!(dice.weighted(&[(0, 'a'), (2, 'b'), (1, 'c')]).is_some_and(|c| c != 'a'));
        }
        assert_eq!((dice.below(0), dice.pick::<&str>(&[])), (0, ""));
    }
}
