//! Identifiers, money, rates, dates, periods and texts: what is taken, what is refused, and why.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use chl_events::{
    Currency, Date, DealId, DisplayName, Exact, FreeText, Instant, Money, Name, Period, Person,
    Rate, Sealable, Stream, Whom, to_bytes,
};
use proptest::prelude::*;

fn usd(amount: &str) -> Result<Money, chl_events::MoneyError> {
    Money::parse(amount, Currency::new("USD").unwrap())
}

#[test]
fn identifiers_are_one_subject_token() {
    assert!(DealId::new("d-1_A9").is_ok());
    assert!(DealId::new("a".repeat(64)).is_ok());
    for (bad, why) in [
        ("", "empty"),
        ("-a", "'-' is not allowed in an identifier at place 0"),
        ("a.b", "'.' is not allowed in an identifier at place 1"),
        ("a b", "' ' is not allowed"),
        ("ä", "'ä' is not allowed"),
    ] {
        let message = DealId::new(bad).unwrap_err().to_string();
        assert!(message.contains(why), "{bad:?}: {message}");
    }
    assert!(DealId::new("a".repeat(65)).unwrap_err().to_string().contains("65 bytes"));
}

#[test]
fn money_has_at_most_the_currencys_places_and_fifteen_digits() {
    assert_eq!(usd("1234.5").unwrap().to_string(), "1234.50 USD");
    assert_eq!(usd("999999999999999.99").unwrap().minor(), 99_999_999_999_999_999);
    assert_eq!(usd("-0.01").unwrap().amount(), "-0.01");
    let yen = Currency::new("JPY").unwrap();
    assert_eq!(Money::parse("120", yen).unwrap().to_string(), "120 JPY");
    assert!(
        Money::parse("120.0", yen).unwrap_err().to_string().contains("0 decimal places of JPY")
    );
    assert!(usd("1.234").unwrap_err().to_string().contains("2 decimal places of USD"));
    for large in ["1000000000000000", "1000000000000000000000000000000000000000"] {
        assert!(usd(large).unwrap_err().to_string().contains("15 integer digits"), "{large}");
    }
    for bad in ["", ".5", "5.", "1e3", "+1", "1,000", " 1", "NaN", "0x1", "--1", "1.2.3"] {
        assert!(usd(bad).unwrap_err().to_string().contains("no plain decimal"), "{bad:?}");
    }
    for code in ["usd", "US", "XXX", "ZZZ", ""] {
        assert!(Currency::new(code).is_err(), "{code:?}");
    }
}

