//! The documented statuses have variants. Any other string or integer is an unknown status, and is kept.

use std::collections::{BTreeMap, HashSet};

use serde_json::json;
use twt_chat_webhooks::{DecodeErrorKind, DocumentedStatus, Event, Payload, Status, StatusError};

use crate::body::Body;
use crate::entry_points::{decode, refuse, relay};

const STATUS_PATH: &str = "content[0].status";

fn status_of(payload: &Payload) -> &Status {
    match &payload.event {
        Event::Unreplied(messages) => &messages[0].status,
        other => panic!("{other:?}"),
    }
}

/// The list of the page: the number on the wire, the variants, and the words.
fn documented() -> Vec<(&'static str, Status, DocumentedStatus, &'static str)> {
    vec![
        ("1", Status::Unreplied, DocumentedStatus::Unreplied, "unreplied"),
        ("2", Status::Queued, DocumentedStatus::Queued, "queued"),
        ("3", Status::Pending, DocumentedStatus::Pending, "pending"),
        ("4", Status::Replied, DocumentedStatus::Replied, "replied"),
    ]
}

#[test]
fn a_documented_status_is_read_from_a_string_or_an_integer() {
    let statuses: Vec<_> = documented().into_iter().map(|(_, status, ..)| status).collect();
    assert_eq!(Status::DOCUMENTED, statuses, "documented() in tests/it/status.rs lacks a status");
    for (digit, status, documented, _) in documented() {
        let as_string = format!("\"{digit}\"");
        let expected = Body::unreplied().set(STATUS_PATH, &as_string).value();
        for json in [as_string.as_str(), digit, &format!(r#""\u003{digit}""#)] {
            for text in Body::unreplied().set(STATUS_PATH, json).both_orders() {
                assert_eq!(status_of(&decode(&text)), &status, "{text}");
                assert_eq!(relay(&text), expected, "{text}");
            }
        }
        assert_eq!((status.as_str(), status.documented()), (digit, Some(documented)));
        assert_eq!((Status::from(digit), Status::from(documented)), (status.clone(), status));
    }
}

#[test]
fn an_unknown_status_is_kept_and_written_back_as_a_string() {
    let rows = [
        (r#""99""#, "99"),
        ("99", "99"),
        ("0", "0"),
        ("-1", "-1"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        (r#""-1""#, "-1"),
        (r#""01""#, "01"),
        (r#""02""#, "02"),
        (r#""003""#, "003"),
        (r#""04""#, "04"),
        (r#"" 1""#, " 1"),
        (r#""1 ""#, "1 "),
        (r#""+1""#, "+1"),
        (r#""1.0""#, "1.0"),
        (r#""""#, ""),
        (r#""UNREPLIED""#, "UNREPLIED"),
        (r#""\u0000""#, "\0"),
        (r#""已回复""#, "已回复"),
        (r#""18446744073709551616""#, "18446744073709551616"),
    ];
    for (json, kept) in rows {
        for text in Body::unreplied().set(STATUS_PATH, json).both_orders() {
            let payload = decode(&text);
            let Status::Unknown(status) = status_of(&payload) else { panic!("{json} should be an unknown status") };
            assert_eq!(status.as_str(), kept);
            assert_eq!(status_of(&payload).as_str(), kept);
            assert_eq!(status_of(&payload).documented(), None);

            let mut expected = Body::unreplied().value();
            expected["content"][0]["status"] = json!(kept);
            assert_eq!(relay(&text), expected, "{text}");
        }
    }
}

#[test]
fn a_status_that_is_neither_string_nor_integer_is_an_error() {
    let rows = ["null", "true", "4.5", "1e300", "18446744073709551616", "[]", r#"["1"]"#, "{}"];
    for json in rows {
        for text in Body::unreplied().set(STATUS_PATH, json).both_orders() {
            let error = refuse(&text);
            assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, STATUS_PATH), "{error}");
        }
    }
}

#[test]
fn a_missing_status_is_an_error() {
    for text in Body::unreplied().without(STATUS_PATH).both_orders() {
        let error = refuse(&text);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, STATUS_PATH), "{error}");
    }
}

/// As a float, the number would be rounded to another integer.
#[test]
fn a_status_just_beyond_64_bits_is_not_rounded() {
    for integer in ["-9223372036854775809", "-9223372036854775900"] {
        for text in Body::unreplied().set(STATUS_PATH, integer).both_orders() {
            let status = Payload::from_slice(text.as_bytes()).map(|payload| status_of(&payload).as_str().to_owned());
            assert!(status.is_err() || status.as_deref() == Ok(integer), "{status:?}");
        }
    }
}

#[test]
fn the_integer_form_is_the_number_on_the_wire_and_has_words() {
    for (digit, status, documented, words) in documented() {
        let number: u8 = digit.parse().unwrap();
        assert_eq!((u8::from(documented), documented as u8), (number, number));
        assert_eq!(DocumentedStatus::try_from(number), Ok(documented));
        assert_eq!(documented.to_string(), words);
        assert_eq!(format!("{documented:>12}|"), format!("{words:>12}|"));
        assert_eq!(serde_json::to_value(documented).unwrap(), json!(number));
        assert_eq!(serde_json::from_value::<DocumentedStatus>(json!(number)).unwrap(), documented);
        assert_eq!(Status::from(documented), status);
        assert_eq!(status.number(), Some(number.into()));
    }
}

#[test]
fn the_integer_form_refuses_every_other_number() {
    let is_documented = |number: &u8| documented().iter().any(|(digit, ..)| *digit == number.to_string());
    for number in (0..=u8::MAX).filter(|number| !is_documented(number)) {
        let error: StatusError =
            DocumentedStatus::try_from(number).expect_err("documented() in this file lacks a status");
        assert_eq!(error.to_string(), format!("no documented status has the number {number}"));
        assert!(serde_json::from_value::<DocumentedStatus>(json!(number)).is_err());
        assert_eq!(Status::from(number.to_string()).documented(), None);
    }
}

#[test]
fn a_status_has_a_number_if_it_is_an_integer_in_plain_decimal_digits() {
    let numbers = [
        ("0", 0),
        ("1", 1),
        ("4", 4),
        ("99", 99),
        ("100", 100),
        ("-1", -1),
        ("-10", -10),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ];
    for (text, number) in numbers {
        assert_eq!(Status::from(text).number(), Some(number), "{text}");
        assert_eq!(Status::from(number.to_string()), text);
    }
    let others = [
        "",
        "-",
        "+",
        "+1",
        "--1",
        "-+1",
        "00",
        "01",
        "001",
        "-0",
        "-01",
        "+0",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "1_000",
        "0x1",
        "1-",
        "١",
        "１",
        "one",
        "1\0",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551615",
        "100000000000000000000000000000000000000000",
    ];
    for text in others {
        assert_eq!(Status::from(text).number(), None, "{text:?}");
    }
}

#[test]
fn a_decoded_status_keeps_its_number() {
    for (json, number) in [(r#""2""#, 2), ("2", 2), ("99", 99), (r#""-99""#, -99), ("-99", -99), ("99.0", 99)] {
        let payload = decode(&Body::unreplied().set(STATUS_PATH, json).text());
        assert_eq!(status_of(&payload).number(), Some(number), "{json}");
    }
}

#[test]
fn a_status_is_parsed_and_compared_as_text() {
    for text in ["1", "4", "99", "", "已回复"] {
        let status: Status = text.parse().unwrap();
        assert_eq!(status, Status::from(text));
        assert_eq!(status, text);
        assert_eq!(status, *text);
        assert_eq!(text, status);
        assert_eq!(*text, status);
        assert_ne!("98", status);
        assert_ne!(status, "98");
        assert_ne!(status, *"98");
        assert_eq!(status.as_ref(), text);
        if let Status::Unknown(unknown) = &status {
            assert_eq!((unknown.as_ref(), unknown.to_string().as_str()), (text, text));
        }
    }
}

/// The order does not depend on the documented statuses, so it stays the same when a later version documents a status.
#[test]
fn statuses_are_ordered_by_their_text() {
    let texts = ["", "-1", "0", "01", "1", "10", "2", "3", "4", "4 ", "5", "closed", "已回复"];
    let statuses = texts.map(Status::from);
    assert!(statuses.is_sorted());
    for (status, text) in statuses.iter().zip(texts) {
        for (other, other_text) in statuses.iter().zip(texts) {
            assert_eq!(status.cmp(other), text.cmp(other_text));
            assert_eq!(status.partial_cmp(other), Some(text.cmp(other_text)));
            assert_eq!(status == other, text == other_text);
        }
    }
    let unknown = |status: &Status| match status {
        Status::Unknown(status) => Some(status.clone()),
        _ => None,
    };
    assert!(statuses.iter().filter_map(unknown).is_sorted());
    assert_eq!(statuses.iter().cloned().collect::<HashSet<_>>().len(), texts.len());

    let mut counts = BTreeMap::<Status, u32>::new();
    for text in ["4", "2", "99", "2"] {
        *counts.entry(text.into()).or_default() += 1;
    }
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("2".into(), 2), ("4".into(), 1), ("99".into(), 1)]);
}
