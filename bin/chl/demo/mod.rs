//! The demo: a year of a channel programme, generated from a seed.
//!
//! Partners join three programmes with different terms, register deals that collide, sell, claim,
//! ask for funds; vendors decide, pay and claw back; some things are refused. The generator keeps
//! its own light model of what it has sent, never asks the ledger, and names the recorded time of
//! each line, so that a replay of the same seed ends at the same root everywhere. The same lines
//! are the workload "channel year" of the benchmark.

mod agenda;
mod claims;
mod conflicts;
mod coop;
mod deals;
mod dice;
mod half_year;
mod mdf;
mod mistakes;
mod names;
mod partners;
mod programmes;
mod slots;
mod world;

use agenda::{DAY, HOUR, YEAR_END, YEAR_START};
use serde_json::json;
use world::{Flow, Sender, Task, World};

/// How large a year is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// How many partners there are.
    pub(crate) partners: usize,
    /// How many commands are sent, about.
    pub(crate) commands: u64,
}

/// The demo's own size.
pub(crate) const DEMO: Size = Size { partners: 200, commands: 50_000 };

/// About how many commands a partner makes by being there: recruited, enrolled, measured.
const COMMANDS_PER_PARTNER: u64 = 21;

/// What comes in, in how many of 10,000 of the remaining commands, and from which day on.
const FLOWS: [(Flow, u64, i64); 5] = [
    (Flow::Deals, 1_190, 8),
    (Flow::Sales, 2_900, 8),
    (Flow::Claims, 470, 25),
    (Flow::Requests, 215, 20),
    (Flow::Mistakes, 260, 15),
];

/// The commands of a year as JSON lines, in the order in which they are recorded.
pub(crate) fn commands(seed: u64, size: Size) -> impl Iterator<Item = String> {
    Year::new(seed, size)
}

struct Year {
    world: World,
    gaps: [i64; FLOWS.len()],
}

impl Year {
    fn new(seed: u64, size: Size) -> Self {
        let mut world = World::new(seed);
        // It is the first of January wherever a programme counts its days.
        world.agenda.put(YEAR_START + 8 * HOUR, Task::Open);
        world.invite(size.partners);
        let partners = u64::try_from(size.partners).unwrap_or(u64::MAX);
        let rest = size.commands.saturating_sub(partners.saturating_mul(COMMANDS_PER_PARTNER));
        let gaps = FLOWS.map(|(flow, share, from)| {
            let count = i64::try_from(rest / 10_000 * share + rest % 10_000 * share / 10_000);
            let start = YEAR_START + from * DAY;
            world.agenda.put(start, Task::Arrive(flow));
            (YEAR_END - start) / count.unwrap_or(i64::MAX).max(1)
        });
        world.agenda.put(YEAR_START + 9 * DAY, Task::Allocate { half: 1 });
        world.agenda.put(YEAR_START + 170 * DAY, Task::Republish);
        world.agenda.put(YEAR_START + 182 * DAY, Task::HalfYear);
        world.agenda.put(YEAR_START + 184 * DAY, Task::Allocate { half: 2 });
        Self { world, gaps }
    }

    fn open(&mut self) {
        let world = &mut self.world;
        let head = || Sender::manager(3, 1);
        for data in programmes::first_versions() {
            world.send("PublishProgramme", head(), data);
        }
        // A budget with a slip in its amount, taken back. Nothing was decided before but the three
        // programmes, so its position is known: the ledger's opening is position 0.
        let data = json!({
            "budget": "accelerate-slip", "programme": "accelerate", "period": "2025-H1",
            "amount": world::money(99_000_000_000, "USD"),
        });
        world.send("CreateMdfBudget", Sender::finance("head"), data);
        let data = json!({ "position": 4, "reason": "three zeros too many" });
        world.send("ReverseEntry", Sender::finance("head"), data);
        world.create_budgets(1);
        // Nothing was posted before the year.
        let data = json!({ "through": "2024-12-31" });
        world.send("ClosePeriod", Sender::finance("head"), data);
        let data = json!({ "through": "2024-12-31", "balances": [] });
        world.send("RecordClosingBalances", Sender::finance("head"), data);
    }

    fn arrive(&mut self, flow: Flow) {
        match flow {
            Flow::Deals => self.world.arrive_deal(),
            Flow::Sales => self.world.arrive_sale(),
            Flow::Claims => self.world.arrive_claim(),
            Flow::Requests => self.world.arrive_request(),
            Flow::Mistakes => self.world.arrive_mistake(),
        }
        let place = FLOWS.iter().position(|(known, ..)| *known == flow).unwrap_or(0);
        let gap = self.gaps.get(place).copied().unwrap_or(HOUR);
        let after = self.world.dice.between(0, 2 * gap);
        self.world.later(after, Task::Arrive(flow));
    }

    fn run(&mut self, task: Task) {
        let world = &mut self.world;
        match task {
            Task::Open => self.open(),
            Task::Republish => {
                let data = programmes::second_version();
                world.send("PublishProgramme", Sender::manager(3, 1), data);
            }
            Task::HalfYear => {
                world.close_budgets(1);
                world.create_budgets(2);
                world.close_books();
                world.look_at_twins();
            }
            Task::Allocate { half } => world.allocate(half),
            Task::Arrive(flow) => self.arrive(flow),
            Task::Life(partner, step) => world.live(partner, step),
            Task::Deal(deal, step) => world.step_deal(deal, step),
            Task::Return { partner, programme, sale, amount } => {
                world.give_back(partner, programme, &sale, amount);
            }
            Task::CloseLot { partner, programme, lot } => {
                world.sweep_lot("CloseCoopPeriod", partner, programme, &lot);
            }
            Task::ExpireLot { partner, programme, lot } => {
                world.sweep_lot("ExpireCoopLot", partner, programme, &lot);
            }
            Task::Claim(claim, step) => world.step_claim(*claim, step),
            Task::Request(request, step) => world.step_request(*request, step),
        }
    }
}

impl Iterator for Year {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.world.take() {
                return Some(line);
            }
            let (at, task) = self.world.agenda.next()?;
            // What is sent takes its time, so that the next task may find it later than planned.
            self.world.now = self.world.now.max(at);
            self.run(task);
        }
    }
}
