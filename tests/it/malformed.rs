//! A body that is not JSON, not UTF-8 or truncated is an error, never a panic.

use serde_json::Value;
use twt_chat_webhooks::{DecodeError, DecodeErrorKind, Payload, fixtures};

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS};
use crate::entry_points::refuse;

fn error_of_bytes(body: &[u8]) -> DecodeError {
    let error = Payload::from_slice(body).unwrap_err();
    assert_eq!(Payload::from_slice_partial(body).as_ref(), Err(&error));
    error
}

#[track_caller]
pub(crate) fn is_syntax(body: &[u8]) -> DecodeError {
    let error = error_of_bytes(body);
    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Syntax, ""), "{error}: {}", body.escape_ascii());
    assert!(error.line().is_some() && error.column().is_some());
    error
}

#[test]
fn every_prefix_of_every_documented_body_is_truncated() {
    for documented in [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT] {
        let whole = documented.trim_end().len();
        for end in 0..whole {
            let error = error_of_bytes(&documented.as_bytes()[..end]);
            assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Truncated, ""), "{end}");
            assert!(error.to_string().contains("ends too early"), "{error}");
        }
        assert!(Payload::from_slice(&documented.as_bytes()[..whole]).is_ok());
    }
}

#[test]
fn a_body_cut_within_a_character_or_an_escape_is_truncated() {
    let body = Body::unreplied()
        .set("content[0].message_content", r#""访客 🙂 é \ud83d\ude42 \u4f60""#)
        .add("访客 \\ud83d\\ude42", "-1.5e-7")
        .add("content[0].trace", "[true,false,null,0.0]");
    for text in body.both_orders() {
        assert!(Payload::from_slice(text.as_bytes()).is_ok());
        for end in 0..text.len() {
            let error = error_of_bytes(&text.as_bytes()[..end]);
            assert_eq!(error.kind(), DecodeErrorKind::Truncated, "{error}: {}", text.as_bytes()[..end].escape_ascii());
        }
    }
}

#[test]
fn a_body_that_is_not_utf8_is_an_error() {
    let invalid: [&[u8]; 8] =
        [b"\xff", b"\x80", b"\xc0\x80", b"\xe4\xbd", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x99", b"\xc3("];
    for text in Body::unreplied().add("trace", r#"{"id":["🙂"]}"#).both_orders() {
        for at in (0..=text.len()).filter(|&at| text.is_char_boundary(at)) {
            for bytes in invalid {
                let (before, after) = text.as_bytes().split_at(at);
                let error = error_of_bytes(&[before, bytes, after].concat());
                assert_eq!(error.kind(), DecodeErrorKind::Syntax, "{error}");
            }
        }
        let inside = text.replace("test", "te\u{1}st").into_bytes();
        let inside: Vec<_> = inside.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
        assert!(is_syntax(&inside).to_string().contains("the body is not UTF-8"));
    }
}

#[test]
fn a_body_in_another_encoding_is_an_error() {
    let text = Body::unreplied().text();
    is_syntax(format!("\u{feff}{text}").as_bytes());
    is_syntax(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    is_syntax(&text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>());
}

#[test]
fn an_empty_body_is_truncated_and_a_body_must_be_an_object() {
    for body in ["", " ", "\n\t\r "] {
        let error = error_of_bytes(body.as_bytes());
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Truncated, ""));
    }
    for body in ["0", "-1", "4.5", "true", "null", r#""UNREPLIED""#, r#""{}""#, "[]", "[{}]"] {
        let error = refuse(body);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, ""), "{body}");
    }
}

#[test]
fn text_after_the_body_is_an_error() {
    for event in EVENTS {
        for text in Body::of(event).both_orders() {
            for trailing in ["x", "}", "]", ",", "{}", "null", "0", "\0", "\u{a0}", "\u{feff}", "//", "\"\""] {
                is_syntax(format!("{text}{trailing}").as_bytes());
                is_syntax(format!("{text} \n{trailing}").as_bytes());
            }
            assert!(Payload::from_slice(format!(" \t\r\n{text} \t\r\n").as_bytes()).is_ok());
        }
    }
}

/// Pairs of an event and the path of a value: documented and unknown fields, in the envelope and in an item, and
/// unknown content.
pub(crate) fn places() -> Vec<(&'static str, &'static str)> {
    let paths = ["created_at", "webhook_id", "event", "content", "trace", "content[0].subject", "content[0].sbs"];
    let more = ["content[0].created_at", "content[0].push_times", "content[0].status", "content[0].trace"];
    let known = paths.into_iter().chain(more).map(|path| ("UNREPLIED", path));
    known.chain([(EVENT_OF_TOMORROW, "content"), (EVENT_OF_TOMORROW, "trace")]).collect()
}

#[test]
fn a_value_that_is_not_json_is_an_error_in_every_place() {
    let values = [
        " ",
        "tru",
        "True",
        "nul",
        "undefined",
        "NaN",
        "Infinity",
        "-Infinity",
        "four",
        "01",
        "-01",
        "00",
        "+4",
        "-",
        "4.",
        ".4",
        "4e",
        "4e+",
        "4.e1",
        "0x4",
        "1_000",
        "1,,",
        "4 4",
        "'four'",
        "\"\t\"",
        "\"\n\"",
        "\"\0\"",
        "\"\u{1f}\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u12g4""#,
        r#""\U0041""#,
        r#""\ud800""#,
        r#""\udc00""#,
        r#""\ud83d\u0041""#,
        r#""\ud83d\ud83d""#,
        r#""\ud83dx""#,
        r#""\ude42\ud83d""#,
        "[1,]",
        "[,]",
        "[1 2]",
        "[}",
        "{]",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        "{a:1}",
        "{1:1}",
        "{null:1}",
        r#"{"\ud800":1}"#,
        "/**/4",
        "4//",
        "\u{a0}4",
        "\u{feff}4",
        "\u{b}4",
        "\u{c}4",
    ];
    for (event, path) in places() {
        for json in values {
            for text in Body::of(event).set(path, json).both_orders() {
                is_syntax(text.as_bytes());
                assert_eq!(serde_json::from_str::<Value>(&text).ok(), None, "{text}");
            }
        }
    }
}

#[test]
fn a_key_that_is_not_json_is_an_error() {
    for text in Body::unreplied().both_orders() {
        for (from, to) in [
            ("\"event\"", "event"),
            ("\"event\"", "'event'"),
            ("\"event\"", "5"),
            ("\"event\"", r#""\ud800""#),
            ("\"event\"", "\"ev\nent\""),
            ("\"event\":", "\"event\""),
            ("\"event\":", "\"event\"="),
            ("\"event\":", "\"event\"::"),
            ("\"sbs\"", "sbs"),
            ("\"sbs\"", r#""\x""#),
            (",", ",,"),
            (",", ";"),
            (",", ""),
            (",", "\0,"),
            ("{", "{,"),
            ("}", ",}"),
            ("]", ",]"),
            ("}]", "]}"),
            ("}]", "}}"),
        ] {
            is_syntax(text.replacen(from, to, 1).as_bytes());
        }
    }
}
