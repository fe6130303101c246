//! The small ones, for whoever works on one of these: deciding, encoding, decoding, folding, each
//! over the commits of a small channel year. `cargo bench` in this folder.

#[path = "../src/aggregates.rs"]
mod aggregates;
#[expect(dead_code, unused_imports, reason = "the program, and its tests, use the rest")]
#[path = "../../../bin/chl/demo/mod.rs"]
mod demo;
#[expect(dead_code, reason = "the lines of the runner use the rest")]
#[path = "../src/ledger.rs"]
mod ledger;
#[expect(dead_code, reason = "the lines of the runner use the rest")]
#[path = "../src/machine.rs"]
mod machine;
#[path = "../src/year.rs"]
mod year;

use aggregates::Year;
use anyhow::Result;
use chl_events::Commit;
use chl_log::Chain;
use chl_projections::{MemoryStore, fold};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ledger::Ledger;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SEED: u64 = 1;
const PARTNERS: usize = 40;
const COMMANDS: u64 = 6_000;
const SAMPLES: usize = 20;

/// The commits of the year.
fn commits() -> Result<Vec<Commit>> {
    let lines = year::lines(SEED, PARTNERS, COMMANDS);
    let ledger = Ledger::in_memory(&year::opening(&lines)?)?;
    ledger.client()?.submit_all(year::prepared(&lines, &year::connection()?))?;
    year::commits(&ledger)
}

fn small(criterion: &mut Criterion) {
    let commits = commits().expect("the year takes place");
    let encode = |commit: &Commit| commit.encode().expect("what was recorded encodes");
    let encoded: Vec<Vec<u8>> = commits.iter().map(encode).collect();
    let year = Year::of(commits.clone()).expect("the year is decided again as it was");

    let mut group = criterion.benchmark_group("decide");
    group.sample_size(SAMPLES).throughput(Throughput::Elements(year.len() as u64));
    group.bench_function("a year's accepted commands through the aggregates", |bench| {
        bench.iter(|| year.timed().expect("it was decided before"));
    });
    group.finish();

    let mut group = criterion.benchmark_group("commits");
    group.sample_size(SAMPLES).throughput(Throughput::Elements(commits.len() as u64));
    group.bench_function("encode", |bench| {
        bench.iter(|| commits.iter().map(|commit| encode(commit).len()).sum::<usize>());
    });
    group.bench_function("pack into blocks, with the tree", |bench| {
        bench.iter(|| Chain::new(ledger::LEDGER).pack(&encoded).expect("they fit").len());
    });
    group.bench_function("decode", |bench| {
        let decode = |bytes: &Vec<u8>| Commit::decode(bytes).expect("what was encoded decodes");
        bench.iter(|| encoded.iter().map(|bytes| decode(bytes).events.len()).sum::<usize>());
    });
    // A reversal names a commit, which the store must have at hand.
    let empty = MemoryStore { commits: commits.clone(), ..MemoryStore::default() };
    group.bench_function("fold into every read model", |bench| {
        let folded = |mut store: MemoryStore| {
            for commit in &commits {
                fold(commit, None, &mut store).expect("what was recorded folds");
            }
            store
        };
        bench.iter_batched(|| empty.clone(), folded, BatchSize::LargeInput);
    });
    group.finish();
}

criterion_group!(benches, small);
criterion_main!(benches);
