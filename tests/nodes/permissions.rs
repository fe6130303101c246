//! Who may do what: real users against `docs/nats/secure.conf`, each cell of the table tried.

use crate::node::Node;
use async_nats::{Client, ConnectOptions, Event};
use chl_nats_servers::Servers;
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The users of the configuration, and the variables of their passwords.
const USERS: [(&str, &str); 5] = [
    ("node", "CHL_PASSWORD_NODE"),
    ("svc-portal", "CHL_PASSWORD_SERVICE"),
    ("p-1-app", "CHL_PASSWORD_PARTNER"),
    ("auditor", "CHL_PASSWORD_AUDITOR"),
    ("ops", "CHL_PASSWORD_OPERATOR"),
];

/// What is tried: a subject that is published to, and who may (beside the nodes, who may all).
const PUBLISHED: &[(&str, &[&str])] = &[
    ("chl.main.as.svc-portal.cmd.RegisterCustomer", &["svc-portal"]),
    ("chl.main.as.svc-portal.query.deals", &["svc-portal"]),
    ("chl.main.as.svc-portal.queue.RegisterCustomer", &["svc-portal"]),
    ("chl.main.as.svc-portal.result.RegisterCustomer", &[]),
    ("chl.main.as.p-1-app.cmd.RegisterDeal", &["p-1-app"]),
    ("chl.main.as.p-1-app.query.deals", &["p-1-app"]),
    ("chl.main.as.p-2-app.cmd.RegisterDeal", &[]),
    ("chl.main.as.p-2-app.query.deals", &[]),
    ("chl.main.as.auditor.query.postings", &["auditor"]),
    ("chl.main.as.auditor.cmd.RegisterCustomer", &[]),
    ("chl.main.as.ops.cmd.RegisterCustomer", &["ops"]),
    ("chl.main.cmd.RegisterCustomer", &[]),
    ("chl.main.log", &[]),
    ("chl.main.event.DealWon.customer.acme", &[]),
    ("chl.main.partner.p-1.DealWon", &[]),
    ("chl.main.feeds", &[]),
    ("chl.main.parked.ops.RegisterCustomer", &[]),
    ("chl.main.settled.svc-portal.RegisterCustomer", &["ops"]),
    ("$KV.chl-main-vault.actor.u-1", &[]),
    ("$KV.chl-main-lease.writer", &[]),
    ("$JS.API.STREAM.INFO.chl-main-log", &["auditor", "ops"]),
    ("$JS.API.STREAM.MSG.GET.chl-main-log", &["auditor"]),
    ("$JS.API.STREAM.MSG.GET.KV_chl-main-vault", &[]),
    ("$JS.API.STREAM.MSG.GET.chl-main-results", &[]),
    ("$JS.API.STREAM.MSG.GET.chl-main-parked", &["ops"]),
    ("$JS.API.STREAM.MSG.DELETE.chl-main-parked", &["ops"]),
    ("$JS.API.STREAM.MSG.GET.chl-main-settled", &["ops"]),
    ("$JS.API.STREAM.MSG.DELETE.chl-main-settled", &[]),
    ("$JS.API.STREAM.DELETE.chl-main-log", &[]),
    ("$JS.API.STREAM.PURGE.chl-main-log", &[]),
    ("$JS.API.STREAM.UPDATE.chl-main-log", &[]),
    ("$JS.API.CONSUMER.CREATE.chl-main-log.c", &["auditor"]),
    ("$JS.API.CONSUMER.CREATE.chl-main-results.c.chl.main.as.svc-portal.result.*", &["svc-portal"]),
    ("$JS.API.CONSUMER.CREATE.chl-main-results.c.chl.main.as.p-1-app.result.*", &[]),
    ("$JS.API.CONSUMER.CREATE.chl-main-events.c", &["svc-portal"]),
    ("$JS.API.STREAM.MSG.GET.chl-main-partners", &[]),
    ("$JS.API.CONSUMER.CREATE.chl-main-partners.c.chl.main.partner.p-1.*", &[]),
    ("$JS.API.CONSUMER.CREATE.KV_chl-main-vault.c", &[]),
    ("$SRV.INFO", &["svc-portal", "ops"]),
];

