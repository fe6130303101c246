//! Commands and questions by request and reply.

use crate::stage::{Stage, line, recruit};
use async_nats::HeaderMap;
use chl_bus_nats::{Behind, Door, Limits};
use chl_log::EventLog;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_answered_once_it_is_in_the_log() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let subject = "chl.main.as.svc.cmd.RecruitPartner";
    let answer = stage.ask(subject, recruit("p-1")).await;
    assert_eq!((&answer["outcome"], &answer["position"]), (&json!("accepted"), &json!(1)));
    assert_eq!(stage.log.head().next, 2);
    let again = stage.ask(subject, recruit("p-1")).await;
    assert_eq!((&again["duplicate"], &again["position"]), (&json!(true), &json!(1)));
    let other = recruit("p-1").replace("Ltd", "Inc");
    assert_eq!(stage.ask(subject, other).await["code"], json!("command.id_reused"));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_gets_an_answer_and_not_silence() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let cases = [
        ("chl.main.as.svc.cmd.RecruitPartner", "{".to_owned(), "command.malformed"),
        ("chl.main.as.svc.cmd.RecruitPartner", String::new(), "command.malformed"),
        ("chl.main.as.svc.cmd.Nonsense", line("Nonsense", "1", json!({})), "command.unknown_type"),
        ("chl.main.as.svc.cmd.ApprovePartner", recruit("p-1"), "command.type_differs"),
        ("chl.main.as.nobody.cmd.RecruitPartner", recruit("p-1"), "not_permitted.actor"),
        ("chl.main.as.p-1-app.cmd.RecruitPartner", recruit("p-1"), "not_permitted.role"),
        ("chl.main.as.svc.query.nothing", String::new(), "query.unknown"),
        ("chl.main.as.nobody.query.balances", String::new(), "not_permitted.actor"),
        ("chl.main.as.svc.query.large", String::new(), "query.too_large"),
    ];
    for (subject, body, code) in cases {
        let answer = stage.ask(subject, body).await;
        assert_eq!(answer["code"], json!(code), "{subject}: {answer}");
        assert_eq!(answer["outcome"], json!("rejected"), "{answer}");
    }
    let foreign = recruit("p-1").replacen('{', "{\"source\":\"/other\",", 1);
    let answer = stage.ask("chl.main.as.svc.cmd.RecruitPartner", foreign).await;
    assert_eq!(answer["code"], json!("not_permitted.source"));
    assert_eq!(stage.log.head().next, 1, "nothing of it is in the log");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_speaks_for_itself_alone() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    for partner in ["p-1", "p-2"] {
        let answer = stage.ask("chl.main.as.svc.cmd.RecruitPartner", recruit(partner)).await;
        assert_eq!(answer["outcome"], json!("accepted"));
    }
    let apply = |partner: &str| {
        line("ApplyForProgramme", &format!("a-{partner}"), json!({ "partner": partner }))
    };
    let subject = "chl.main.as.p-1-app.cmd.ApplyForProgramme";
    assert_eq!(stage.ask(subject, apply("p-2")).await["code"], json!("not_permitted.partner"));
    assert_eq!(stage.ask(subject, apply("p-1")).await["outcome"], json!("accepted"));
    let asked = stage.ask("chl.main.as.p-1-app.query.balances", "{}").await;
    assert_eq!((&asked["partner"], &asked["actor"]), (&json!("p-1"), &json!("p-1-app")));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_now_may_be_sent_again() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let subject = "chl.main.as.slow.cmd.RecruitPartner";
    let mut answers: Vec<Value> = Vec::new();
    for number in 0..6 {
        answers.push(stage.ask(subject, recruit(&format!("p-{number}"))).await);
    }
    let over = answers.iter().find(|answer| answer["code"] == json!("bus.quota_exceeded"));
    assert_eq!(over.expect("more than two a second")["retry"], json!(true));
    let mut headers = HeaderMap::new();
    headers.insert(chl_bus_nats::DEADLINE, "2026-01-01T00:00:00Z");
    let late = stage.nats.request_with_headers(
        "chl.main.as.svc.cmd.RecruitPartner",
        headers,
        recruit("late").into(),
    );
    let late: Value = serde_json::from_slice(&late.await.unwrap().payload).unwrap();
    assert_eq!((&late["code"], &late["retry"]), (&json!("bus.deadline_passed"), &json!(true)));
    door.close().await;
    let none = Limits { commands: 0, questions: 0 };
    let full = Door::open(&stage.nats, stage.behind(), none).await.unwrap();
    for subject in ["chl.main.as.svc.cmd.RecruitPartner", "chl.main.as.svc.query.balances"] {
        let answer = stage.ask(subject, recruit("p-9")).await;
        assert_eq!((&answer["code"], &answer["retry"]), (&json!("bus.busy"), &json!(true)));
    }
    full.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_are_believed_only_where_that_was_asked_for() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    let subject = "chl.main.cmd.RecruitPartner";
    let claim = recruit("p-1").replacen(
        '{',
        r#"{"source":"/legacy","actor":"somebody","role":"channel_manager","#,
        1,
    );
    let unheard = stage.nats.request(subject, claim.clone().into()).await.unwrap_err();
    assert_eq!(unheard.kind(), async_nats::client::RequestErrorKind::NoResponders);
    door.close().await;
    let trusting = Behind { trust_bus: true, ..stage.behind() };
    let door = Door::open(&stage.nats, trusting, Limits::default()).await.unwrap();
    assert_eq!(stage.ask(subject, claim).await["outcome"], json!("accepted"));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_tools_find_the_service() {
    let Some(stage) = Stage::set().await else { return };
    let door = stage.door().await;
    stage.ask("chl.main.as.svc.cmd.RecruitPartner", recruit("p-1")).await;
    let info = stage.ask("$SRV.INFO", "").await;
    assert_eq!(info["name"], json!("chl-main-ledger"));
    assert_eq!(info["metadata"]["ledger"], json!("main"));
    let stats = stage.ask("$SRV.STATS.chl-main-ledger", "").await;
    let commands = stats["endpoints"].as_array().unwrap().iter();
    let commands: Vec<_> = commands.filter(|one| one["name"] == json!("commands")).collect();
    assert_eq!(commands[0]["num_requests"], json!(1), "{stats}");
    door.close().await;
    let gone = stage.nats.request("chl.main.as.svc.query.balances", "".into()).await.unwrap_err();
    assert_eq!(gone.kind(), async_nats::client::RequestErrorKind::NoResponders);
}
