//! What a partner sees, and what it does not.

use crate::ledger::{Given, deal, json as json_of, line, market, partner, ready, send};
use chl_bus::{Bus, Viewer, show};
use chl_events::Role;
use serde_json::{Value, json};

fn seen_by(bus: &Bus, id: &str, text: &str) -> Value {
    let connection = partner(id);
    let answer = bus.client().submit_all(vec![ready(text, &connection)]).unwrap().remove(0);
    let viewer = Viewer { role: Role::Partner, partner: connection.partner.as_ref(), vault: None };
    serde_json::from_str(&show(&answer, &viewer).unwrap()).unwrap()
}

#[test]
fn of_anothers_deal_a_partner_learns_only_that_the_slot_is_contested() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    let answer = seen_by(&bus, "q", &deal("d2", "q", "acme"));
    assert_eq!(answer["outcome"], json!("accepted"));
    assert_eq!((answer.get("version"), answer.get("position")), (None, None));
    assert_eq!(answer["events"].as_array().unwrap().len(), 1);
    let conflict = answer["events"][0]["data"]["contested"].as_str().unwrap();
    assert!(conflict.starts_with("cf-"));
    assert!(!answer.to_string().contains("d1"));
    assert!(!answer.to_string().contains("\"p\""));
    let again = seen_by(&bus, "q", &deal("d2", "q", "acme"));
    assert_eq!((again.get("version"), again.get("position")), (None, None));
}

#[test]
fn a_partner_learns_no_version_of_a_customers_stream() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    let probe = deal("d1", "p", "acme").replacen('{', r#"{"expectedversion":7,"#, 1);
    let answer = seen_by(&bus, "p", &probe);
    assert_eq!(answer["code"], json!("not_permitted.expected_version"));
}

#[test]
fn a_partner_does_not_end_or_see_anothers_deal() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    let data = r#"{"deal":"d1","customer":"acme"}"#;
    let foreign = seen_by(&bus, "q", &line("WithdrawDeal", "w", data));
    let unknown = seen_by(&bus, "q", &line("WithdrawDeal", "w2", &data.replace("d1", "d9")));
    assert_eq!(foreign["code"], json!("deal.unknown"));
    assert_eq!(foreign["code"], unknown["code"]);
    let own = seen_by(&bus, "p", &line("WithdrawDeal", "w", data));
    assert_eq!(own["outcome"], json!("accepted"), "{own}");
}

#[test]
fn where_an_id_was_used_first_is_told_to_those_who_may_see_it() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &market());
    send(&bus, &[deal("d1", "p", "acme")]);
    let again = deal("d1", "p", "acme").replace("\"gtx\"", "\"other\"");
    assert_ne!(again, deal("d1", "p", "acme"), "the example has this product line");
    let all = json_of(&send(&bus, std::slice::from_ref(&again)).remove(0));
    let own = seen_by(&bus, "p", &again);
    assert_eq!(all["code"], json!("command.id_reused"));
    assert!(all["details"]["position"].is_u64(), "{all}");
    assert!(all["message"].as_str().unwrap().contains("at position"), "{all}");
    assert_eq!(own["code"], json!("command.id_reused"), "{own}");
    assert!(own["details"].get("position").is_none(), "{own}");
    assert!(!own["message"].as_str().unwrap().contains("position"), "{own}");
}
