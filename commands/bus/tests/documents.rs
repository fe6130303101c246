//! Documents of every kind of wrong: never a panic, always the field or the line and column.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use chl_bus::{Defaults, Undecoded, decode};
use proptest::prelude::*;
use serde_json::{Value, json};

const DEFAULTS: Defaults<'_> = Defaults { source: Some("/test") };

fn whole() -> String {
    json!({
        "specversion": "1.0", "id": "5f0c", "source": "/portal", "type": "RegisterDeal",
        "time": "2026-03-01T09:00:00Z", "actor": "svc-portal", "role": "partner",
        "partner": "p-042", "onbehalfof": "u-17", "expectedversion": 6, "backfill": false,
        "reason": "first meeting held", "correlationid": "c", "causationid": "d",
        "traceparent": "00-0af7", "datacontenttype": "application/json", "subject": null,
        "data": {
            "deal": "d-1", "customer": "acme", "partner": "p-042", "programme": "gold",
            "product_line": "gtx", "territory": "west",
            "value": {"amount": "50000.00", "currency": "USD"}, "expected_close": "2026-06-30",
            "contract": {"tcv": {"amount": "1.00", "currency": "USD"}, "months": 12}
        }
    })
    .to_string()
}

fn undecoded(text: &str) -> Undecoded {
    *decode(text.as_bytes(), DEFAULTS).unwrap_err()
}

/// The code, and where the document is wrong: its field, or line and column.
fn wrong(text: &str) -> (&'static str, String) {
    let refused = undecoded(text).refused;
    let details = serde_json::to_value(&refused).unwrap();
    let field = details["field"].as_str().map(Into::into);
    let place = || format!("{}:{}", details["line"], details["column"]);
    (refused.code(), field.unwrap_or_else(place))
}

fn with(field: &str, value: Value) -> String {
    let mut document: Value = serde_json::from_str(&whole()).unwrap();
    *document.pointer_mut(field).unwrap() = value;
    document.to_string()
}

#[test]
fn a_whole_document_is_read() {
    let document = decode(whole().as_bytes(), Defaults::default()).unwrap();
    assert_eq!(document.envelope.source, "/portal");
    assert_eq!(document.envelope.expected_version, Some(6));
    assert_eq!(document.command.kind().name, "RegisterDeal");
    assert_eq!(document.recorded_at, None);
}

#[test]
fn what_is_wrong_is_named() {
    let malformed = |text: &str, place: &str| {
        assert_eq!(wrong(text), ("command.malformed", place.to_string()), "{text}");
    };
    malformed("", "1:0");
    malformed("{\"id\": \"a\",\n \"type\" ?}", "2:9");
    malformed(&format!("{} x", whole()), &format!("1:{}", whole().len() + 2));
    malformed("[]", "1:0");
    malformed("{\"data\":{}}", "type");
    malformed(&with("/id", json!(7)), "id");
    malformed(&with("/id", json!("")), "id");
    malformed(&with("/id", json!("x".repeat(257))), "id");
    malformed(&with("/source", json!("a\u{0}b")), "source");
    malformed(&with("/time", json!("yesterday")), "time");
    malformed(&with("/role", json!("king")), "role");
    malformed(&with("/specversion", json!("0.3")), "specversion");
    malformed(&with("/traceparent", json!({"deep": 1})), "traceparent");
    malformed(&with("/data", Value::Null), "data");
    malformed(&with("/data/deal", json!("no spaces")), "data.deal");
    malformed(&with("/data/value/amount", json!(50_000)), "data.value.amount");
    malformed(&with("/data/value/currency", json!("XXQ")), "data.value.currency");
    malformed(&with("/data/expected_close", json!("2026-02-30")), "data.expected_close");
    malformed(&with("/data/contract/months", json!(-1)), "data.contract.months");
    malformed(&whole().replace("\"months\"", "\"monhts\""), "data.contract.monhts");
    malformed(&whole().replacen('{', "{\"id\":\"b\",", 1), "id");
    malformed(&whole().replacen('{', "{\"Bad-Name\":\"b\",", 1), "Bad-Name");
    malformed(&whole().replacen('{', "{\"data_base64\":\"b\",", 1), "data_base64");
    let twice = whole().replace("\"deal\":", "\"deal\":\"x\",\"deal\":");
    malformed(&twice, "data.deal");
    malformed(
        &whole().replace("\"tcv\":{\"amount\":\"1.00\",", "\"tcv\":{"),
        "data.contract.tcv.amount",
    );
    let name = whole().replace("RegisterDeal", "RegisterDael");
    assert_eq!(wrong(&name).0, "command.unknown_type");
    let large = whole().replace("first meeting held", &"x".repeat(33_000));
    assert_eq!(wrong(&large).0, "command.too_large");
    let deep = with("/data", serde_json::from_str(&("[".repeat(16) + &"]".repeat(16))).unwrap());
    assert_eq!(wrong(&deep).0, "command.malformed");
}

