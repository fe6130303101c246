//! Jobs: commands that are answered together.
//!
//! One that forgets somebody is made durable alone, so that a job that holds one is decided in parts
//! and answered when all of them are.

use crate::{answer::Answer, committer::Reply, prepare::Prepared};
use std::sync::{Arc, Mutex, PoisonError};

/// Commands that are answered together.
pub(crate) struct Job {
    pub(crate) commands: Vec<Prepared>,
    pub(crate) dry_run: bool,
    /// Whether its one command forgets somebody.
    pub(crate) forgets: bool,
    pub(crate) reply: Reply,
}

/// A job in parts, so that each command that forgets somebody is one of its own; most jobs stay as
/// they are.
pub(crate) fn parted(job: Job) -> Vec<Job> {
    let forgetting = job.commands.iter().filter(|command| command.command.is_forgetting()).count();
    if forgetting == 0 || job.dry_run {
        return vec![job];
    }
    let mut parts: Vec<(Vec<_>, bool)> = Vec::new();
    for command in job.commands {
        let forgets = command.command.is_forgetting();
        match parts.last_mut() {
            Some((part, false)) if !forgets => part.push(command),
            _ => parts.push((vec![command], forgets)),
        }
    }
    let all = Gathered { answers: Vec::new(), missing: parts.len(), reply: Some(job.reply) };
    let all = Arc::new(Mutex::new(all));
    let part = |(commands, forgets)| {
        let all = Arc::clone(&all);
        let reply = move |answers| {
            all.lock().unwrap_or_else(PoisonError::into_inner).take(answers);
        };
        Job { commands, dry_run: false, forgets, reply: Box::new(reply) }
    };
    parts.into_iter().map(part).collect()
}

/// The answers of a job's parts, which are answered in their order.
struct Gathered {
    answers: Vec<Answer>,
    missing: usize,
    reply: Option<Reply>,
}

impl Gathered {
    fn take(&mut self, answers: Vec<Answer>) {
        self.answers.extend(answers);
        self.missing = self.missing.saturating_sub(1);
        if self.missing == 0
            && let Some(reply) = self.reply.take()
        {
            reply(std::mem::take(&mut self.answers));
        }
    }
}
