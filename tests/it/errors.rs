//! An error names the field, what was expected, and what was found. This holds for every documented field, in both
//! orders of the keys.

use twt_chat_webhooks::DecodeErrorKind;

use crate::body::{Body, EVENTS, every_path, text_fields};
use crate::entry_points::error_of;

const EXPECTED_SECONDS: &str = "Unix seconds";
const EXPECTED_UNSIGNED: &str = "an unsigned integer";
const EXPECTED_STATUS: &str = "a status (a string or an integer)";

/// The paths of all documented fields, in the envelope and in an item, each with the value that is expected there.
fn fields(event: &str) -> Vec<(String, &'static str)> {
    every_path(event).into_iter().map(|path| (path.clone(), expected(event, &path))).collect()
}

fn last_field(path: &str) -> &str {
    path.rsplit('.').next().unwrap()
}

/// What an error expects in the place of the field. A field whose type is not text, a timestamp, a status or an
/// unsigned integer needs a line here.
fn expected(event: &str, path: &str) -> &'static str {
    match last_field(path) {
        "created_at" => EXPECTED_SECONDS,
        "status" => EXPECTED_STATUS,
        "event" => "the name of an event",
        "content" => "an array",
        field if path.contains('.') && !text_fields(event).iter().any(|text| text == field) => EXPECTED_UNSIGNED,
        _ => "a string",
    }
}

