//! Looking for bytes in every file below a folder.

use std::{fs, path::Path};

/// Where something stands: the files below a folder that hold one of some texts or keys.
pub(crate) fn files_with(folder: &Path, sought: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = fs::symlink_metadata(&path).map(|of| of.file_type());
        // A file of a running server may go while it is looked for.
        let Ok(kind) = kind else { continue };
        if kind.is_dir() {
            found.extend(files_with(&path, sought));
        } else if kind.is_file() && holds(&fs::read(&path).unwrap_or_default(), sought) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Whether one of them is in some bytes.
pub(crate) fn holds(bytes: &[u8], sought: &[Vec<u8>]) -> bool {
    sought.iter().any(|one| bytes.windows(one.len()).any(|part| part == one))
}
