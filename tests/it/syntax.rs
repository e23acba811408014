//! The crate accepts the JSON that `serde_json` accepts, keeps what `Value` keeps, and reports the same syntax faults.

use serde_json::Value;
use twt_chat_webhooks::{DecodeErrorKind, Payload, UnknownEvent};

/// The characters that have a meaning in JSON, and the letters of `null`.
const ALPHABET: [char; 20] =
    ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '1', '-', '+', '.', 'e', 'u', 'n', 'l', ' ', '\n', '\u{1}'];

/// Every text of up to 4 characters.
fn texts() -> impl Iterator<Item = String> {
    (0..=4).flat_map(|length| {
        (0..ALPHABET.len().pow(length)).map(move |number| {
            let digits = (0..length).map(|place| number / ALPHABET.len().pow(place) % ALPHABET.len());
            digits.map(|digit| ALPHABET[digit]).collect()
        })
    })
}

/// The payload, or the kind and the path of the error.
type Decoded = Result<Payload, (DecodeErrorKind, String)>;

/// Returns our result and the `Value`, if `serde_json` accepts the body. Otherwise checks that our error is the same as
/// the error of `serde_json`.
fn compare(body: &str) -> Option<(Decoded, Value)> {
    let ours = Payload::from_slice(body.as_bytes());
    match serde_json::from_str::<Value>(body) {
        Ok(value) => Some((ours.map_err(|error| (error.kind(), error.path().to_owned())), value)),
        Err(theirs) => {
            let ours = ours.expect_err(body);
            let kind = if theirs.is_eof() { DecodeErrorKind::Truncated } else { DecodeErrorKind::Syntax };
            assert_eq!((ours.kind(), ours.path()), (kind, ""), "{body}");
            assert_eq!((ours.line(), ours.column()), (Some(theirs.line()), Some(theirs.column())), "{body}");
            let theirs = theirs.to_string();
            assert!(ours.to_string().contains(theirs.split_once(" at line ").unwrap().0), "{ours}: {theirs}");
            None
        }
    }
}

/// The number of texts that are JSON.
const JSON_TEXTS: usize = 732;

/// Compares the body of each text. `check` gets each body that is JSON, as the crate and as `Value` read it.
fn compare_all(body: fn(&str) -> String, check: fn(Decoded, &Value, &str)) {
    let mut json_texts = 0;
    for text in texts() {
        let body = body(&text);
        if let Some((ours, value)) = compare(&body) {
            check(ours, &value, &body);
            json_texts += 1;
        }
    }
    assert_eq!(json_texts, JSON_TEXTS);
}

#[test]
fn every_short_text_is_read_as_serde_json_reads_it_in_an_unknown_field() {
    compare_all(
        |text| format!(r#"{{"created_at":1,"event":"UNREPLIED","webhook_id":"","content":[],"trace":{text}}}"#),
        |ours, value, body| {
            assert_eq!(ours.as_ref().map(|payload| &payload.extra()["trace"]), Ok(&value["trace"]), "{body}");
            assert_eq!(serde_json::to_value(ours.unwrap()).unwrap(), *value);
        },
    );
}

#[test]
fn every_short_text_is_read_as_serde_json_reads_it_in_unknown_content() {
    compare_all(
        |text| format!(r#"{{"content":{text},"created_at":1,"event":"EVENT_OF_TOMORROW","webhook_id":""}}"#),
        |ours, value, body| {
            let event = ours.as_ref().map(|payload| payload.event.as_unknown().unwrap());
            assert_eq!(event.map(UnknownEvent::content), Ok(&value["content"]), "{body}");
            assert_eq!(serde_json::to_value(ours.unwrap()).unwrap(), *value);
        },
    );
}

#[test]
fn every_short_text_is_read_as_serde_json_reads_it_in_a_documented_field() {
    compare_all(
        |text| format!(r#"{{"created_at":1,"event":"UNREPLIED","webhook_id":{text},"content":[]}}"#),
        |ours, value, body| {
            let expected = value["webhook_id"].as_str().ok_or((DecodeErrorKind::Data, "webhook_id".to_owned()));
            assert_eq!(ours.as_ref().map(|payload| payload.webhook_id.as_str()), expected.as_ref().copied(), "{body}");
        },
    );
}
