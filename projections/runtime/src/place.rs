//! Where the database lies: a symbolic link to the newest build of it.
//!
//! `views.sqlite` names `views.sqlite.N`; a rebuild writes N + 1 beside and then replaces the
//! link by one rename. So a reader has the old or the new database, whole, and never one with
//! the write-ahead log of the other, which lies beside the file itself.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Says what of the database's files could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct PlaceError {
    path: PathBuf,
    source: io::Error,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> PlaceError {
    let path = path.to_owned();
    move |source| PlaceError { path, source }
}

/// The file a link names, where there is one.
pub(crate) fn current(link: &Path) -> Result<Option<PathBuf>, PlaceError> {
    match fs::read_link(link) {
        Ok(target) => Ok(Some(link.with_file_name(target))),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(at(link)(source)),
    }
}

/// The file the next build goes to; what an interrupted one left there is removed.
pub(crate) fn next(link: &Path) -> Result<PathBuf, PlaceError> {
    let number = current(link)?.as_deref().and_then(number_of).unwrap_or(0);
    let path = numbered(link, number.saturating_add(1));
    remove(&path)?;
    Ok(path)
}

fn number_of(path: &Path) -> Option<u64> {
    path.extension()?.to_str()?.parse().ok()
}

fn numbered(link: &Path, number: u64) -> PathBuf {
    with_suffix(link, &format!(".{number}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes the link name a file that is complete, after syncing it; removes the file before it.
pub(crate) fn switch(link: &Path, to: &Path) -> Result<(), PlaceError> {
    let before = current(link)?;
    File::open(to).and_then(|file| file.sync_all()).map_err(at(to))?;
    let beside = with_suffix(link, ".link");
    remove_one(&beside)?;
    let name = to.file_name().unwrap_or(to.as_os_str());
    std::os::unix::fs::symlink(name, &beside).map_err(at(&beside))?;
    fs::rename(&beside, link).map_err(at(link))?;
    let folder = folder_of(link);
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at(folder))?;
    before.filter(|before| before != to).map_or(Ok(()), |before| remove(&before))
}

/// Removes builds that an interrupted switch left beside the current one.
pub(crate) fn sweep(link: &Path, current: &Path) -> Result<(), PlaceError> {
    let folder = folder_of(link);
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        let build = number_of(&path).map(|number| numbered(link, number));
        if build.is_some_and(|build| build.file_name() == path.file_name())
            && path.file_name() != current.file_name()
        {
            remove(&path)?;
        }
    }
    Ok(())
}

fn folder_of(link: &Path) -> &Path {
    let folder = link.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Removes a database's files, where they are there.
pub(crate) fn remove(path: &Path) -> Result<(), PlaceError> {
    for suffix in ["-journal", "-wal", "-shm", ""] {
        remove_one(&with_suffix(path, suffix))?;
    }
    Ok(())
}

fn remove_one(path: &Path) -> Result<(), PlaceError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(at(path)(source)),
        Ok(()) | Err(_) => Ok(()),
    }
}
