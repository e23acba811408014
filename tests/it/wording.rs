//! The whole text of an error, once for each kind of fault.

use core::fmt::Debug;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use twt_chat_webhooks::{
    DecodeErrorKind, Event, EventType, OfflineFormContent, Payload, PreChatFormContent, Status, Timestamp,
    UnrepliedContent, fixtures,
};

use crate::body::{Body, EVENTS};
use crate::entry_points::error_of;

#[test]
fn each_kind_of_fault_has_its_text() {
    let documented = fixtures::UNREPLIED;
    // The lines of the documented body. A later version of the page may have more fields.
    let line = |text| documented.lines().position(|line| line.starts_with(text)).unwrap() + 1;
    let (pushes, created) = (line(r#""push_times""#), line(r#""created_at": 1765439652"#));
    let (agent, end_of_item) = (line(r#""assigned_agent_nickname""#), line("}"));
    let push_times = r#""push_times": 4"#;
    let rows = [
        (
            push_times,
            r#""push_times": "four""#,
            "UNREPLIED content[0].push_times: expected an unsigned integer, found a string (line <pushes>, column 20)",
        ),
        (
            push_times,
            r#""push_times": 4.5"#,
            "UNREPLIED content[0].push_times: expected an unsigned integer, found a number with a fraction \
             (line <pushes>, column 17)",
        ),
        (
            push_times,
            r#""push_times": -4"#,
            "UNREPLIED content[0].push_times: expected an unsigned integer, found a negative number \
             (line <pushes>, column 16)",
        ),
        (
            push_times,
            r#""push_times": 4294967296"#,
            "UNREPLIED content[0].push_times: expected an unsigned integer, found a number out of range \
             (line <pushes>, column 24)",
        ),
        (
            push_times,
            r#""pushes": 4"#,
            "UNREPLIED content[0].push_times: the field is missing (line <end of item>, column 1)",
        ),
        (
            push_times,
            r#""push_times": 4, "push_times": 4"#,
            "UNREPLIED content[0].push_times: the field is there twice (line <pushes>, column 32)",
        ),
        (
            "1765439652",
            "1765439652000",
            "UNREPLIED content[0].created_at: expected Unix seconds, found a number out of range; \
             are these milliseconds? (line <created>, column 27)",
        ),
        (
            r#""content": ["#,
            r#""content": {"a": 4}, "contents": ["#,
            "UNREPLIED content: expected an array, found an object (line 5, column 12)",
        ),
        (r#""UNREPLIED""#, "null", "event: expected the name of an event, found null (line 3, column 13)"),
        (
            push_times,
            r#""push_times": four"#,
            "UNREPLIED: the body is not JSON that can be read: expected ident (line <pushes>, column 16)",
        ),
    ];
    for (from, to, wording) in rows {
        let error = Payload::from_slice(documented.replacen(from, to, 1).as_bytes()).unwrap_err();
        let wording = wording.replace("<pushes>", &pushes.to_string()).replace("<created>", &created.to_string());
        assert_eq!(error.to_string(), wording.replace("<end of item>", &end_of_item.to_string()));
    }
    let (before, after) = documented.split_once("ctccccd").unwrap();
    let error = Payload::from_slice([before, "ctccc"].concat().as_bytes()).unwrap_err();
    let wording = "UNREPLIED: the body ends too early: EOF while parsing a string";
    assert_eq!(error.to_string(), format!("{wording} (line {agent}, column 33)"));
    let error = Payload::from_slice(&[before.as_bytes(), b"\xc3", after.as_bytes()].concat()).unwrap_err();
    assert_eq!(error.to_string(), format!("UNREPLIED: the body is not UTF-8 (line {agent}, column 29)"));
    let error = Payload::from_slice(&[Body::unreplied().text().as_bytes(), b"\n\xff"].concat()).unwrap_err();
    assert_eq!(error.to_string(), "UNREPLIED: the body is not UTF-8 (line 2, column 1)");
}

#[test]
fn the_path_of_the_body_itself_is_empty() {
    for (text, found) in [
        ("5", "a number"),
        ("null", "null"),
        (r#""UNREPLIED""#, "a string; is this JSON inside a JSON string?"),
        ("[{}]", "an array"),
        ("true", "a boolean"),
    ] {
        let error = error_of(text);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, ""));
        let column = if text.starts_with('[') { 1 } else { text.len() };
        assert_eq!(error.to_string(), format!("expected an object, found {found} (line 1, column {column})"));
    }
}

#[test]
fn an_error_of_from_parts_has_a_path_but_no_position() {
    for name in EVENTS {
        let mut content = Body::of(name).value()["content"].take();
        content[0]["created_at"] = json!("now");
        let error = Event::from_parts(name, content).unwrap_err();
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, "content[0].created_at"));
        assert_eq!((error.line(), error.column()), (None, None));
        assert_eq!(error.to_string(), format!("{name} content[0].created_at: expected Unix seconds, found a string"));

        let error = Event::from_parts(name, json!({"created_at": 4})).unwrap_err();
        assert_eq!(error.to_string(), format!("{name} content: expected an array, found an object"));
        let error = Event::from_parts(name, json!([4])).unwrap_err();
        assert_eq!(error.to_string(), format!("{name} content[0]: expected an object, found a number"));
        let error = Event::from_parts(name, json!([{}])).unwrap_err();
        assert_eq!(error.to_string(), format!("{name} content[0].created_at: the field is missing"));
    }
}

#[test]
fn a_part_that_is_read_by_itself_says_what_is_wrong_in_it() {
    #[track_caller]
    fn says<T: DeserializeOwned + Debug>(part: Value, wording: &str) {
        assert_eq!(serde_json::from_value::<T>(part).unwrap_err().to_string(), wording);
    }

    says::<UnrepliedContent>(json!({"created_at": 4, "subject": 4}), "subject: expected a string, found a number");
    says::<PreChatFormContent>(json!({}), "created_at: the field is missing");
    says::<OfflineFormContent>(json!([]), "expected an object, found an array");
    says::<Timestamp>(json!("now"), "expected Unix seconds, found a string");
    says::<Status>(json!(true), "expected a status (a string or an integer), found a boolean");
    says::<EventType>(json!(4), "expected the name of an event, found a number");
}
