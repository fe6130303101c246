//! chl.
fn main() {}
