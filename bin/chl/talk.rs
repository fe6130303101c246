//! Talk on standard error: notes, and progress of long work where somebody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{IsTerminal, Write},
    sync::OnceLock,
};
use tracing_subscriber::EnvFilter;

/// The shape of the log's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line, for programs; what is said to people is one, too.
    Json,
}

/// As chosen when the program began; text before that.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Shows what the ledger's threads have to say on standard error: warnings, or what CHL_LOG, else
/// RUST_LOG, asks for.
pub(crate) fn listen(format: LogFormat) {
    let asked = ["CHL_LOG", "RUST_LOG"].iter().find_map(|name| EnvFilter::try_from_env(name).ok());
    let filter = asked.unwrap_or_else(|| EnvFilter::new("warn"));
    let told = tracing_subscriber::fmt().with_writer(std::io::stderr);
    match FORMAT.get_or_init(|| format) {
        LogFormat::Text => {
            told.with_env_filter(filter).without_time().with_target(false).init();
        }
        LogFormat::Json => {
            let said = format!("{SAID}=info").parse().expect("a target and a level");
            let told = told.with_env_filter(filter.add_directive(said)).json();
            told.flatten_event(true).with_span_list(false).init();
        }
    }
}

/// The target of what is said to people, where it is JSON.
const SAID: &str = "chl::said";

/// Says one line. Nobody listening is no error.
pub(crate) fn say(text: &str) {
    match FORMAT.get() {
        Some(LogFormat::Json) => tracing::info!(target: SAID, "{text}"),
        Some(LogFormat::Text) | None => {
            let _ = writeln!(std::io::stderr().lock(), "chl: {text}");
        }
    }
}

/// A bar for work of known or unknown length; drawn only on a terminal.
pub(crate) fn progress(what: &'static str, total: Option<u64>) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let template = if total.is_some() {
        "{msg} {bar:30} {human_pos}/{human_len} ({per_sec}, {eta} left)"
    } else {
        "{spinner} {msg} {human_pos} ({per_sec})"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
