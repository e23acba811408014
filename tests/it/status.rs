//! A status is open: the four that the page lists have variants, any other string or integer is kept.

use serde_json::json;
use twt_chat_webhooks::{DecodeErrorKind, Event, Payload, Status, StatusCode};

use crate::body::Body;
use crate::entry_points::{decode, refuse, relay};

const STATUS: &str = "content[0].status";

fn status_of(payload: &Payload) -> &Status {
    match &payload.event {
        Event::Unreplied(messages) => &messages[0].status,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_documented_status_is_its_variant_from_a_string_or_an_integer() {
    let rows = [
        ("1", Status::Unreplied, StatusCode::Unreplied),
        ("2", Status::Queued, StatusCode::Queued),
        ("3", Status::Pending, StatusCode::Pending),
        ("4", Status::Replied, StatusCode::Replied),
    ];
    for (digit, status, code) in rows {
        let as_string = format!("\"{digit}\"");
        let expected = Body::unreplied().set(STATUS, &as_string).value();
        for json in [as_string.as_str(), digit, &format!(r#""\u003{digit}""#)] {
            for text in Body::unreplied().set(STATUS, json).both_orders() {
                assert_eq!(status_of(&decode(&text)), &status, "{text}");
                assert_eq!(relay(&text), expected, "{text}");
            }
        }
        assert_eq!((status.as_str(), status.code()), (digit, Some(code)));
        assert_eq!((Status::from(digit), Status::from(code)), (status.clone(), status));
        assert_eq!(StatusCode::try_from(code as u8), Ok(code));
    }
}

#[test]
fn an_undocumented_status_is_kept_and_written_back_as_that_string() {
    let rows = [
        (r#""5""#, "5"),
        ("5", "5"),
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
        for text in Body::unreplied().set(STATUS, json).both_orders() {
            let payload = decode(&text);
            let Status::Unknown(status) = status_of(&payload) else { panic!("{json} is documented?") };
            assert_eq!(status.as_str(), kept);
            assert_eq!(status_of(&payload).as_str(), kept);
            assert_eq!(status_of(&payload).code(), None);

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
        for text in Body::unreplied().set(STATUS, json).both_orders() {
            let error = refuse(&text);
            assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, STATUS), "{error}");
        }
    }
}

#[test]
fn a_missing_status_is_an_error() {
    for text in Body::unreplied().without(STATUS).both_orders() {
        let error = refuse(&text);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, STATUS), "{error}");
    }
}

/// Read as a float, it would come out as the integer before it.
#[test]
fn a_status_just_beyond_64_bits_is_not_rounded() {
    for integer in ["-9223372036854775809", "-9223372036854775900"] {
        for text in Body::unreplied().set(STATUS, integer).both_orders() {
            let status = Payload::from_slice(text.as_bytes()).map(|payload| status_of(&payload).as_str().to_owned());
            assert!(status.is_err() || status.as_deref() == Ok(integer), "{status:?}");
        }
    }
}
