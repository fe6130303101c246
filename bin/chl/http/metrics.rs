//! Metrics as Prometheus text: what was counted, and how the ledgers stand at this moment.

use super::counted;
use super::standing::{LEASES, Look, Part, Standings};
use crate::{
    exit::Exit,
    failure::{Outcome, Step},
};
use axum::{Router, extract::State, http::header::CONTENT_TYPE, response::IntoResponse, routing};
use metrics::{Unit, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How often what was timed is sorted into its buckets where nobody asks for it.
const UPKEEP: Duration = Duration::from_secs(5);

/// The text format that every release of Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of what is timed: from a group commit to the patience of a sender.
const SECONDS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of how many commands are made durable together.
const COMMANDS: &[f64] = &[0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

/// What counts are kept in.
#[derive(Clone)]
pub(super) struct Counts {
    kept: PrometheusHandle,
    standings: Standings,
}

impl Counts {
    /// Begins to keep what the process counts from now on.
    pub(super) fn keep(standings: Standings) -> Outcome<Self> {
        let recorder = recorder().or_exit(Exit::Internal, "metrics cannot be kept")?;
        let kept = recorder.handle();
        let set = metrics::set_global_recorder(recorder);
        set.or_exit(Exit::Internal, "metrics are kept already")?;
        describe();
        counted::describe();
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        gauge!("process_start_time_seconds").set(started.as_secs_f64());
        gauge!("chl_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1);
        Ok(Self { kept, standings })
    }

    /// Keeps what was timed small, for as long as it is polled.
    pub(super) async fn upkeep(self) {
        let mut again = tokio::time::interval(UPKEEP);
        loop {
            again.tick().await;
            self.kept.run_upkeep();
        }
    }

    /// The route of the metrics.
    pub(super) fn routes(self) -> Router {
        Router::new().route("/metrics", routing::get(show)).with_state(self)
    }
}

fn recorder() -> Result<metrics_exporter_prometheus::PrometheusRecorder, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_commands".into()), COMMANDS)?;
    Ok(builder.build_recorder())
}

async fn show(State(counts): State<Counts>) -> impl IntoResponse {
    let shown = tokio::task::spawn_blocking(move || {
        counts.standings.look().iter().for_each(set);
        counts.kept.render()
    });
    ([(CONTENT_TYPE, TEXT)], shown.await.unwrap_or_default())
}

fn describe() {
    describe_gauge!("process_start_time_seconds", Unit::Seconds, "When the process began.");
    describe_gauge!("chl_build_info", "Always 1; the release is the label.");
    describe_gauge!("chl_part", "1 for what the process is to the ledger, else 0.");
    describe_gauge!("chl_ready", "1 while the ledger is answered for or followed, else 0.");
    describe_counter!(LEASES, "How often the lease was taken or lost by this process.");
    describe_gauge!("chl_head_position", "The position the next commit gets.");
    describe_gauge!("chl_sealed_position", "The position behind the sealed files.");
    describe_gauge!("chl_view_position", "The position a read model has come to.");
    describe_gauge!("chl_view_lag_positions", "Commits a read model has not folded yet.");
    describe_gauge!(
        "chl_view_lag_seconds",
        Unit::Seconds,
        "How long ago the first commit was recorded that a read model has not folded yet."
    );
    describe_gauge!("chl_view_frozen", "1 for a read model that failed and stands still, else 0.");
}

/// Shows how a ledger stands.
fn set(look: &Look) {
    let of = |name: &'static str| gauge!(name, "ledger" => look.ledger.clone());
    of("chl_ready").set(u8::from(look.ready));
    for part in Part::ALL {
        let is = u8::from(part == look.part);
        gauge!("chl_part", "ledger" => look.ledger.clone(), "part" => part.as_str()).set(is);
    }
    if let Some(position) = look.position {
        of("chl_head_position").set(position as f64);
    }
    if let Some(position) = look.sealed_position {
        of("chl_sealed_position").set(position as f64);
    }
    for view in &look.views {
        let of =
            |name: &'static str| gauge!(name, "ledger" => look.ledger.clone(), "view" => view.view);
        of("chl_view_position").set(view.position as f64);
        of("chl_view_lag_positions").set(view.lag_positions as f64);
        of("chl_view_lag_seconds").set(view.lag_seconds);
        of("chl_view_frozen").set(u8::from(view.frozen.is_some()));
    }
}
