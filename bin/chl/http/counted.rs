//! What the door itself counts: requests, by the address they were for and the status they got.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use metrics::{SharedString, Unit, counter, describe_counter, describe_histogram, histogram};
use std::time::Instant;

const REQUESTS: &str = "chl_http_requests_total";
const SECONDS: &str = "chl_http_request_seconds";

/// The address of a request for what is not there: what a caller made up is no label.
const NO_PATH: SharedString = SharedString::const_str("none");

/// Says what is counted.
pub(super) fn describe() {
    describe_counter!(REQUESTS, "Requests over HTTP that were answered, by path and status.");
    describe_histogram!(
        SECONDS,
        Unit::Seconds,
        "From the receipt of a request over HTTP until its answer began."
    );
}

/// Counts a request once its answer begins.
pub(super) async fn count(request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = request.extensions().get::<MatchedPath>();
    let path = path.map_or(NO_PATH, |path| SharedString::from(path.as_str().to_owned()));
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    counter!(REQUESTS, "path" => path.clone(), "status" => status).increment(1);
    histogram!(SECONDS, "path" => path).record(began.elapsed());
    response
}
