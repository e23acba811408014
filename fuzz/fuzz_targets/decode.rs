//! No input causes a panic. Every error is well formed. A decoded payload is the same after it is encoded and decoded.

#![no_main]

use core::time::Duration;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twt_chat_webhooks::{DecodeError, DecodeErrorKind, Event, Payload, Timestamp};

fuzz_target!(|body: &[u8]| {
    match Payload::from_slice(body) {
        Ok(payload) => check_payload(&payload),
        Err(error) => check_error(&error, body),
    }
    if let Ok(content) = serde_json::from_slice::<Value>(body) {
        for event_type in ["UNREPLIED", "PRE_CHAT_FORM_SUBMIT", "EVENT_OF_TOMORROW"] {
            check_parts(event_type, &content);
        }
    }
});

fn check_payload(payload: &Payload) {
    let encoded = payload.to_vec();
    assert_eq!(Payload::from_slice(&encoded).as_ref(), Ok(payload));
    assert_eq!(serde_json::to_vec(payload).unwrap(), encoded);

    let debug = format!("{payload:?}");
    assert!(!debug.is_empty());
    if let Err(error) = payload.validate() {
        assert!(error.violations().iter().all(|violation| error.to_string().contains(violation.path())));
    }
    for item in payload.event.contents() {
        assert_eq!(item.event_type(), payload.event_type());
    }
    for now in [Timestamp::MIN, payload.created_at, Timestamp::MAX] {
        let fresh = payload.check_freshness(now, Duration::ZERO);
        assert_eq!(fresh.is_ok(), now == payload.created_at);
    }
}

fn check_error(error: &DecodeError, body: &[u8]) {
    let is_json = serde_json::from_slice::<Value>(body).is_ok();
    assert_eq!(error.kind() == DecodeErrorKind::Data, is_json, "{error}");
    assert!(is_json || error.path().is_empty(), "{error}");

    let (line, column) = (error.line().unwrap(), error.column().unwrap());
    let line = body.split(|&byte| byte == b'\n').nth(line - 1).expect("the body should have this line");
    assert!(column <= line.len() + 1, "{error}");
    assert!(error.to_string().ends_with(&format!("column {column})")));
}

fn check_parts(event_type: &str, content: &Value) {
    match Event::from_parts(event_type, content.clone()) {
        Ok(event) => {
            let encoded = serde_json::to_value(&event).unwrap();
            assert_eq!(encoded["event"], event_type);
            assert_eq!(Event::from_parts(event_type, encoded["content"].clone()), Ok(event));
        }
        Err(error) => {
            assert_eq!(error.kind(), DecodeErrorKind::Data);
            assert!(error.path().starts_with("content"), "{error}");
            assert_eq!((error.line(), error.column()), (None, None));
        }
    }
}
