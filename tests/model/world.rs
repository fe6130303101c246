//! The world of the generated histories: three programmes with different terms, six partners and
//! the people who send commands. Every number here is data of the tests.

use super::sent::{Sender, Sent};
use chl_commands::Command;
use chl_events::{Instant, PartnerId, Role};
use serde_json::{Value, json};

/// When a history begins.
pub(crate) const BEGINS: &str = "2026-01-05T09:00:00Z";

/// How many partners there are.
pub(crate) const PARTNERS: usize = 6;

/// The customers; the vendor keeps the last one for itself.
pub(crate) const CUSTOMERS: [&str; 5] = ["c-1", "c-2", "c-3", "c-4", "c-reserved"];

/// The product lines that can be registered.
pub(crate) const LINES: [&str; 3] = ["gtx", "mgx", "pro"];

/// The territories.
pub(crate) const TERRITORIES: [&str; 2] = ["west", "east"];

/// The activities; `travel` is excluded everywhere.
pub(crate) const ACTIVITIES: [&str; 4] = ["ad", "event", "webinar", "travel"];

/// A partner's name.
pub(crate) fn partner(number: usize) -> PartnerId {
    format!("p-{number}").parse().unwrap()
}

/// A command from its name and data.
pub(crate) fn command(name: &str, data: Value) -> Command {
    Command::read_named(name, &data).unwrap_or_else(|wrong| panic!("{name} {data}: {wrong}"))
}

/// The senders that are no partners.
pub(crate) fn manager() -> Sender {
    Sender::of(Role::ChannelManager, "m-1")
}

/// Another manager, of the lowest level.
pub(crate) fn junior() -> Sender {
    Sender::of(Role::ChannelManager, "m-2").at_level(1)
}

/// The one who approves money.
pub(crate) fn approver() -> Sender {
    Sender::of(Role::Finance, "fin-1")
}

/// The one who pays.
pub(crate) fn payer() -> Sender {
    Sender::of(Role::Finance, "fin-2")
}

/// The one who looks after those who pay.
pub(crate) fn controller() -> Sender {
    Sender::of(Role::Finance, "fin-3")
}

/// The vendor's portal.
pub(crate) fn portal() -> Sender {
    Sender::of(Role::Service, "svc-portal")
}