/// What is tried: a subject that is subscribed to, and who may.
const SUBSCRIBED: &[(&str, &[&str])] = &[
    ("_INBOX.svc-portal.>", &["svc-portal"]),
    ("_INBOX.p-1-app.>", &["p-1-app"]),
    ("_INBOX.>", &[]),
    ("chl.>", &[]),
    ("chl.main.as.p-1-app.cmd.*", &[]),
    ("chl.main.as.svc-portal.cmd.*", &[]),
    ("chl.main.log", &[]),
    ("chl.main.parked.>", &["ops"]),
    ("chl.main.event.>", &["svc-portal"]),
    ("chl.main.partner.p-1.>", &["p-1-app"]),
    ("chl.main.partner.p-2.>", &[]),
    ("chl.main.partner.>", &[]),
    ("chl.main.feeds", &[]),
    ("$KV.chl-main-vault.>", &[]),
];

type Refusals = Arc<Mutex<Vec<String>>>;

fn password(user: &str) -> String {
    format!("secret-of-{user}")
}

async fn connect(servers: &Servers, user: &str) -> (Client, Refusals) {
    let refusals = Refusals::default();
    let heard = Arc::clone(&refusals);
    let options = ConnectOptions::with_user_and_password(user.to_owned(), password(user))
        .custom_inbox_prefix(format!("_INBOX.{user}"))
        .event_callback(move |event| {
            if let Event::ServerError(error) = &event {
                heard.lock().unwrap().push(error.to_string());
            }
            async {}
        });
    (options.connect(servers.urls()).await.unwrap(), refusals)
}

