//! What the user can ask: the options of all calls, and the list of calls.

use crate::{
    actors::Token,
    asking,
    audit::Audit,
    bench,
    exit::{EXIT_CODES, Exit},
    failure::{Failure, Outcome},
    follow::Follow,
    nats::Parked,
    output::{Format, Output},
    place::Place,
    reads::{self, Read},
    reference::{self, codes::Code, completions::Completions, schema::Schema},
    servers::Servers,
    stepping,
    talk::LogFormat,
    whatif::WhatIf,
    writes,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// The ledger of channel programmes: deals, conflicts, co-op and MDF, as one record to replay.
///
/// Commands go in as JSON lines, the ledger decides them, and what it accepts is on disk before
/// the answer leaves. Read models answer what is, and what was at any time. Data goes to standard
/// output, talk to standard error.
#[derive(Debug, Parser)]
#[command(name = "chl", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Args {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    call: Call,
}

/// The options of all calls.
#[derive(Debug, clap::Args)]
struct Global {
    /// The folder of the embedded ledgers.
    #[arg(long, value_name = "DIR", global = true, env = "CHL_DATA", default_value = "chl-data")]
    data: PathBuf,
    /// The ledger's name, where there are several; `chl serve --nats` takes more than one.
    #[arg(long, value_name = "NAME", global = true, default_value = "main")]
    ledger: Vec<String>,
    /// The shape of the data; without it a table on a terminal and JSON lines in a pipe.
    #[arg(long, value_name = "FORMAT", global = true)]
    output: Option<Format>,
    /// A head of the log is sealed when its blocks have so many bytes; without it 16 MiB.
    #[arg(long, value_name = "BYTES", global = true, env = "CHL_SEAL_BYTES", hide = true)]
    seal_bytes: Option<u64>,
    /// The shape of the log's lines on standard error; what they tell say CHL_LOG or RUST_LOG.
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        env = "CHL_LOG_FORMAT",
        default_value = "text"
    )]
    log_format: LogFormat,
    #[command(flatten)]
    servers: Servers,
}

#[derive(Debug, Subcommand)]
enum Call {
    Demo(writes::Demo),
    Submit(writes::Submit),
    #[command(subcommand)]
    Import(Import),
    Serve(writes::Serve),
    Parked(Parked),
    Token(Token),
    Query(reads::Query),
    Sql(reads::Sql),
    Scorecard(reads::ScorecardOf),
    Duplicates(reads::Duplicates),
    Due(reads::DueBy),
    Export(reads::ExportViews),
    Follow(Follow),
    #[command(subcommand)]
    Explain(Explain),
    #[command(subcommand)]
    Audit(Audit),
    #[command(subcommand)]
    Log(Log),
    Replay(reads::Replay),
    #[command(name = "whatif")]
    WhatIf(WhatIf),
    Check(reads::Check),
    Rebuild(writes::Rebuild),
    Backup(reads::Backup),
    Restore(writes::Restore),
    #[command(subcommand)]
    Programme(Programme),
    Bench(bench::Bench),
    Schema(Schema),
    Completions(Completions),
}

/// Looks at programmes before they are published.
#[derive(Debug, Subcommand)]
enum Programme {
    Check(reference::programme::Check),
    Diff(reference::programme_diff::Diff),
}

/// Says why a number is what it is, what happened, or what a code means.
#[derive(Debug, Subcommand)]
enum Explain {
    Balance(reads::Balance),
    Deal(reads::Deal),
    Claim(reads::Claim),
    Code(Code),
}

/// Shows, exports, imports and repairs the history.
#[derive(Debug, Subcommand)]
enum Log {
    View(reads::View),
    Tail(reads::Tail),
    Export(reads::Export),
    Import(writes::ImportLog),
    Repair(writes::Repair),
}

/// Turns exports of other systems into commands.
#[derive(Debug, Subcommand)]
enum Import {
    #[command(name = "csv")]
    Csv(writes::ImportCsv),
}

impl Global {
    /// The places of the ledgers named.
    fn places(&self) -> Outcome<Vec<Place>> {
        let mut places: Vec<Place> = Vec::new();
        for name in &self.ledger {
            if places.iter().any(|place| place.ledger() == name) {
                return Err(Failure::usage(format_args!("--ledger {name} is there twice")));
            }
            let place = Place::new(&self.data, name)?;
            places.push(place.sealing_at(self.seal_bytes).on(&self.servers));
        }
        Ok(places)
    }
}

