//! The lease: which of several processes takes a ledger's commands.
//!
//! A key in a bucket that forgets it when nobody renews it in time. It decides who works, never
//! what is true: a writer that believes in a lease it has lost is kept out by the log's fence.

use crate::subject::Subjects;
use async_nats::jetstream::{
    self, ErrorCode,
    kv::{Config, CreateErrorKind, Store, UpdateErrorKind},
    stream::StorageType,
};
use chl_events::Code;
use std::{error::Error, iter::successors, time::Duration};

/// The only key of the bucket.
const KEY: &str = "writer";

/// Says why the lease could not be asked for.
#[derive(Debug, thiserror::Error)]
#[error("the lease of {ledger}: {source}")]
pub struct LeaseError {
    ledger: String,
    source: async_nats::Error,
}

/// The lease of a ledger, as one process sees it.
#[derive(Debug, Clone)]
pub struct Lease {
    bucket: Store,
    ledger: String,
    node: String,
    length: Duration,
}

/// A lease that this process holds, for as long as it renews it.
#[derive(Debug)]
pub struct Held {
    lease: Lease,
    revision: u64,
}

impl Lease {
    /// Finds the bucket of a ledger's lease, or makes it. `node` names this process to others.
    pub async fn open(
        nats: &async_nats::Client,
        ledger: &Code,
        node: &str,
        replicas: usize,
        length: Duration,
    ) -> Result<Self, LeaseError> {
        let name = Subjects::of(ledger.clone()).stream("lease");
        let config = Config {
            bucket: name.clone(),
            history: 1,
            max_age: length,
            // Nothing is lost with it but a few seconds.
            storage: StorageType::Memory,
            num_replicas: replicas,
            ..Default::default()
        };
        let context = jetstream::new(nats.clone());
        let made = context.create_key_value(config).await;
        let failed = |source| LeaseError { ledger: ledger.to_string(), source };
        let bucket = made.map_err(|error| failed(error.into()))?;
        Ok(Self { bucket, ledger: ledger.to_string(), node: node.to_owned(), length })
    }

    /// How long it lasts without being renewed.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// Takes the lease, unless another process holds it.
    pub async fn take(&self) -> Result<Option<Held>, LeaseError> {
        match self.bucket.create(KEY, self.node.clone().into()).await {
            Ok(revision) => Ok(Some(Held { lease: self.clone(), revision })),
            Err(error)
                if error.kind() == CreateErrorKind::AlreadyExists || was_overtaken(&error) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    /// The process that holds it, by its name.
    pub async fn holder(&self) -> Result<Option<String>, LeaseError> {
        let held = self.bucket.get(KEY).await.map_err(|error| self.failed(error))?;
        Ok(held.map(|name| String::from_utf8_lossy(&name).into_owned()))
    }

    fn failed(&self, source: impl Into<async_nats::Error>) -> LeaseError {
        LeaseError { ledger: self.ledger.clone(), source: source.into() }
    }
}

impl Held {
    /// Renews it; false when it was lost meanwhile.
    pub async fn renew(&mut self) -> Result<bool, LeaseError> {
        let Lease { bucket, node, .. } = &self.lease;
        match bucket.update(KEY, node.clone().into(), self.revision).await {
            Ok(revision) => {
                self.revision = revision;
                Ok(true)
            }
            Err(error)
                if error.kind() == UpdateErrorKind::WrongLastRevision || was_overtaken(&error) =>
            {
                Ok(false)
            }
            Err(error) => Err(self.lease.failed(error)),
        }
    }

    /// Gives it up, so that another process need not wait for its end.
    pub async fn release(self) -> Result<(), LeaseError> {
        let Self { lease, revision } = self;
        let gone = lease.bucket.purge_expect_revision(KEY, Some(revision)).await;
        gone.map_err(|error| lease.failed(error))
    }
}

/// Whether the servers say that somebody else wrote the key first; the client knows one of the two
/// codes they say it with.
fn was_overtaken(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |&error| error.source());
    causes.any(|cause| {
        let refusal = cause.downcast_ref::<jetstream::Error>();
        matches!(
            refusal.map(jetstream::Error::error_code),
            Some(
                ErrorCode::STREAM_WRONG_LAST_SEQUENCE
                    | ErrorCode::STREAM_WRONG_LAST_SEQUENCE_CONSTANT
            )
        )
    })
}