/// What a sender is told of a document.
fn told(text: &str) -> String {
    undecoded(text).refused.to_string()
}

#[test]
fn an_object_is_no_list_of_its_fields() {
    let money = json!(["50000.00", "USD"]);
    assert_eq!(wrong(&with("/data/value", money)), ("command.malformed", "data.value".into()));
    let contract = json!([{"amount": "1.00", "currency": "USD"}, 12, false, null]);
    assert_eq!(wrong(&with("/data/contract", contract)).1, "data.contract");
    assert_eq!(wrong(&with("/data", json!(["d-1", "acme"]))).1, "data");
}

#[test]
fn what_is_expected_is_said_in_words_of_the_document() {
    let money = r#"an amount of money like {"amount": "1234.50", "currency": "USD"}"#;
    for (field, value, expected) in [
        ("/data/value", json!(5), money),
        ("/data/value", json!(["5.00", "USD"]), money),
        ("/data/value/amount", json!(5), "a text"),
        ("/data/deal", json!(5), "an identifier such as p-042"),
        ("/data/contract", json!("x"), "an object"),
        ("/data/contract/months", json!("x"), "a whole number from 0 on"),
        ("/data/contract/months", json!(-1), "a whole number from 0 on"),
        ("/data/contract/months", json!(1.5), "a whole number from 0 on"),
        ("/data", json!(7), "an object"),
        ("/expectedversion", json!("x"), "a whole number from 0 on"),
        ("/expectedversion", json!(-1), "a whole number from 0 on"),
        ("/backfill", json!(0), "true or false"),
        ("/id", json!(5), "a text"),
    ] {
        let told = told(&with(field, value));
        assert!(told.ends_with(&format!(", expected {expected}")), "{field}: {told}");
    }
}

#[test]
fn bytes_that_are_no_text_are_placed() {
    let mut bytes = whole().into_bytes();
    let at = bytes.windows(4).position(|four| four == b"acme").unwrap();
    bytes[at] = 0xe9;
    let refused = decode(&bytes, DEFAULTS).unwrap_err().refused;
    let details = serde_json::to_value(&refused).unwrap();
    assert_eq!(refused.code(), "command.malformed");
    assert_eq!((&details["line"], &details["column"]), (&json!(1), &json!(at + 1)));
    assert!(refused.to_string().contains("0xe9 is no UTF-8"), "{refused}");
}

#[test]
fn a_misspelt_command_is_told_what_may_be_meant() {
    for (name, meant) in [
        ("RegisterDael", Some("RegisterDeal")),
        ("registerdeal", Some("RegisterDeal")),
        ("PayClaims", Some("PayClaim")),
        ("Frobnicate", None),
    ] {
        let text = whole().replace("RegisterDeal", name);
        let details = serde_json::to_value(undecoded(&text).refused).unwrap();
        assert_eq!(details["nearest"].as_str(), meant, "{name}");
        let hint = meant.map(|meant| format!("did you mean {meant}?"));
        assert!(hint.is_none_or(|hint| told(&text).ends_with(&hint)), "{}", told(&text));
    }
}

#[test]
fn the_id_is_known_even_where_the_rest_is_not() {
    assert_eq!(undecoded(&with("/data", json!(1))).id.as_deref(), Some("5f0c"));
    assert_eq!(undecoded("{\"id\":\"early\", \"data\": ").id.as_deref(), Some("early"));
    assert_eq!(undecoded("nothing").id, None);
}

/// Changes a document a little: bytes set, cut out, doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let change = (0..3_u8, any::<prop::sample::Index>(), any::<u8>(), 1..12_usize);
    prop::collection::vec(change, 1..6).prop_map(|changes| {
        let mut bytes = whole().into_bytes();
        for (kind, at, byte, length) in changes {
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + length);
            match kind {
                0 => bytes.splice(at..=at, [byte]).for_each(drop),
                1 => bytes.drain(at..end).for_each(drop),
                _ => {
                    let part: Vec<u8> = bytes.iter().skip(at).take(end - at).copied().collect();
                    bytes.splice(at..at, part).for_each(drop);
                }
            }
            if bytes.is_empty() {
                bytes.push(b' ');
            }
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn mutated_documents_are_read_or_placed(bytes in mutated()) {
        if let Err(undecoded) = decode(&bytes, DEFAULTS) {
            let code = undecoded.refused.code();
            let details = serde_json::to_value(&undecoded.refused).unwrap();
            let placed = details["field"].is_string()
                || (details["line"].is_u64() && details["column"].is_u64());
            prop_assert!(placed || code != "command.malformed", "{undecoded:?}");
            prop_assert!(code.starts_with("command."), "{undecoded:?}");
        }
    }
}
