//! Every way into a payload against `serde_json` alone, and against the contract: what is accepted is read the same, and what
//! is refused is refused by all.

#![no_main]

use core::str;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twt_chat_webhooks::Payload;

#[path = "../../tests/it/oracle.rs"]
mod oracle;

fuzz_target!(|body: &[u8]| {
    let payload = Payload::from_slice(body).ok();

    // The crate's own parser comes before `serde_json` in the first, and not at all in the second.
    assert_eq!(payload, serde_json::from_slice(body).ok());
    if let Ok(text) = str::from_utf8(body) {
        assert_eq!(payload, text.parse().ok());
    }

    let expected = oracle::read(body).filter(|reading| reading.rejected.is_empty()).map(|reading| reading.text);
    let encoded = payload.as_ref().map(|payload| String::from_utf8(payload.to_vec()).unwrap());
    assert_eq!(encoded, expected);

    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        // A value has no repeated keys, and writes them in the order of the alphabet: content before event.
        let reordered = Payload::from_slice(value.to_string().as_bytes()).ok();
        assert_eq!(reordered, serde_json::from_value(value).ok());
        assert!(payload.is_none() || payload == reordered);
    }
});
