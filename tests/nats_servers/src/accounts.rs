//! Logins without passwords for a test: nkeys, and an operator whose account has users with JWTs.

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

/// What a server needs to know of an operator and its accounts, and what signs their users.
pub struct Accounts {
    /// The operator's JWT.
    pub operator: String,
    /// The public key of the account that has streams.
    pub account: String,
    /// Its JWT.
    pub account_jwt: String,
    /// The public key of the servers' own account.
    pub system: String,
    /// Its JWT.
    pub system_jwt: String,
    signs: KeyPair,
}

/// An nkey: what the server is told, and what the client keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nkey {
    /// The public key.
    pub public: String,
    /// The seed.
    pub seed: String,
}

impl Nkey {
    /// Makes one for a user.
    pub fn user() -> Self {
        let pair = KeyPair::new_user();
        Self { public: pair.public_key(), seed: seed(&pair) }
    }
}

fn seed(pair: &KeyPair) -> String {
    pair.seed().expect("a pair that was just made has its seed")
}

impl Accounts {
    /// Makes an operator with two accounts: one with streams, and the servers' own.
    pub fn new() -> Self {
        let (operator, account, system) =
            (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
        let no_limit = json!({ "subs": -1, "data": -1, "payload": -1, "conn": -1, "leaf": -1,
            "imports": -1, "exports": -1, "wildcards": true, "mem_storage": -1,
            "disk_storage": -1, "streams": -1, "consumer": -1 });
        let limited = json!({ "limits": no_limit, "type": "account", "version": 2 });
        Self {
            operator: jwt(
                &operator,
                &operator,
                "operator",
                json!({ "type": "operator", "version": 2 }),
            ),
            account_jwt: jwt(&operator, &account, "ledgers", limited),
            system_jwt: jwt(&operator, &system, "SYS", json!({ "type": "account", "version": 2 })),
            account: account.public_key(),
            system: system.public_key(),
            signs: account,
        }
    }

    /// A credentials file of a new user of the account.
    pub fn user(&self, name: &str) -> String {
        let user = KeyPair::new_user();
        let permits = json!({ "type": "user", "version": 2, "pub": {}, "sub": {}, "subs": -1,
            "data": -1, "payload": -1 });
        let jwt = jwt(&self.signs, &user, name, permits);
        let seed = seed(&user);
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

impl Default for Accounts {
    fn default() -> Self {
        Self::new()
    }
}

/// A claim about a subject, signed by an issuer, as NATS writes them.
fn jwt(issuer: &KeyPair, subject: &KeyPair, name: &str, claim: Value) -> String {
    let (issuer_key, subject) = (issuer.public_key(), subject.public_key());
    let claims = json!({ "jti": subject, "iat": 1_767_225_600, "iss": issuer_key, "name": name,
        "sub": subject, "nats": claim });
    let encoded = |part: &Value| BASE64URL_NOPAD.encode(part.to_string().as_bytes());
    let head = encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
    let signed = format!("{head}.{}", encoded(&claims));
    let signature = issuer.sign(signed.as_bytes()).expect("the pair has its seed");
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}
