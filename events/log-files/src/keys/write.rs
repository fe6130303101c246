//! Writes key files, in one pass over sorted entries and in little memory.

use super::{
    KeyError, Record,
    filter::FilterBuilder,
    page::PageWriter,
    run::{META_MAGIC, RUN_FORMAT, Stretch, TAIL_MAGIC},
};
use crate::Draft;
use chl_events::Hash;
use sha2::{Digest, Sha256};
use std::{io::Write, path::PathBuf};

pub(super) struct RunWriter {
    path: PathBuf,
    draft: Draft,
    digest: Sha256,
    stretch: Stretch,
    entries: u64,
    page: PageWriter,
    fences: Vec<u64>,
    filters: FilterBuilder,
}

impl RunWriter {
    pub(super) fn create(path: PathBuf, stretch: Stretch) -> Result<Self, KeyError> {
        let draft = Draft::create(&path).map_err(KeyError::io(&path))?;
        Ok(Self {
            path,
            draft,
            digest: Sha256::new(),
            stretch,
            entries: 0,
            page: PageWriter::new(),
            fences: Vec::new(),
            filters: FilterBuilder::default(),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), KeyError> {
        self.digest.update(bytes);
        self.draft.write_all(bytes).map_err(KeyError::io(&self.path))
    }

    /// Takes the next entry; they come in the order of their hashes, each hash once.
    pub(super) fn push(&mut self, record: &Record) -> Result<(), KeyError> {
        self.filters.push(record.hash).map_err(KeyError::damaged(&self.path))?;
        if self.page.is_empty() {
            self.fences.push(record.hash.upper());
        }
        if !self.page.push(record) {
            let full = self.page.take();
            self.write(&full)?;
            self.fences.push(record.hash.upper());
            self.page.push(record);
        }
        self.entries += 1;
        Ok(())
    }

    /// Lets the file appear and returns its digest.
    pub(super) fn finish(mut self) -> Result<Hash, KeyError> {
        if !self.page.is_empty() {
            let last = self.page.take();
            self.write(&last)?;
        }
        let filters = std::mem::take(&mut self.filters);
        let filters = filters.finish().map_err(KeyError::damaged(&self.path))?;
        let mut meta = META_MAGIC.to_vec();
        meta.extend_from_slice(&RUN_FORMAT.to_be_bytes());
        meta.extend_from_slice(&self.stretch.ledger.0);
        meta.extend_from_slice(&self.stretch.from.to_be_bytes());
        meta.extend_from_slice(&self.stretch.to.to_be_bytes());
        meta.extend_from_slice(&self.entries.to_be_bytes());
        meta.extend_from_slice(&(self.fences.len() as u32).to_be_bytes());
        for fence in &self.fences {
            meta.extend_from_slice(&fence.to_be_bytes());
        }
        filters.encode(&mut meta);
        let mut tail = (meta.len() as u32).to_be_bytes().to_vec();
        tail.extend_from_slice(&crc32c::crc32c(&meta).to_be_bytes());
        tail.extend_from_slice(TAIL_MAGIC);
        self.write(&meta)?;
        self.write(&tail)?;
        self.draft.publish().map_err(KeyError::io(&self.path))?;
        Ok(Hash(self.digest.finalize().into()))
    }
}
