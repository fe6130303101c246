//! The CRM sample, which is no part of the project: read from `CHL_TEST_DATA`, else from beside the
//! checkout.

use std::{io::Write, path::PathBuf};

/// Its folder; none, said aloud, where it is not.
pub(crate) fn sample() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("CHL_TEST_DATA").map_or_else(beside, PathBuf::from);
    let folder = folder.join("crm-pipeline");
    if folder.join("sales_pipeline.csv").is_file() {
        return Some(folder);
    }
    // Written past the capture of the test's output: a skip is seen.
    let skipped = format!("SKIPPED: no CRM sample in {}\n", folder.display());
    std::io::stderr().write_all(skipped.as_bytes()).unwrap();
    None
}
