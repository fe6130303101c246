//! `chl`: the ledger of channel programmes on the command line.
//!
//! Floor 5 of the house: arguments, configuration, wiring, output, and the only place that names
//! an adapter. From the bottom up: [`output`], [`talk`], [`failure`] and [`exit`] speak to people
//! and programs; [`place`] says where things lie; [`args`] is what the user can ask.

mod actors;
mod args;
mod asking;
mod audit;
mod bench;
mod demo;
mod exit;
mod failure;
mod follow;
mod http;
mod import;
mod input;
mod ledger;
mod nats;
mod output;
mod owner;
mod pages;
mod place;
mod reads;
mod reference;
mod servers;
mod stepping;
mod talk;
mod user;
mod whatif;
mod writes;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = args::Args::parse();
    talk::listen(args.log_format());
    match args.run() {
        Ok(exit) => exit.into(),
        Err(failure::Failure::ReaderGone) => exit::Exit::Success.into(),
        Err(failure) => {
            talk::say(&failure.to_string());
            failure.exit().into()
        }
    }
}
