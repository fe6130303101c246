//! The whole path on a log in memory: a line of JSON in, a durable answer out.

use crate::ledger::{Given, customer, json, line, march, operator, partner, ready, recruit, send};
use chl_bus::prepare;
use serde_json::json;

#[test]
fn a_line_becomes_a_durable_answer() {
    let given = Given::new();
    let bus = given.open();
    let answers = send(&bus, &[customer("acme")]);
    assert_eq!(
        json(&answers[0]),
        json!({"id": "c-acme", "outcome": "accepted", "duplicate": false, "position": 1,
               "stream": "customer/acme", "version": 1, "recorded_at": march(0).to_string(),
               "events": [{"type": "CustomerRegistered", "data": {
                    "customer": "acme", "name": "acme", "domain": null, "country": null,
                    "parent": null}}]})
    );
    assert_eq!(bus.reader().head().next, 2);
}

#[test]
fn the_same_key_gets_the_first_answer_again_and_other_content_is_refused() {
    let given = Given::new();
    let bus = given.open();
    let first = json(&send(&bus, &[customer("acme")])[0]);
    send(&bus, &[customer("other")]);
    let mut again = json(&send(&bus, &[customer("acme")])[0]);
    assert_eq!(again["duplicate"], json!(true));
    again["duplicate"] = json!(false);
    assert_eq!(again, first);
    let data = r#"{"customer":"acme","name":"Acme Inc"}"#;
    let other = json(&send(&bus, &[line("RegisterCustomer", "c-acme", data)])[0]);
    assert_eq!(other["code"], json!("command.id_reused"));
    drop(bus);
    let mut reopened = json(&send(&given.open(), &[customer("acme")])[0]);
    reopened["duplicate"] = json!(false);
    assert_eq!(reopened, first);
}

#[test]
fn a_refused_key_is_not_used_up() {
    let given = Given::new();
    let bus = given.open();
    let apply = line("ApplyForProgramme", "a", r#"{"partner":"p"}"#);
    let refused = json(&send(&bus, std::slice::from_ref(&apply))[0]);
    assert_eq!(refused["code"], json!("partner.unknown"));
    let both = send(&bus, &[recruit("p"), apply]);
    assert!(both.iter().all(chl_bus::Answer::is_accepted), "{both:?}");
}

#[test]
fn an_expected_version_is_compared() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &[recruit("p")]);
    let connection = operator();
    let apply = |expected: u64| {
        let text = format!(
            r#"{{"type":"ApplyForProgramme","id":"a","expectedversion":{expected},
                "data":{{"partner":"p"}}}}"#
        );
        bus.client().submit_all(vec![ready(&text, &connection)]).unwrap().remove(0)
    };
    let changed = json(&apply(0));
    assert_eq!(changed["code"], json!("stream.changed"));
    assert_eq!(changed["details"]["current"], json!(1));
    assert!(apply(1).is_accepted());
    assert!(apply(0).is_accepted(), "the key comes before the expected version");
}

#[test]
fn texts_are_sealed_before_anybody_keeps_them() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &[recruit("p")]);
    let text = |note: &str| {
        format!(
            r#"{{"type":"ApplyForProgramme","id":"a","reason":"met Zaphod",
                "data":{{"partner":"p","note":"{note}"}}}}"#
        )
    };
    let answers = send(&bus, &[text("Zaphod again")]);
    assert!(answers[0].is_accepted(), "{answers:?}");
    for block in bus.reader().read(0).unwrap() {
        let block = block.unwrap();
        assert!(!block.bytes().windows(6).any(|bytes| bytes == b"Zaphod"));
    }
    assert!(!json(&answers[0]).to_string().contains("Zaphod"));
    let again = json(&send(&bus, &[text("Zaphod again")])[0]);
    assert_eq!(again["duplicate"], json!(true));
    let other = json(&send(&bus, &[text("Trillian")])[0]);
    assert_eq!(other["code"], json!("command.id_reused"));
    let author = chl_events::Person::Actor("op".parse().unwrap());
    given.vault.forget(&given.vault.keys_of(&author).unwrap()).unwrap();
    let forgotten = json(&send(&bus, &[text("anything")])[0]);
    assert_eq!(forgotten["duplicate"], json!(true), "nothing is left to compare");
}

#[test]
fn a_dry_run_sees_itself_and_keeps_nothing() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &[recruit("p")]);
    let connection = operator();
    let root = bus.reader().head();
    let apply = line("ApplyForProgramme", "a", r#"{"partner":"p","note":"hello"}"#);
    let approve = line("ApprovePartner", "b", r#"{"partner":"p"}"#);
    let lines = [apply.clone(), approve, apply.clone()];
    let tried = lines.iter().map(|line| ready(line, &connection)).collect();
    let tried = bus.client().dry_run(tried).unwrap();
    let tried: Vec<_> = tried.iter().map(json).collect();
    assert_eq!(tried[0]["position"], json!(null));
    assert_eq!(tried[0]["dry_run"], json!(true));
    assert_eq!(tried[1]["outcome"], json!("accepted"), "line 2 sees line 1");
    assert_eq!(tried[2]["duplicate"], json!(true));
    assert_eq!(bus.reader().head(), root);
    let kept = json(&send(&bus, &[apply])[0]);
    assert_eq!(kept["duplicate"], json!(false));
    assert_eq!(kept["position"], json!(2));
}

#[test]
fn a_partner_speaks_only_for_itself() {
    let given = Given::new();
    let bus = given.open();
    send(&bus, &[recruit("p"), recruit("q")]);
    let apply = line("ApplyForProgramme", "a", r#"{"partner":"p"}"#);
    let code = |line: &str, connection| {
        let prepared = prepare(line.as_bytes(), &connection);
        let answer = match prepared {
            Ok(prepared) => bus.client().submit_all(vec![prepared]).unwrap().remove(0),
            Err(answer) => *answer,
        };
        answer.code()
    };
    assert_eq!(code(&apply, partner("q")), Some("not_permitted.partner"));
    assert_eq!(code(&recruit("x"), partner("q")), Some("not_permitted.role"));
    let claims = apply.replace(r#""id""#, r#""role":"operator","id""#);
    assert_eq!(code(&claims, partner("q")), Some("not_permitted.claim"));
    let own = apply.replace(r#""id""#, r#""source":"/policy/x","id""#);
    assert_eq!(code(&own, operator()), Some("not_permitted.source"));
    let named = apply.replace(r#""id""#, r#""onbehalfof":"u-1","id""#);
    assert_eq!(code(&named, partner("p")), Some("not_permitted.on_behalf_of"));
    let late = apply.replace(r#""id""#, r#""backfill":true,"id""#);
    assert_eq!(code(&late, partner("p")), Some("not_permitted.backfill"));
    let future = apply.replace(r#""id""#, r#""time":"2026-03-01T10:00:00Z","id""#);
    assert_eq!(code(&future, operator()), Some("time.in_future"));
    assert_eq!(code(&future, partner("p")), None, "a partner's time is not believed");
}

#[tokio::test]
async fn an_asynchronous_sender_gets_its_answer() {
    let given = Given::new();
    let bus = given.open();
    let client = bus.client();
    let connection = operator();
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (client, command) =
                (client.clone(), ready(&customer(&format!("c{n}")), &connection));
            tokio::spawn(async move { client.submit(command).await })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap().is_accepted());
    }
    assert_eq!(bus.reader().head().next, 51);
    drop(bus);
    let late = client.submit(ready(&customer("late"), &connection)).await;
    assert_eq!(late.code(), Some("ledger.closed"));
}
