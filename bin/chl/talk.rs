//! Talk on standard error: notes, and progress of long work where somebody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use tracing_subscriber::EnvFilter;

/// Shows what the ledger's threads have to say on standard error: warnings, or what CHL_LOG asks
/// for.
pub(crate) fn listen() {
    let filter = EnvFilter::try_from_env("CHL_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let told = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    told.without_time().with_target(false).init();
}

/// Says one line. Nobody listening is no error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "chl: {text}");
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
