//! Channel Ledger against its peers and limits: both sides in one run, durability equal.

mod append;
mod measure;
mod path;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let line = arguments.next().unwrap_or_else(|| "all".into());
    let rounds = arguments.next().map_or(Ok(5), |text| text.parse())?;
    let dir = tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or_else(|| ".".into()))?;
    let lines: &[(&str, fn(&std::path::Path, usize) -> Result<()>)] = 
        &[("append", append::run), ("path", path::run)];
    measure::head();
    let mut known = false;
    for (name, run) in lines {
        if line == "all" || line == *name {
            known = true;
            run(dir.path(), rounds)?;
        }
    }
    if !known {
        bail!("no line {line:?}; there are: all, append, path");
    }
    Ok(())
}