/// Who runs the ledger.
pub(crate) fn operator() -> Sender {
    Sender::of(Role::Operator, "op-1")
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// Deal registration by value, a person decides conflicts; co-op at once; MDF with reports.
pub(crate) fn gold(version: u32, from: &str) -> Value {
    let protection_days = 20 + 10 * version;
    json!({
        "programme": "gold", "version": version, "effective_from": from, "currency": "USD",
        "time_zone": "America/New_York",
        "terms": {
            "tiers": ["silver", "gold"],
            "tail_days": 30,
            "deal_registration": {
                "minimum_value": usd("1000.00"),
                "protection_days": protection_days, "extension_days": 15, "max_extensions": 2,
                "approval": "auto_below", "auto_below": usd("50000.00"),
                "register_before_close_days": 5, "register_within_days_of_signature": 60,
                "conflict_levels": [
                    {"level": 1, "role": "channel_manager", "days": 7},
                    {"level": 2, "role": "channel_manager", "days": 14}
                ],
                "product_lines": LINES, "reserved_accounts": ["c-reserved"]
            },
            "coop": {
                "accrual": [
                    {"tier": "gold", "bands": [{"from": "0", "rate": "0.03"}]},
                    {"product_line": "mgx", "bands": [{"from": "0", "rate": "0.0125"}]},
                    {"bands": [{"from": "0", "rate": "0.02"}]}
                ],
                "earning_period": "quarter", "usable": "at_once", "usage_months": 1,
                "claim_days": 20, "match_rate": "0.5",
                "caps": [{"activity": "event", "amount": usd("400.00")}],
                "proofs": [{"activity": "ad", "kinds": ["invoice"]}],
                "excluded_activities": ["travel"]
            },
            "mdf": {
                "match_rate": "0.5", "claim_days": 15, "tail_days": 20,
                "proofs": [{"activity": "event", "kinds": ["invoice"]}],
                "excluded_activities": ["travel"], "roi_report": true, "over_available": "refuse"
            }
        }
    })
}

/// Deal registration by hand and by territory; co-op after the period, in bands; plain MDF.
pub(crate) fn euro(version: u32, from: &str) -> Value {
    let rule = if version % 2 == 1 { "joint" } else { "first_registered" };
    json!({
        "programme": "euro", "version": version, "effective_from": from, "currency": "EUR",
        "time_zone": "Europe/Berlin",
        "terms": {
            "incentive_account": "expense",
            "tail_days": 20,
            "deal_registration": {
                "minimum_value": eur("5000.00"), "minimum_basis": "acv", "perpetual_years": 6,
                "protection_days": 45, "extension_days": 20, "max_extensions": 1,
                "approval": "manual", "conflict_rule": rule, "slot": "territory",
                "one_deal_per_slot": true
            },
            "coop": {
                "accrual": [{"mode": "marginal", "bands": [
                    {"from": "0", "rate": "0.03"}, {"from": "7500", "rate": "0.04"},
                    {"from": "25000", "rate": "0.05"}
                ]}],
                "earning_period": "month", "usable": "after_period", "usage_months": 2,
                "claim_days": 25, "expiry_days": 30, "rebate_share": "0.4",
                "conversion_threshold": eur("200.00"),
                "caps": [{"activity": "event", "share_of_lot": "0.5"}],
                "excluded_activities": ["travel"],
                "over_available": "refuse", "late_accrual": "refuse"
            },
            "mdf": {"claim_days": 10, "tail_days": 15, "excluded_activities": ["travel"]}
        }
    })
}

/// A programme that offers nothing.
pub(crate) fn bare() -> Value {
    json!({
        "programme": "bare", "version": 1, "effective_from": "2026-01-01", "currency": "JPY",
        "terms": {}
    })
}

/// What a history begins with: programmes, partners of every kind, customers, budgets.
pub(crate) fn opening() -> Vec<(Sender, Command)> {
    let mut opening = Vec::new();
    let mut say = |sender: Sender, name: &str, data: Value| {
        opening.push((sender, command(name, data)));
    };
    for programme in [gold(1, "2026-01-01"), euro(1, "2026-01-01"), bare()] {
        say(manager(), "PublishProgramme", programme);
    }
    for customer in CUSTOMERS {
        say(portal(), "RegisterCustomer", json!({"customer": customer, "name": customer}));
    }
    for number in 1..=PARTNERS {
        let id = partner(number);
        let territories: &[&str] = if number == 3 { &["west"] } else { &[] };
        let recruit = json!({
            "partner": id, "name": format!("Partner {number}"), "types": if number == 2 { ["distributor", "var"] } else { ["reseller", "var"] },
            "country": "US", "territories": territories,
        });
        say(manager(), "RecruitPartner", recruit);
        if number == PARTNERS {
            break;
        }
        for name in ["ApplyForProgramme", "ApprovePartner", "ActivatePartner"] {
            say(manager(), name, json!({"partner": id}));
        }
        let tier = if number % 2 == 0 { "gold" } else { "silver" };
        let gold = json!({"partner": id, "programme": "gold", "tier": tier});
        say(manager(), "EnrolPartner", gold);
        if number != 4 {
            say(portal(), "EnrolPartner", json!({"partner": id, "programme": "euro"}));
        }
    }
    say(manager(), "EnrolPartner", json!({"partner": "p-1", "programme": "bare"}));
    let budget = |programme: &str, amount: Value| {
        let budget = format!("b-{programme}");
        json!({"budget": budget, "programme": programme, "amount": amount, "period": "2026"})
    };
    say(approver(), "CreateMdfBudget", budget("gold", usd("9000.00")));
    say(approver(), "CreateMdfBudget", budget("euro", eur("9000.00")));
    opening
}

/// The opening as sent, a minute apart.
pub(crate) fn opened(prefix: &str) -> Vec<Sent> {
    let begins: Instant = BEGINS.parse().unwrap();
    let sent = |(index, (sender, command)): (usize, (Sender, Command))| {
        let minutes = i64::try_from(index).unwrap();
        let at = Instant::from_micros(begins.micros() + minutes * 60_000_000);
        Sent::new(format!("{prefix}-open-{index}"), at, sender, command)
    };
    opening().into_iter().enumerate().map(sent).collect()
}