impl Args {
    /// The shape of the log's lines.
    pub(crate) fn log_format(&self) -> LogFormat {
        self.global.log_format
    }

    /// Does what was asked.
    pub(crate) fn run(self) -> Outcome<Exit> {
        let Self { global, call } = self;
        let places = global.places()?;
        let [place] = places.as_slice() else {
            let Call::Serve(call) = call else {
                return Err(Failure::usage("only `chl serve --nats` takes more than one --ledger"));
            };
            return call.run(&places, &global.servers);
        };
        let output = Output::standard(global.output);
        match call {
            Call::Submit(call) => call.run(place, &global.servers, output),
            Call::Demo(call) => call.run(global.data, output),
            Call::Import(Import::Csv(call)) => call.run(place, output),
            Call::Rebuild(call) => call.run(place, output),
            Call::Backup(call) => {
                place.require_embedded("a backup")?;
                asking::ask(place, Read::Backup(call.absolute()?), output)
            }
            Call::Restore(call) => call.run(place, output),
            Call::Serve(call) => call.run(&places, &global.servers),
            Call::Parked(call) => call.run(place, &global.servers, output),
            Call::Token(call) => call.print(output),
            Call::Query(call) if call.file.is_named() => {
                asking::ask_nobody(output, |sink| call.answer_in_file(sink))
            }
            Call::Query(call) => asking::ask(place, Read::Query(call), output),
            Call::Sql(call) if call.file.is_named() => {
                asking::ask_nobody(output, |sink| call.answer_in_file(sink))
            }
            Call::Sql(call) => asking::ask(place, Read::Sql(call), output),
            Call::Scorecard(call) if call.publish => {
                let source = reads::PUBLICATIONS;
                writes::submit_computed(place, Read::Scorecard(call), source, output)
            }
            Call::Scorecard(call) => asking::ask(place, Read::Scorecard(call), output),
            Call::Duplicates(call) if call.report => {
                let source = reads::REPORTS;
                writes::submit_computed(place, Read::Duplicates(call), source, output)
            }
            Call::Due(call) if call.sweep => {
                writes::submit_computed(place, Read::Due(call), reads::SWEEPS, output)
            }
            Call::Due(call) => asking::ask(place, Read::Due(call), output),
            Call::Duplicates(call) => asking::ask(place, Read::Duplicates(call), output),
            Call::Export(call) => asking::ask(place, Read::Tables(call.absolute()?), output),
            Call::Follow(call) => call.run(place),
            Call::Explain(call) => call.run(place, output),
            Call::Log(call) => call.run(place, output),
            Call::Audit(call) => call.run(place, output),
            Call::Replay(call) => stepping::replay(place, call, output),
            Call::WhatIf(call) => asking::ask(place, Read::WhatIf(call.read()?), output),
            Call::Check(call) => asking::ask(place, Read::Check(call), output),
            Call::Programme(Programme::Check(call)) => call.run(output),
            Call::Programme(Programme::Diff(call)) => call.run(place, output),
            Call::Bench(call) => call.run(&global.data, output),
            Call::Schema(call) => call.print(output),
            Call::Completions(call) => call.print::<Self>(),
        }
    }
}

impl Explain {
    fn run(self, place: &Place, output: Output) -> Outcome<Exit> {
        match self {
            Self::Balance(call) => asking::ask(place, Read::Balance(call), output),
            Self::Deal(call) => asking::ask(place, Read::Deal(call), output),
            Self::Claim(call) => asking::ask(place, Read::Claim(call), output),
            Self::Code(call) => call.print(output),
        }
    }
}

impl Log {
    fn run(self, place: &Place, output: Output) -> Outcome<Exit> {
        match self {
            Self::View(call) => asking::ask(place, Read::View(call), output),
            Self::Import(call) => call.run(place, output),
            Self::Repair(call) => call.run(place, output),
            Self::Tail(call) if call.follow => asking::follow(place, call, output),
            Self::Tail(call) => asking::ask(place, Read::Tail(call), output),
            Self::Export(call) if call.copy => asking::ask_copy(place, &Read::Export(call), output),
            Self::Export(call) => asking::ask(place, Read::Export(call.absolute()?), output),
        }
    }
}
