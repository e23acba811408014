//! Compares `Payload::from_slice` with the other ways to decode a body, `Payload::to_vec` with the other way to encode
//! it, and both with `serde_json` and the oracle.
//!
//! All ways must accept the same bodies and give the same payload and the same bytes. A syntax error must have the same
//! position and reason as that of `serde_json`.

#![no_main]

use core::str;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twt_chat_webhooks::{DecodeError, DecodeErrorKind, Payload};

#[path = "../../tests/it/oracle.rs"]
mod oracle;

fuzz_target!(|body: &[u8]| {
    let ours = Payload::from_slice(body);
    if let Ok(text) = str::from_utf8(body) {
        compare_syntax(text, ours.as_ref());
    }
    let payload = ours.ok();

    // `Payload::from_slice` reads with the cursor over the text. `serde_json::from_slice` reads with the cursor over a
    // buffered value.
    assert_eq!(payload, serde_json::from_slice(body).ok());
    if let Ok(text) = str::from_utf8(body) {
        assert_eq!(payload, text.parse().ok());
    }

    let expected = oracle::read(body).filter(|reading| reading.rejected.is_empty()).map(|reading| reading.text);
    let encoded = payload.as_ref().map(|payload| String::from_utf8(payload.to_vec()).unwrap());
    assert_eq!(encoded, expected);
    let serialized = payload.as_ref().map(|payload| serde_json::to_string(payload).unwrap());
    assert_eq!(serialized, encoded);

    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        // A `Value` sorts the keys, so `content` comes before `event`. It keeps only one value of a repeated key.
        let reordered = Payload::from_slice(value.to_string().as_bytes()).ok();
        assert_eq!(reordered, serde_json::from_value(value).ok());
        assert!(payload.is_none() || payload == reordered);
    }
});

/// If `serde_json` says that a body is not JSON, the crate must report the same kind of error, position and reason.
fn compare_syntax(text: &str, ours: Result<&Payload, &DecodeError>) {
    match (serde_json::from_str::<Value>(text), ours) {
        (Err(theirs), Err(ours)) => {
            let kind = if theirs.is_eof() { DecodeErrorKind::Truncated } else { DecodeErrorKind::Syntax };
            assert_eq!(ours.kind(), kind);
            assert_eq!((ours.line(), ours.column()), (Some(theirs.line()), Some(theirs.column())));
            let theirs = theirs.to_string();
            assert!(ours.to_string().contains(theirs.split_once(" at line ").unwrap().0), "{ours}: {theirs}");
        }
        (Ok(_), Err(ours)) => assert_eq!(ours.kind(), DecodeErrorKind::Data),
        (Ok(_), Ok(_)) => {}
        (Err(theirs), Ok(_)) => panic!("from_slice accepted a body that is not JSON: {theirs}"),
    }
}
