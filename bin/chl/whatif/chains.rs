//! A log as chains: a command from outside with what the clock did before it and policies behind it.

use crate::failure::Outcome;
use chl_events::{Commit, Role};
use std::iter::Peekable;

/// The commits of one command from outside.
#[derive(Debug)]
pub(super) struct Chain {
    /// Its own.
    pub(super) own: Commit,
    /// What the clock and the policies did with it.
    pub(super) others: Vec<Commit>,
}

impl Chain {
    /// All of them.
    pub(super) fn commits(&self) -> impl Iterator<Item = &Commit> {
        std::iter::once(&self.own).chain(&self.others)
    }
}

/// The chains of commits in the order of the log.
pub(super) struct Chains<I: Iterator<Item = Outcome<Commit>>> {
    commits: Peekable<I>,
}

impl<I: Iterator<Item = Outcome<Commit>>> Chains<I> {
    /// Begins at the first chain.
    pub(super) fn new(commits: I) -> Self {
        Self { commits: commits.peekable() }
    }
}

impl<I: Iterator<Item = Outcome<Commit>>> Iterator for Chains<I> {
    type Item = Outcome<Chain>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut others = Vec::new();
        let own = loop {
            match self.commits.next()? {
                Ok(commit) if matches!(commit.origin.role, Role::Clock | Role::Policy) => {
                    others.push(commit);
                }
                Ok(commit) => break commit,
                Err(failure) => return Some(Err(failure)),
            }
        };
        let follows = |commit: &Outcome<Commit>| {
            commit.as_ref().is_ok_and(|commit| commit.origin.role == Role::Policy)
        };
        while let Some(Ok(commit)) = self.commits.next_if(follows) {
            others.push(commit);
        }
        Some(Ok(Chain { own, others }))
    }
}
