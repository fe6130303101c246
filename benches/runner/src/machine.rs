//! What the machine says of a process: processor time, bytes written, memory; and its page cache.

use anyhow::{Context, Result};
use rustix::{
    fs::{Advice, fadvise},
    time::{ClockId, clock_gettime},
};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// What a process or thread has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// On a processor, in user's and system's mode.
    pub cpu: Duration,
    /// Bytes it made the disk write, or will.
    pub written: u64,
}

impl Used {
    /// Adds what another used.
    pub fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.written += other.written;
    }

    /// What came on top since an earlier look.
    pub fn since(self, before: Self) -> Self {
        let cpu = self.cpu.saturating_sub(before.cpu);
        Self { cpu, written: self.written.saturating_sub(before.written) }
    }
}

/// What this process has used.
pub fn used() -> Result<Used> {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let cpu = Duration::new(cpu.tv_sec.try_into()?, cpu.tv_nsec.try_into()?);
    Ok(Used { cpu, written: written(Path::new("/proc/self/io"))? })
}

fn written(io: &Path) -> Result<u64> {
    let text = fs::read_to_string(io)?;
    let line = text.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.context("io says write_bytes")?.parse()?)
}

/// The most memory a process has had resident, in MB; none when it has gone.
pub fn peak_mb(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib * 1024.0 / 1e6)
}

/// The files of a folder, and of the folders in it.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            all.extend(files(&entry.path())?);
        } else if entry.file_type()?.is_file() {
            all.push(entry.path());
        }
    }
    Ok(all)
}

/// How many bytes the files of a folder take on the disk.
pub fn bytes_on_disk(dir: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let sizes = files(dir)?.into_iter().map(|path| Ok(fs::metadata(path)?.blocks() * 512));
    sizes.sum()
}

/// Drops the files of a folder from the page cache, so that the next look goes to the disk.
pub fn evict(dir: &Path) -> Result<()> {
    for path in files(dir)? {
        let file = File::open(&path)?;
        file.sync_all()?;
        fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Watches the threads of this process until it is stopped, so that those that end are counted
/// too.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<BTreeMap<String, Used>>>,
}

/// How often the threads are looked at.
const GLANCE: Duration = Duration::from_millis(2);

impl Watch {
    /// Begins to watch.
    pub fn start() -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut seen: BTreeMap<u64, Thread> = BTreeMap::new();
        look(&mut seen, true)?;
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Acquire) {
                std::thread::sleep(GLANCE);
                look(&mut seen, false)?;
            }
            let mut all: BTreeMap<String, Used> = BTreeMap::new();
            for Thread { name, before, used } in seen.into_values() {
                all.entry(name).or_default().add(used.since(before));
            }
            Ok(all)
        });
        Ok(Self { stop, thread })
    }

    /// Ends, and says what threads of each name used meanwhile.
    pub fn stop(self) -> Result<BTreeMap<String, Used>> {
        self.stop.store(true, Ordering::Release);
        self.thread.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?
    }
}

struct Thread {
    name: String,
    before: Used,
    used: Used,
}

/// Takes down what every thread has used so far; one that was not there before began with nothing.
fn look(seen: &mut BTreeMap<u64, Thread>, first: bool) -> Result<()> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?;
        let id = task.file_name().to_string_lossy().parse()?;
        // A thread may end between the look at the list and the look at it.
        let Some((name, used)) = thread(&task.path()) else { continue };
        let before = if first { used } else { Used::default() };
        let thread = seen.entry(id).or_insert(Thread { name: name.clone(), before, used });
        (thread.name, thread.used) = (name, used);
    }
    Ok(())
}

/// The processor time of the thread that asks.
pub fn thread_cpu() -> Result<Duration> {
    let cpu = clock_gettime(ClockId::ThreadCPUTime);
    Ok(Duration::new(cpu.tv_sec.try_into()?, cpu.tv_nsec.try_into()?))
}

/// What the threads of a name use while something is done; they must outlive it.
pub fn used_by(name: &str) -> Result<Used> {
    let mut seen = BTreeMap::new();
    look(&mut seen, true)?;
    let mut sum = Used::default();
    for thread in seen.into_values().filter(|thread| thread.name == name) {
        sum.add(thread.used);
    }
    Ok(sum)
}

fn thread(task: &Path) -> Option<(String, Used)> {
    let name = fs::read_to_string(task.join("comm")).ok()?.trim().to_owned();
    let times = fs::read_to_string(task.join("schedstat")).ok()?;
    let cpu = Duration::from_nanos(times.split(' ').next()?.parse().ok()?);
    Some((name, Used { cpu, written: written(&task.join("io")).ok()? }))
}
