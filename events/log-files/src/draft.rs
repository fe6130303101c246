//! Files that appear whole or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

/// What unfinished files end in; they are left-overs of a crash and may be removed.
const UNFINISHED: &str = "tmp";
const BUFFER_BYTES: usize = 256 * 1024;

/// Makes what happened to a folder's entries durable.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes a folder, and its entry in the folder above durable; one that exists is left alone.
pub fn create_dir(dir: &Path) -> io::Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => sync_parent(dir),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those above it that are missing, each entry durable.
pub fn create_dir_with_parents(dir: &Path) -> io::Result<()> {
    if let Some(parent) = dir.parent()
        && !parent.as_os_str().is_empty()
        && !parent.is_dir()
    {
        create_dir_with_parents(parent)?;
    }
    create_dir(dir)
}

/// Gives a file or folder another name, durably on both sides.
pub fn rename_durably(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_parent(to)?;
    if from.parent() == to.parent() { Ok(()) } else { sync_parent(from) }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => sync_dir(Path::new(".")),
    }
}

/// A file under way: written beside its place, synced, then renamed into it.
///
/// One that is dropped before it is published is removed.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    unfinished: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Draft {
    /// Begins a file that is to appear at `path`.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".");
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(&unfinished)?);
        Ok(Self { path: path.to_owned(), unfinished, file: Some(file) })
    }

    /// Whether a file of this name is what a crash left of a draft.
    pub fn is_unfinished(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == UNFINISHED)
    }

    /// Syncs the file, renames it into its place, and syncs the folder.
    pub fn publish(mut self) -> io::Result<()> {
        let file = self.file.take().ok_or_else(closed)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        rename_durably(&self.unfinished, &self.path)
    }
}

fn closed() -> io::Error {
    io::Error::other("the file is published already")
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().ok_or_else(closed)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().ok_or_else(closed)?.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            // The bytes still in the buffer are not wanted, and whoever finds the file removes it.
            let (_file, _rest) = file.into_parts();
            let _removed = fs::remove_file(&self.unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_draft_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let mut draft = Draft::create(&path).unwrap();
        draft.write_all(b"first").unwrap();
        assert!(!path.exists());
        draft.publish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        let mut draft = Draft::create(&path).unwrap();
        draft.write_all(b"second").unwrap();
        drop(draft);
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
