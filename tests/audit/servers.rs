//! The same calls where the ledger lives on servers.

use crate::{
    cli::{Desk, partner_lines, programme_lines},
    stand::Stand,
};
use chl_nats_servers::{Servers, Shape};
use std::fs;

#[test]
fn a_ledger_on_servers_is_signed_published_proved_and_verified() {
    let Some(servers) = Servers::start(Shape::One).unwrap() else { return };
    let desk = Desk::new();
    let (nats, monitor) = (
        format!("--nats={}", servers.urls()[0]),
        format!("--nats-monitor={}", servers.monitors()[0]),
    );
    let run = |args: &[&str], input: &str| {
        let run = desk.run_with(&[&[nats.as_str(), &monitor], args].concat(), input.as_bytes());
        assert_eq!(run.code, 0, "{args:?}: {}", run.err);
        run
    };
    run(&["submit"], &(partner_lines() + &programme_lines()));
    let key = Stand::row(&run(&["audit", "keygen"], ""))["key"].as_str().unwrap().to_owned();
    fs::write(desk.path("kept"), run(&["audit", "checkpoint"], "").out).unwrap();
    run(&["submit"], &crate::stand::sales(0, 300));
    run(&["audit", "export", "public", "--entries"], "");
    let verified = run(&["audit", "verify", "--against", "kept"], "");
    let published = desk.run(&["audit", "verify", "public", "--key", &key, "--against", "kept"]);
    assert_eq!(published.code, 0, "{}", published.err);
    let (verified, published) = (Stand::row(&verified), Stand::row(&published));
    assert_eq!(verified["root"], published["root"]);
    fs::write(desk.path("receipt"), run(&["audit", "prove", "--claim", "c-5-x"], "").out).unwrap();
    let checked = desk.run(&["audit", "check", "receipt", "--key", &key]);
    assert_eq!(checked.code, 0, "{}{}", checked.out, checked.err);
    // The same entries in an embedded ledger have the same root.
    fs::write(desk.path("log"), run(&["log", "export", "--bare", "--vault", "vault"], "").out)
        .unwrap();
    let imported = desk.run(&["--ledger", "embedded", "log", "import", "log", "--vault", "vault"]);
    assert_eq!(imported.code, 0, "{}", imported.err);
    let embedded =
        desk.run(&["--ledger", "embedded", "audit", "verify", "--against", "kept", "--key", &key]);
    assert_eq!(Stand::row(&embedded)["root"], verified["root"], "{}", embedded.err);
    // A stream that is not what was signed of it is not opened.
    let signed = desk.path("main@nats/audit/signed");
    let text = fs::read_to_string(&signed).unwrap();
    let size = text.lines().nth(1).unwrap();
    fs::write(&signed, text.replace(size, &format!("{size}0"))).unwrap();
    let refused = desk.run(&[&nats, &monitor, "log", "tail"]);
    assert_eq!(refused.code, 6, "{}", refused.err);
    let told = format!("position {size} and what followed it are missing");
    assert!(refused.err.contains(&told), "{}", refused.err);
}