/// Whether the server refused something, after it has seen all that was sent.
async fn refused(client: &Client, refusals: &Refusals, subject: &str) -> bool {
    client.flush().await.unwrap();
    // The refusal comes on the same connection before the answer to the flush, and is handed on by
    // another task.
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(60) {
        let named = |text: &String| text.to_lowercase().contains(&subject.to_lowercase());
        if refusals.lock().unwrap().iter().any(named) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn each_user_may_do_what_the_table_says_and_nothing_else() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/nats/secure.conf");
    let variables: Vec<(String, String)> =
        USERS.iter().map(|(user, name)| ((*name).to_owned(), password(user))).collect();
    let Some(servers) = Servers::start_with(&config, 1, &variables).unwrap() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut node = Node::new(folder.path(), &servers, 1).known_as("node", &password("node"));
    node.start();
    node.wait_until_it_leads();
    for (user, _) in USERS {
        // The nodes may all of it, which would undo the ledger under test.
        let tried = PUBLISHED.iter().filter(|_| user != "node");
        for (subject, allowed) in tried {
            let (client, refusals) = connect(&servers, user).await;
            // A dash of a body that is nothing to the ledger and to JetStream.
            client.publish(*subject, "-".into()).await.unwrap();
            let may = allowed.contains(&user);
            let was = !refused(&client, &refusals, subject).await;
            assert_eq!(was, may, "{user} publishes to {subject}");
        }
        for (subject, allowed) in SUBSCRIBED {
            let (client, refusals) = connect(&servers, user).await;
            let _heard = client.subscribe(*subject).await.unwrap();
            let may = user == "node" || allowed.contains(&user);
            let was = !refused(&client, &refusals, subject).await;
            assert_eq!(was, may, "{user} subscribes to {subject}");
        }
    }
    // And with these permissions a service and a partner get their answers.
    let (service, _) = connect(&servers, "svc-portal").await;
    let recruit = json!({ "partner": "p-1", "name": "A", "types": ["reseller"] });
    let recruit = json!({ "id": "1", "type": "RecruitPartner", "data": recruit }).to_string();
    let subject = "chl.main.as.svc-portal.cmd.RecruitPartner";
    let answer = service.request(subject, recruit.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!(answer["outcome"], json!("accepted"), "{answer}");
    let (partner, _) = connect(&servers, "p-1-app").await;
    let answer = partner.request("chl.main.as.p-1-app.query.balances", "{}".into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert!(answer["rows"].is_array(), "{answer}");
    no_answer_goes_where_its_sender_may_not(&partner, &service).await;
    // An operator deals with what is parked by what the program itself does, and nothing more.
    service.publish("chl.main.as.svc-portal.queue.RecruitPartner", "no json".into()).await.unwrap();
    let ops = Node::new(&folder.path().join("ops"), &servers, 1).known_as("ops", &password("ops"));
    let began = Instant::now();
    let number = loop {
        let listed = ops.ask(&["parked"]);
        if let Some(one) = listed.iter().find(|one| one["document"] == json!("no json")) {
            break one["parked"].to_string();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was parked: {listed:?}");
    };
    let mended = folder.path().join("mended");
    let document = json!({ "id": "3", "type": "RegisterCustomer",
        "data": { "customer": "acme", "name": "A" } });
    std::fs::write(&mended, document.to_string()).unwrap();
    ops.ask(&["parked", "send", &number, &mended.display().to_string(), "--as=ops"]);
    let settled = ops.ask(&["parked", "settled"]);
    assert_eq!(settled.last().unwrap()["sent_as"], json!("ops"), "{settled:?}");
    // An auditor takes the log away, block by block, and verifies it; it has no keys of persons.
    let auditor = Node::new(&folder.path().join("auditor"), &servers, 1);
    let auditor = auditor.known_as("auditor", &password("auditor"));
    let taken = auditor.ask(&["log", "export"]);
    let (first, last) = (taken.first().unwrap(), taken.last().unwrap());
    assert!(first["ledger"].is_string() && last["root"].is_string(), "{taken:?}");
    assert!(last["next"].as_u64().unwrap() > 1, "{last}");
    assert!(auditor.ask(&["check"]).iter().all(|check| check["holds"] == json!(true)));
    assert_eq!(node.stop(), Some(0), "{}", node.said());
}

/// The ledger may publish to its log, and its partners may not: not by having an answer sent there
/// either, which would be a message that is no block, and stop the ledger.
async fn no_answer_goes_where_its_sender_may_not(partner: &Client, service: &Client) {
    let apply = json!({ "id": "2", "type": "ApplyForProgramme", "data": { "partner": "p-1" } });
    for (subject, body) in [
        ("chl.main.as.p-1-app.query.balances", "{}".to_owned()),
        ("chl.main.as.p-1-app.cmd.ApplyForProgramme", apply.to_string()),
    ] {
        for target in ["chl.main.log", "chl.main.as.ops.cmd.PayClaim", "$KV.chl-main-lease.writer"]
        {
            partner.publish_with_reply(subject, target, body.clone().into()).await.unwrap();
        }
    }
    // Behind all of that on the same connection: the application is decided, and once.
    let subject = "chl.main.as.p-1-app.cmd.ApplyForProgramme";
    let answer = partner.request(subject, apply.to_string().into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    assert_eq!((&answer["duplicate"], &answer["position"]), (&json!(true), &json!(2)), "{answer}");
    let recruit = json!({ "partner": "p-2", "name": "B", "types": ["reseller"] });
    let recruit = json!({ "id": "2", "type": "RecruitPartner", "data": recruit }).to_string();
    let subject = "chl.main.as.svc-portal.cmd.RecruitPartner";
    let answer = service.request(subject, recruit.into()).await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.payload).unwrap();
    // The opening, two partners and an application, and nothing between.
    assert_eq!(
        (&answer["outcome"], &answer["position"]),
        (&json!("accepted"), &json!(3)),
        "{answer}"
    );
    let info = service.request("chl.main.as.svc-portal.query.partners", "{}".into()).await.unwrap();
    let info: Value = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(info["rows"].as_array().unwrap().len(), 2, "{info}");
}
