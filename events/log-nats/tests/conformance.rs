//! The suite on JetStream: one server, and three.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod beds;

use beds::Beds;
use chl_log::conformance;
use chl_nats_servers::{Servers, Shape};

#[test]
fn the_log_on_one_server_conforms() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    conformance::run(|| beds.bed()).unwrap();
    conformance::run_rivals(|| beds.bed()).unwrap();
}

#[test]
fn the_log_on_three_servers_conforms() {
    let Some(servers) = Servers::start(Shape::Three).unwrap() else { return };
    let beds = Beds::new(&servers, 3);
    conformance::run(|| beds.bed()).unwrap();
    conformance::run_rivals(|| beds.bed()).unwrap();
}

#[test]
fn the_log_with_a_copy_on_its_node_conforms() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let beds = Beds::new(&servers, 1);
    conformance::run(|| beds.bed_with_copy(1)).unwrap();
    conformance::run(|| beds.bed_with_copy(3000)).unwrap();
    conformance::run(|| beds.bed_with_copy(16 << 20)).unwrap();
}
