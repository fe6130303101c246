//! Who gets in, seen from the log: each way to fail is an error of its own.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use chl_log_nats::{Access, ConnectError, Connection, Login, NatsLog, Options, Tls};
use chl_nats_servers::{Authority, Servers};
use std::{fs, path::Path};

const CONF: &str = "include ./one.conf
tls { cert_file: \"DIR/server.pem\", key_file: \"DIR/server.key\", ca_file: \"DIR/ca.pem\", verify: true }
authorization { users: [ { user: node, password: right } ] }
";

fn servers(dir: &Path) -> Option<Servers> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nats/one.conf");
    fs::copy(shipped, dir.join("one.conf")).expect("it is shipped");
    let conf = dir.join("gate.conf");
    fs::write(&conf, CONF.replace("DIR", &dir.display().to_string())).expect("a folder of ours");
    Servers::start_with(&conf, 1, &[]).expect("it starts")
}

#[test]
fn a_log_is_opened_behind_a_certificate_and_a_password() {
    let dir = tempfile::tempdir().expect("a folder");
    let dir = dir.path();
    let ours = Authority::new(dir, "ca").expect("an authority");
    ours.certify("server", &["127.0.0.1"]).expect("a certificate");
    let own = ours.certify("node", &[]).expect("a certificate");
    let forged = Authority::new(dir, "others").expect("another").certify("forged", &[]);
    let forged = forged.expect("a certificate");
    let Some(servers) = servers(dir) else { return };
    let password =
        |password: &str| Login::Password { user: "node".into(), password: password.into() };
    let tls = Tls {
        required: true,
        roots: Some(dir.join("ca.pem")),
        client: Some((own.certificate.clone(), own.key.clone())),
    };
    let right = Access {
        login: password("right"),
        tls: tls.clone(),
        ..Access::new(servers.urls(), "a test")
    };
    let connection = Connection::open(&right).expect("this is the right one");
    let mut options = Options::new("main", 1);
    options.create = Some(chl_events::LedgerId(*b"a ledger in NATS"));
    options.monitors = servers.monitors();
    NatsLog::open(&connection, &options).expect("a log behind it");
    let refused = |access: Access| Connection::open(&access).map(drop).expect_err("a wrong one");
    let login = refused(Access { login: password("wrong"), ..right.clone() });
    assert!(matches!(login, ConnectError::NotLetIn { .. }), "{login:?}");
    let roots = Tls { roots: Some(dir.join("others.pem")), ..tls.clone() };
    let distrusted = refused(Access { tls: roots, ..right.clone() });
    assert!(matches!(distrusted, ConnectError::Distrusted { .. }), "{distrusted:?}");
    for client in [None, Some((forged.certificate, forged.key))] {
        let own = refused(Access { tls: Tls { client, ..tls.clone() }, ..right.clone() });
        assert!(matches!(own, ConnectError::OwnCertificate { .. }), "{own:?}");
    }
    let keys = refused(Access { login: Login::Nkey { seed: dir.join("none") }, ..right });
    assert!(matches!(keys, ConnectError::Keys { .. }), "{keys:?}");
    let shown = format!("{login}{login:?}");
    assert!(!shown.contains("wrong"), "{shown}");
}
