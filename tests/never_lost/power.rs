//! Power cuts: the block device is copied under the running ledger, and the copy is what is left.

use crate::session::{Book, Session, audit, chl};
use crate::{Seed, rounds};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A file system in a file, mounted for as long as it lives.
struct Mounted {
    at: PathBuf,
}

fn run(program: &str, arguments: &[&Path]) -> bool {
    let done = Command::new(program).args(arguments).output();
    done.is_ok_and(|out| out.status.success())
}

impl Mounted {
    fn new(image: &Path, at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let options = ["-o".as_ref(), "loop".as_ref(), image, at];
        run("mount", &options).then(|| Self { at: at.into() })
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        for _ in 0..50 {
            if run("umount", &[&self.at]) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        println!("could not unmount {}", self.at.display());
    }
}

/// A file with a file system in it; none where it cannot be made.
fn image(dir: &Path) -> Option<PathBuf> {
    let image = dir.join("disk");
    std::fs::File::create(&image).unwrap().set_len(256 << 20).unwrap();
    run("mkfs.ext4", &["-q".as_ref(), &image]).then_some(image)
}

#[test]
fn what_a_power_cut_leaves_holds_every_acknowledged_command() {
    let dir = tempfile::tempdir().unwrap();
    let disk = image(dir.path());
    let mounted = disk.as_ref().and_then(|disk| Mounted::new(disk, &dir.path().join("mnt")));
    let (Some(disk), Some(mounted)) = (disk, mounted) else {
        println!("SKIPPED: no ext4 on a loop device can be made and mounted here");
        return;
    };
    let mut seed = Seed::new("power cuts");
    let cuts = rounds("CHL_CUTS", 3);
    let mut acknowledged = 0;
    for cut in 0..cuts {
        let data = mounted.at.join(format!("round-{cut}"));
        let mut book = Book::default();
        let mut session = Session::start(chl(&data));
        session.feed(book.lines(0, 20_000));
        std::thread::sleep(Duration::from_millis(300 + seed.below(1500)));
        // What was acknowledged before the copy began must be in the copy.
        while let Ok(answer) = session.answers.try_recv() {
            book.note(&answer);
        }
        // Paused, so that the copy is of one moment.
        let pid = session.child.id().to_string();
        assert!(run("kill", &["-STOP".as_ref(), pid.as_ref()]));
        let left = dir.path().join("left");
        std::fs::copy(&disk, &left).unwrap();
        session.kill(&mut Book::default());
        let after = Mounted::new(&left, &dir.path().join("after")).unwrap();
        let data = after.at.join(format!("round-{cut}"));
        let mut again = Session::start(chl(&data));
        again.feed(book.lines(0, 10));
        let mut repeated = Book::default();
        let opened = again.finish(&mut repeated).success();
        let said = chl(&data).arg("check").output().unwrap();
        assert!(opened, "round {cut}: {}", String::from_utf8_lossy(&said.stderr));
        audit(&data, &book);
        acknowledged += book.accepted.len();
        // The next round finds room: a full disk is another test's.
        std::fs::remove_dir_all(mounted.at.join(format!("round-{cut}"))).unwrap();
    }
    println!("{cuts} power cuts, {acknowledged} acknowledged commands, none lost");
    assert!(acknowledged > 0, "nothing was acknowledged before a cut");
}