/// For each kind of JSON value: an example, the name of the kind, and the expected values that the example satisfies.
const KINDS: [(&str, &str, &[&str]); 6] = [
    ("null", "null", &[]),
    ("true", "a boolean", &[]),
    ("7", "a number", &[EXPECTED_SECONDS, EXPECTED_UNSIGNED, EXPECTED_STATUS]),
    (r#""some words""#, "a string", &["a string", EXPECTED_STATUS, "the name of an event"]),
    ("[[7]]", "an array", &["an array"]),
    (r#"{"a":{}}"#, "an object", &[]),
];

/// The expected column: that of the opening bracket of an array or object, and of the last byte of any other value.
fn column(text: &str, path: &str, json: &str) -> usize {
    let field = format!(r#""{}":"#, last_field(path));
    let value = text.rfind(&format!("{field}{json}")).unwrap() + field.len();
    if json.starts_with(['[', '{']) { value + 1 } else { value + json.len() }
}

/// Checks the kind, the path, the text and the position of the error.
#[track_caller]
fn fails(text: &str, event: &str, path: &str, message: &str, column: usize) {
    let error = error_of(text);
    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{text}");
    // If the fault is in `event`, the error has no name to show.
    let event = if path == "event" { String::new() } else { format!("{event} ") };
    assert_eq!(error.to_string(), format!("{event}{path}: {message} (line 1, column {column})"), "{text}");
    assert_eq!((error.line(), error.column()), (Some(1), Some(column)), "{text}");
}

#[track_caller]
fn value_fails(event: &str, path: &str, json: &str, message: &str) {
    for text in Body::of(event).set(path, json).both_orders() {
        fails(&text, event, path, message, column(&text, path, json));
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_named_with_what_was_expected() {
    for event in EVENTS {
        for (path, expected) in fields(event) {
            let may_be_null = text_fields(event).iter().any(|field| path == format!("content[0].{field}"));
            for (json, found, taken_by) in KINDS {
                if taken_by.contains(&expected) || (json == "null" && may_be_null) {
                    continue;
                }
                value_fails(event, &path, json, &format!("expected {expected}, found {found}"));
            }
        }
    }
}

#[test]
fn the_position_of_an_empty_array_or_object_is_its_opening_bracket() {
    for event in EVENTS {
        for (json, found) in [("[]", "an array"), ("{}", "an object"), ("[ ]", "an array"), ("{ }", "an object")] {
            for path in ["created_at", "webhook_id", "content[0].subject", "content[0].created_at"] {
                let expected = expected(event, path);
                value_fails(event, path, json, &format!("expected {expected}, found {found}"));
            }
        }
    }
}

#[test]
fn a_missing_field_is_named_at_the_end_of_its_object() {
    for event in EVENTS {
        for (path, expected) in fields(event) {
            // A missing text is an error only in the envelope.
            if expected == "a string" && path.contains('.') {
                continue;
            }
            for text in Body::of(event).without(&path).both_orders() {
                // The error points at the bracket that closes the object.
                let closing = if path.contains('.') { text.find("}]").unwrap() + 1 } else { text.len() };
                fails(&text, event, &path, "the field is missing", closing);
            }
        }
    }
}

#[test]
fn a_repeated_field_is_named_at_its_second_place() {
    for event in EVENTS {
        for path in every_path(event) {
            let value = Body::of(event).value();
            let field = last_field(&path);
            let json = if path.contains('.') { &value["content"][0][field] } else { &value[field] };
            let json = if path == "content" { "[]".to_owned() } else { json.to_string() };
            // The error points at the second of the two fields.
            for body in [Body::of(event).add(&path, &json), Body::of(event).add_first(&path, &json)] {
                if path != "content" {
                    let text = body.text();
                    fails(&text, event, &path, "the field is there twice", column(&text, &path, &json));
                }
                for text in body.both_orders() {
                    let error = error_of(&text);
                    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path.as_str()), "{text}");
                    assert!(error.to_string().contains(": the field is there twice (line 1, column "), "{error}");
                }
            }
        }
    }
}

#[test]
fn the_error_says_why_a_number_is_refused() {
    for event in EVENTS {
        for (path, expected) in
            fields(event).into_iter().filter(|(_, expected)| [EXPECTED_SECONDS, EXPECTED_UNSIGNED].contains(expected))
        {
            let milliseconds = if expected == EXPECTED_SECONDS { "; are these milliseconds?" } else { "" };
            for json in ["4.5", "1e-1", "1765439941.25"] {
                value_fails(event, &path, json, &format!("expected {expected}, found a number with a fraction"));
            }
            for json in ["18446744073709551616", "1e30", r#""18446744073709551616""#] {
                value_fails(
                    event,
                    &path,
                    json,
                    &format!("expected {expected}, found a number out of range{milliseconds}"),
                );
            }
            for json in [r#""4.5""#, r#""+4""#, r#"" 4""#, r#""""#] {
                value_fails(event, &path, json, &format!("expected {expected}, found a string"));
            }
            if expected == EXPECTED_UNSIGNED {
                for json in ["-4", "-4.0", "-1e30", "-9223372036854775809"] {
                    value_fails(event, &path, json, "expected an unsigned integer, found a negative number");
                }
            }
        }
    }
}

#[test]
fn a_float_beyond_every_integer_is_out_of_range() {
    for json in ["1e39", "1e300"] {
        let message = "expected Unix seconds, found a number out of range; are these milliseconds?";
        value_fails("UNREPLIED", "created_at", json, message);
        value_fails(
            "UNREPLIED",
            "content[0].time_sec",
            json,
            "expected an unsigned integer, found a number out of range",
        );
    }
    let message = "expected an unsigned integer, found a negative number";
    value_fails("UNREPLIED", "content[0].push_times", "-1e300", message);
}

#[test]
fn the_error_for_milliseconds_asks_for_seconds() {
    for event in EVENTS {
        for path in ["created_at", "content[0].created_at"] {
            for json in ["1765439941000", r#""1765439941000""#, "1765439941000.0", "253402300800", "-377705116801"] {
                let message = "expected Unix seconds, found a number out of range; are these milliseconds?";
                value_fails(event, path, json, message);
            }
        }
    }
}

#[test]
fn a_later_item_has_its_index_in_the_path() {
    for event in EVENTS {
        for text in Body::of(event).with_items(12).set("content[11].created_at", "true").both_orders() {
            let message = "expected Unix seconds, found a boolean";
            fails(&text, event, "content[11].created_at", message, column(&text, "content[11].created_at", "true"));
        }
        for text in Body::of(event).with_items(2).set_item(1, "false").both_orders() {
            let column = text.find("false").unwrap() + 5;
            fails(&text, event, "content[1]", "expected an object, found a boolean", column);
        }
    }
}

#[test]
fn debug_shows_what_display_shows() {
    let error = error_of(&Body::unreplied().set("content[0].push_times", "true").text());
    let column = error.column().unwrap();
    assert_eq!(
        format!("{error:?}"),
        format!(
            "DecodeError {{ kind: Data, event: Some(\"UNREPLIED\"), path: \"content[0].push_times\", \
             message: \"expected an unsigned integer, found a boolean\", line: Some(1), column: Some({column}), .. }}"
        )
    );
}
