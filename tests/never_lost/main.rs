//! Never lost: every acknowledged command is there once, nothing half, order kept — after kills,
//! failing disks and power cuts.
//!
//! The gate runs a few rounds; `CHL_KILLS`, `CHL_FAULTS` and `CHL_CUTS` ask for more.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::float_arithmetic, reason = "strace tells time in decimal seconds")]

mod faults;
mod kills;
mod order;
mod power;
mod session;
mod trace;

/// How many rounds to run: the gate's number, or what the variable asks for.
fn rounds(variable: &str, gate: usize) -> usize {
    std::env::var(variable).map_or(gate, |text| text.parse().unwrap())
}

/// Numbers from a seed, printed by each test so that a failing run can be repeated.
struct Seed(u64);

impl Seed {
    fn new(test: &str) -> Self {
        let seed = std::env::var("CHL_SEED").map_or(20_260_301, |text| text.parse().unwrap());
        println!("{test}: CHL_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}
