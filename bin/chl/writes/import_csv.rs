//! `chl import csv`: an export becomes commands.

use super::submit::send;
use crate::{
    exit::Exit,
    failure::{Failure, Outcome, Step},
    import::{self, Origin, Plan, Rejects},
    output::{Output, Sheet, Sink},
    owner::Submission,
    place::Place,
    talk, user,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::mpsc::{Receiver, channel},
};

/// Imports CSV exports of another system, by a map in a file.
///
/// The map (TOML) says which rows become which commands; rows it leaves out, and rows whose command
/// is refused, are counted and written beside with the reason. Importing the same files again
/// changes nothing: what is there is answered as already applied. See examples/ for maps.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportCsv {
    /// The map.
    #[arg(long, value_name = "MAP")]
    map: PathBuf,
    /// The exports, by the names the map knows them under, or as NAME=PATH.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The folder for rows that became no command; without it the current one.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    rejects: PathBuf,
    /// Decides all of it on a scratch copy and writes nothing to the ledger.
    #[arg(long)]
    dry_run: bool,
    /// Prints the answer to every command, as `chl submit` does, and not the report.
    #[arg(long)]
    answers: bool,
}

impl ImportCsv {
    /// Imports.
    pub(crate) fn run(&self, place: &Place, mut output: Output) -> Outcome<Exit> {
        let plan =
            import::open(&self.map, &self.files).or_exit(Exit::Usage, "the import cannot begin")?;
        fs::create_dir_all(&self.rejects)
            .or_exit(Exit::Usage, format_args!("{}", self.rejects.display()))?;
        let report = plan.report();
        let submission = Submission {
            actor: user::actor()?.to_string(),
            source: report.source.clone(),
            trust_claims: false,
            dry_run: self.dry_run,
            wait: Vec::new(),
        };
        let (sent, origins) = channel();
        let mut keeper = Keeper {
            plan: &plan,
            rejects: Rejects::into_folder(&self.rejects),
            origins,
            counts: BTreeMap::new(),
            answers: self.answers.then_some(&mut output),
        };
        for reject in plan.rejects() {
            keeper.beside(&reject)?;
        }
        let bar = talk::progress("rows", u64::try_from(plan.len()).ok());
        let lines = plan.lines().zip(1..).map(|(line, number)| {
            bar.inc(1);
            match line {
                Ok(line) => {
                    // The other end lives as long as the lines are read.
                    let _gone = sent.send(Sent::Line(line.origin));
                    Some(Ok((number, line.json.into_bytes())))
                }
                Err(reject) => {
                    let _gone = sent.send(Sent::Reject(reject));
                    None
                }
            }
        });
        let exit = send(place, &submission, lines.flatten(), &mut keeper)?;
        keeper.rest()?;
        bar.finish_and_clear();
        let Keeper { counts, rejects, .. } = keeper;
        let written = rejects.finish().or_exit(Exit::Internal, "the rejects")?;
        if !self.answers {
            show(&report, &counts, &mut output)?;
        }
        for path in written {
            talk::say(&format!("rows that became no command are in {}", path.display()));
        }
        output.end()?;
        Ok(exit)
    }
}

/// What became of a row while its command was made.
enum Sent {
    Line(Origin),
    Reject(import::Reject),
}

/// Counts answers by command, and keeps the rows of refused ones.
struct Keeper<'a> {
    plan: &'a Plan,
    rejects: Rejects,
    origins: Receiver<Sent>,
    counts: BTreeMap<String, u64>,
    answers: Option<&'a mut Output>,
}

impl Keeper<'_> {
    fn beside(&mut self, reject: &import::Reject) -> Outcome {
        let header = self.plan.header(&reject.file);
        self.rejects.write(reject, header).or_exit(Exit::Internal, "the rejects")
    }

    /// Where the line comes from that the next answer is for.
    fn origin(&mut self) -> Outcome<Origin> {
        loop {
            match self.origins.recv() {
                Ok(Sent::Line(origin)) => return Ok(origin),
                Ok(Sent::Reject(reject)) => self.beside(&reject)?,
                Err(_) => return Err(Failure::new(Exit::Internal, "an answer without a line")),
            }
        }
    }

    /// Takes what became no command behind the last answer.
    fn rest(&mut self) -> Outcome {
        while let Ok(Sent::Reject(reject)) = self.origins.try_recv() {
            self.beside(&reject)?;
        }
        Ok(())
    }
}

impl Sink for Keeper<'_> {
    fn begin(&mut self, sheet: &Sheet<'_>) -> Outcome {
        self.answers.as_mut().map_or(Ok(()), |output| output.begin(sheet))
    }

    fn document(&mut self, answer: &str) -> Outcome {
        let origin = self.origin()?;
        let told: Value = serde_json::from_str(answer).or_exit(Exit::Internal, "an answer")?;
        let text = |field: &str| told.get(field).and_then(Value::as_str).unwrap_or_default();
        let duplicate = told.get("duplicate") == Some(&Value::Bool(true));
        let outcome = match text("outcome") {
            "accepted" if duplicate => "already applied".to_owned(),
            "accepted" => "accepted".to_owned(),
            other => format!("{other}: {}", text("code")),
        };
        if outcome.contains(':') {
            let reason = format!("{}: {}", text("code"), text("message"));
            if let Some(reject) = self.plan.reject(origin, &reason) {
                self.beside(&reject)?;
            }
        }
        *self.counts.entry(outcome).or_default() += 1;
        self.answers.as_mut().map_or(Ok(()), |output| output.document(answer))
    }

    fn row(&mut self, values: Vec<Value>) -> Outcome {
        self.answers.as_mut().map_or(Ok(()), |output| output.row(values))
    }

    fn line(&mut self, line: &str) -> Outcome {
        self.answers.as_mut().map_or(Ok(()), |output| output.line(line))
    }

    fn pass_on(&mut self) -> Outcome {
        self.answers.as_mut().map_or(Ok(()), |output| output.pass_on())
    }

    fn note(&mut self, text: &str) -> Outcome {
        talk::say(text);
        Ok(())
    }
}

/// Shows what the import read and what became of it.
fn show(report: &import::Report, counts: &BTreeMap<String, u64>, output: &mut Output) -> Outcome {
    let rows = Sheet::new("rows", &["file", "rows", "outside", "reason"]);
    output.begin(&rows)?;
    for file in &report.files {
        output.row(rows.values(json!({ "file": file.file, "rows": file.rows })))?;
        for (reason, outside) in &file.outside {
            let row = json!({ "file": file.file, "outside": outside, "reason": reason });
            output.row(rows.values(row))?;
        }
    }
    let commands = Sheet::new("commands", &["command", "made"]);
    output.begin(&commands)?;
    for (command, made) in &report.commands {
        output.row(commands.values(json!({ "command": command, "made": made })))?;
    }
    if report.repeated > 0 {
        let row = json!({ "command": "(repeated keys, sent once)", "made": report.repeated });
        output.row(commands.values(row))?;
    }
    let answers = Sheet::new("answers", &["answer", "count"]);
    output.begin(&answers)?;
    for (answer, count) in counts {
        output.row(answers.values(json!({ "answer": answer, "count": count })))?;
    }
    Ok(())
}