#[test]
fn money_in_json_is_a_decimal_string_never_a_number() {
    let read = serde_json::from_str::<Money>;
    assert!(read(r#"{"amount":"1.00","currency":"USD"}"#).is_ok());
    for bad in [
        r#"{"amount":1.00,"currency":"USD"}"#,
        r#"{"amount":"1.00"}"#,
        r#"{"amount":"1.00","currency":"USD","scale":2}"#,
        r#"{"amount":"1.00","currency":"usd"}"#,
    ] {
        assert!(read(bad).is_err(), "{bad}");
    }
}

#[test]
fn equal_decimals_have_equal_bytes_and_rates_nine_digits() {
    let bytes = |text: &str| postcard::to_stdvec(&text.parse::<Exact>().unwrap()).unwrap();
    assert_eq!(bytes("1.0"), bytes("1.00"));
    assert_eq!(bytes("-0.00"), bytes("0"));
    assert!("0.123456789".parse::<Rate>().is_ok());
    assert!("0.1234567891".parse::<Rate>().unwrap_err().to_string().contains("nine significant"));
}

#[test]
fn dates_and_instants_are_read_strictly() {
    assert_eq!(
        "2028-02-29".parse::<Date>().unwrap().plus_days(1).unwrap().to_string(),
        "2028-03-01"
    );
    for bad in ["2026-02-29", "2026-2-01", "20260201", "2026-02-01T00:00:00Z", "-2026-01-01", ""] {
        assert!(bad.parse::<Date>().is_err(), "{bad:?}");
    }
    let at = |text: &str| text.parse::<Instant>().unwrap();
    assert_eq!(at("2026-03-01T10:00:00+01:00"), at("2026-03-01T09:00:00Z"));
    for bad in ["2026-03-01", "2026-03-01T09:00:00", "2026-03-01T25:00:00Z", "now", ""] {
        assert!(bad.parse::<Instant>().is_err(), "{bad:?}");
    }
}

#[test]
fn periods_have_names() {
    let shown = |text: &str| text.parse::<Period>().unwrap().to_string();
    assert_eq!(shown("2026"), "2026-01-01/2026-12-31");
    assert_eq!(shown("2026-H2"), "2026-07-01/2026-12-31");
    assert_eq!(shown("2026-Q1"), "2026-01-01/2026-03-31");
    assert_eq!(shown("2028-02"), "2028-02-01/2028-02-29");
    assert_eq!(shown("2026-01-05/2026-01-05"), "2026-01-05/2026-01-05");
    for bad in ["2026-Q5", "2026-13", "26", "2026-01-02/2026-01-01", "2026-1", ""] {
        assert!(bad.parse::<Period>().is_err(), "{bad:?}");
    }
}

#[test]
fn names_are_nfc_and_texts_are_plain_or_sealed() {
    assert_eq!(DisplayName::new("Mu\u{308}ller").unwrap().as_str(), "Müller");
    assert!(DisplayName::new(&"ä".repeat(256)).is_ok());
    assert!(DisplayName::new(&"ä".repeat(257)).is_err());
    assert!(DisplayName::new(" ").is_err());
    assert!(DisplayName::new("a\nb").unwrap_err().to_string().contains("control character"));
    let name: Name = serde_json::from_str(r#""Acme""#).unwrap();
    assert_eq!(name.plain(), Some("Acme"));
    let sealed = format!(r#"{{"sealed":"{}","ciphertext":"c2VhbGVk"}}"#, "0f".repeat(16));
    let text: FreeText = serde_json::from_str(&sealed).unwrap();
    assert_eq!(
        (text.plain(), text.sealed().unwrap().ciphertext.as_slice()),
        (None, &b"sealed"[..])
    );
    assert_eq!(serde_json::to_string(&text).unwrap(), sealed);
    assert!(serde_json::from_str::<FreeText>(r#"{"sealed":"zz","ciphertext":""}"#).is_err());
    assert!(serde_json::from_str::<FreeText>("7").is_err());
}

#[test]
fn streams_are_read_as_they_are_written() {
    for text in ["ledger", "partner/p", "coop/gold/p", "mdf/gold/p", "rebate/gold/p", "budget/b"] {
        assert_eq!(text.parse::<Stream>().unwrap().to_string(), text);
    }
    for bad in
        ["", "ledger/x", "partner", "partner/a/b", "coop/gold", "coop/a/b/c", "deal/d", "partner/ "]
    {
        assert!(bad.parse::<Stream>().is_err(), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn amounts_read_back_as_shown(minor in -99_999_999_999_999_999_i128..=99_999_999_999_999_999) {
        for code in ["USD", "JPY", "KWD"] {
            let money = Money::from_minor(minor / 1000, Currency::new(code).unwrap());
            prop_assert_eq!(Money::parse(&money.amount(), money.currency()).unwrap(), money);
            let bytes = postcard::to_stdvec(&money).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Money>(&bytes).unwrap(), money);
        }
    }

    #[test]
    fn days_and_calendar_agree(days in -700_000_i32..2_900_000) {
        if let Some(date) = Date::from_days(days) {
            prop_assert_eq!(date.to_string().parse::<Date>().unwrap(), date);
            prop_assert_eq!(Date::from_civil(date.civil()), date);
            prop_assert_eq!(date.start_utc().date_utc(), date);
        }
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,40}") {
        let _ = (text.parse::<Date>(), text.parse::<Instant>(), text.parse::<Period>());
        let _ = (text.parse::<Rate>(), text.parse::<Stream>(), usd(&text), DisplayName::new(&text));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = chl_events::Block::from_bytes(bytes.clone());
        let _ = chl_events::Commit::decode(&[&[1], bytes.as_slice()].concat());
        for kind in chl_events::Event::kinds() {
            let _ = chl_events::Event::decode(kind.tag, kind.version, &bytes);
        }
    }
}

#[test]
fn a_person_is_named_by_kind_and_pseudonym_or_by_keys() {
    let read = |text: &str| serde_json::from_str::<Whom>(text);
    let anna = Whom::Person(Person::Actor("u-17".parse().unwrap()));
    assert_eq!(read(r#""actor/u-17""#).unwrap(), anna);
    assert_eq!(serde_json::to_string(&anna).unwrap(), r#""actor/u-17""#);
    let keys = r#"{"keys":["000102030405060708090a0b0c0d0e0f"]}"#;
    assert_eq!(serde_json::to_string(&read(keys).unwrap()).unwrap(), keys);
    let bytes = to_bytes(&anna).unwrap();
    assert_eq!(postcard::from_bytes::<Whom>(&bytes).unwrap(), anna);
    for wrong in [
        r#""u-17""#,
        r#""actor/""#,
        r#""customer/acme""#,
        r#""actor/u-17/x""#,
        r#"{"keys":["00"]}"#,
        r#"{"keys":[],"person":"actor/u-17"}"#,
        "17",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert!(postcard::from_bytes::<Whom>(&[0, 0]).is_err(), "neither person nor keys");
}
