//! Answers and root do not depend on how commands fell into groups.

use crate::ledger::{Given, customer, deal, json, line, march, market, options, recorded};
use chl_bus::{Bus, Connection, Options, replaying};
use chl_log::{EventLog, Head};
use proptest::prelude::*;

/// Lines of a market in which two partners register, win and withdraw deals at two customers.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let step = (0..6_u8, 0..8_u8, prop::bool::ANY, prop::bool::ANY, 0..200_000_u32);
    prop::collection::vec(step, 1..60).prop_map(|steps| {
        let mut lines = market();
        lines.push(customer("other"));
        let mut lines: Vec<String> = lines.iter().map(|line| recorded(line, 0)).collect();
        let mut second = 0;
        for (kind, number, first, acme, pause) in steps {
            second += pause;
            let partner = if first { "p" } else { "q" };
            let customer = if acme { "acme" } else { "other" };
            let name = format!("d{number}");
            let data = format!(r#"{{"deal":"{name}","customer":"{customer}"}}"#);
            let closed = data.replace('}', r#","closed_on":"2026-03-01"}"#);
            let text = match kind {
                0..=2 => deal(&name, partner, customer),
                3 => line("WithdrawDeal", &format!("w{name}"), &data),
                4 => line("MarkDealWon", &format!("m{name}{customer}"), &closed),
                _ => line("ExtendDeal", &format!("x{name}"), &data),
            };
            lines.push(recorded(&text, second % 86_400 * 10));
        }
        lines
    })
}

fn run(lines: &[String], jobs: &[usize], group_commands: usize) -> (Vec<String>, Head) {
    let given = Given::new();
    let opening = chl_bus::Opening { recorded_at: Some(march(0)), ..options().opening };
    let options = Options { group_commands, opening, ..options() };
    let bus = Bus::open(given.parts(None), &options).unwrap();
    let connection: Connection =
        Connection { default_source: Some("/test".into()), ..replaying("op".parse().unwrap()) };
    let mut lines = lines.iter();
    let mut waiting = Vec::new();
    for size in jobs.iter().cycle() {
        let job: Vec<_> = lines
            .by_ref()
            .take(*size)
            .map(|line| crate::ledger::ready(line, &connection))
            .collect();
        if job.is_empty() {
            break;
        }
        waiting.push(bus.client().send(job).unwrap());
    }
    let answers = waiting.into_iter().flat_map(|job| job.recv().unwrap());
    let answers = answers.map(|answer| json(&answer).to_string()).collect();
    bus.close();
    (answers, given.log.head())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn grouping_changes_nothing(
        lines in lines(),
        jobs in prop::collection::vec(1..20_usize, 1..5),
        group_commands in 1..40_usize,
    ) {
        let one_by_one = run(&lines, &[1], 1);
        prop_assert_eq!(&run(&lines, &jobs, group_commands), &one_by_one);
        prop_assert_eq!(&run(&lines, &[lines.len()], 1024), &one_by_one);
    }
}
