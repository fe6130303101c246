//! The program itself, fed and answering through pipes.

use crate::machine;
use anyhow::{Context, Result, bail};
use std::{
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

/// How often a process is asked for its memory while it ends.
const GLANCE: Duration = Duration::from_millis(10);

/// A running `chl submit`.
pub struct Session {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Session {
    /// Starts the program on a folder of ledgers.
    pub fn start(chl: &Path, data: &Path) -> Result<Self> {
        let mut child = Command::new(chl)
            .arg("--data")
            .arg(data)
            .args(["submit", "-", "--output", "jsonl"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("{} does not run; CHL names the program", chl.display()))?;
        let input = BufWriter::new(child.stdin.take().context("its input is a pipe")?);
        let output = BufReader::new(child.stdout.take().context("its output is a pipe")?);
        Ok(Self { child, input, output })
    }

    /// Sends lines with at most `window` unanswered; all must be accepted.
    pub fn exchange(
        &mut self,
        lines: impl IntoIterator<Item = String>,
        window: usize,
    ) -> Result<u64> {
        let mut lines = lines.into_iter().fuse();
        let (mut unanswered, mut answered) = (0, 0);
        let mut answer = String::new();
        loop {
            while unanswered < window {
                let Some(line) = lines.next() else { break };
                writeln!(self.input, "{line}")?;
                unanswered += 1;
            }
            if unanswered == 0 {
                return Ok(answered);
            }
            self.input.flush()?;
            // One that is waited for, and those that came with it.
            loop {
                self.answer(&mut answer)?;
                unanswered -= 1;
                answered += 1;
                if unanswered == 0 || !self.output.buffer().contains(&b'\n') {
                    break;
                }
            }
        }
    }

    fn answer(&mut self, answer: &mut String) -> Result<()> {
        answer.clear();
        self.output.read_line(answer)?;
        if !answer.contains(r#""outcome":"accepted""#) {
            bail!("not accepted: {answer}");
        }
        Ok(())
    }

    /// Ends the input and waits until the program has written its read models down and gone; says
    /// how much memory it had at most, in MB.
    pub fn finish(mut self) -> Result<f64> {
        drop(self.input);
        wait(&mut self.child)
    }

    /// Sends lines without waiting for an answer and kills the program under them.
    pub fn kill_under(mut self, lines: impl IntoIterator<Item = String>) -> Result<()> {
        for line in lines {
            writeln!(self.input, "{line}")?;
        }
        self.input.flush()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Waits for a process to end well; says how much memory it had at most, in MB.
pub fn wait(child: &mut Child) -> Result<f64> {
    let mut peak = 0.0;
    loop {
        peak = machine::peak_mb(child.id()).unwrap_or(peak);
        if let Some(status) = child.try_wait()? {
            if status.success() {
                return Ok(peak);
            }
            bail!("the program ended with {status}");
        }
        std::thread::sleep(GLANCE);
    }
}
