//! A text field accepts text. `null` and a missing field mean that there is no text. Anything else is an error.

use serde_json::json;
use twt_chat_webhooks::{DecodeErrorKind, Payload};

use crate::body::{Body, EVENTS, TEXTS, text_fields};
use crate::entry_points::{decode, refuse, relay};

/// The decoded text of a field of the only item. A shared field is read through `Content`. A field of one event only is
/// read from the encoded item.
fn text_of(payload: &Payload, field: &str) -> Option<String> {
    let item = payload.event.contents().next().unwrap();
    let shared = match field {
        "subject" => Some(item.subject()),
        "visitor_name" => Some(item.visitor_name()),
        "message_content" => Some(item.message_content()),
        "property_name" => Some(item.property_name()),
        "visitor_nickname" => item.visitor_nickname(),
        "sbs" => item.sbs(),
        "assigned_agent_nickname" => item.assigned_agent_nickname(),
        _ => return json!(item)[field].as_str().filter(|text| !text.is_empty()).map(str::to_owned),
    };
    shared.map(str::to_owned)
}

fn every_text() -> impl Iterator<Item = (&'static str, String)> {
    let paths = |event| text_fields(event).into_iter().map(|field| format!("content[0].{field}"));
    EVENTS.into_iter().flat_map(move |event| paths(event).map(move |path| (event, path)))
}

fn field(path: &str) -> &str {
    path.strip_prefix("content[0].").unwrap()
}

#[test]
fn a_text_field_that_is_missing_or_null_is_empty() {
    for (event, path) in every_text() {
        let empty = TEXTS.contains(&field(&path)).then_some("");
        // The crate writes `""`, as the platform does.
        let expected = Body::of(event).set(&path, r#""""#).value();
        for body in [Body::of(event).without(&path), Body::of(event).set(&path, "null")] {
            for text in body.both_orders() {
                assert_eq!(
                    text_of(&decode(&text), field(&path)).as_deref(),
                    empty,
                    "does TEXTS in tests/it/body.rs lack it? {text}"
                );
                assert_eq!(relay(&text), expected, "{text}");
            }
        }
    }
}

#[test]
fn empty_text_is_none_in_an_optional_field_and_none_is_written_as_empty_text() {
    for (event, path) in every_text() {
        let empty = TEXTS.contains(&field(&path)).then_some("");
        let body = Body::of(event).set(&path, r#""""#);
        for text in body.both_orders() {
            assert_eq!(text_of(&decode(&text), field(&path)).as_deref(), empty, "{text}");
            assert_eq!(relay(&text), body.value(), "{text}");
        }
    }
}

#[test]
fn empty_text_that_is_set_in_an_optional_field_reads_back_as_none() {
    let mut payload = twt_chat_webhooks::fixtures::offline_form_submit();
    let twt_chat_webhooks::Event::OfflineFormSubmit(forms) = &mut payload.event else {
        panic!("the event should be OFFLINE_FORM_SUBMIT")
    };
    forms[0].visitor_nickname = Some(String::new());
    let body = String::from_utf8(payload.to_vec()).unwrap();
    assert_eq!(relay(&body)["content"][0]["visitor_nickname"], json!(""));
    assert_eq!(text_of(&decode(&body), "visitor_nickname"), None);
}

#[test]
fn text_is_kept_as_it_is() {
    let texts = [
        " ",
        "null",
        "0",
        "\0",
        "\u{1}\u{1f}\u{7f}",
        "\"\\/\u{8}\u{c}\n\r\t",
        "访客您好",
        "🙂👩‍👩‍👧",
        "e\u{301}",
        "\u{feff}",
        "\u{fffd}\u{ffff}",
        "\u{2028}\u{2029}",
        "\u{10ffff}",
        r#"{"name":"Ada"}"#,
    ];
    for (event, path) in every_text() {
        for text in texts {
            let json = serde_json::to_string(text).unwrap();
            let body = Body::of(event).set(&path, &json);
            for body in body.both_orders() {
                let payload = Payload::from_slice(body.as_bytes()).unwrap();
                assert_eq!(text_of(&payload, field(&path)).as_deref(), Some(text), "{body}");
            }
            assert_eq!(relay(&body.text()), body.value());
        }
    }
}

/// The crate searches several bytes of a text at a time (SWAR). So this test puts each character at each place among
/// these bytes.
#[test]
fn any_character_is_kept_at_any_place_of_a_text() {
    let characters = [
        '"', '\\', '/', '\0', '\u{8}', '\t', '\n', '\u{1f}', ' ', '!', '#', '[', ']', '\u{7f}', '\u{80}', 'é',
        '\u{ff}', '您', '🙂',
    ];
    for length in 0..20 {
        for at in 0..=length {
            for character in characters {
                let mut text = "x".repeat(length);
                text.insert(at, character);
                let json = serde_json::to_string(&text).unwrap();
                let body = Body::unreplied().set("content[0].sbs", &json).add(&json[1..json.len() - 1], &json);
                for body_text in body.both_orders() {
                    let payload = Payload::from_slice(body_text.as_bytes()).unwrap();
                    assert_eq!(text_of(&payload, "sbs"), Some(text.clone()));
                    assert_eq!(payload.extra()[&text], text);
                }
            }
        }
    }
}

#[test]
fn a_control_character_without_an_escape_is_an_error() {
    for length in 0..20 {
        for at in 0..=length {
            for character in ['\0', '\u{1}', '\t', '\n', '\r', '\u{1f}'] {
                let mut text = "x".repeat(length);
                text.insert(at, character);
                for body in
                    [Body::unreplied().set("content[0].sbs", &format!("\"{text}\"")), Body::unreplied().add(&text, "1")]
                {
                    let error = Payload::from_slice(body.text().as_bytes()).unwrap_err();
                    assert_eq!(error.kind(), DecodeErrorKind::Syntax);
                }
            }
        }
    }
}

#[test]
fn escapes_are_decoded() {
    let rows = [
        (r#""\ud83d\ude42""#, "🙂"),
        (r#""\uD83D\uDE42""#, "🙂"),
        (r#""\u4f60\u597D""#, "你好"),
        (r#""\/\b\f\n\r\t\"\\""#, "/\u{8}\u{c}\n\r\t\"\\"),
        (r#""a\u0000b""#, "a\0b"),
        (r#""\\ud83d""#, "\\ud83d"),
    ];
    for (event, path) in every_text() {
        for (json, text) in rows {
            for body in Body::of(event).set(&path, json).both_orders() {
                assert_eq!(text_of(&decode(&body), field(&path)).as_deref(), Some(text), "{body}");
            }
        }
    }
}

#[test]
fn a_text_field_that_holds_anything_but_text_or_null_is_an_error() {
    for (event, path) in every_text() {
        for json in ["0", "-1", "4.5", "true", "false", "[]", r#"["text"]"#, "{}", r#"{"text":"text"}"#] {
            for text in Body::of(event).set(&path, json).both_orders() {
                let error = refuse(&text);
                assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path.as_str()), "{error}");
            }
        }
    }
}
