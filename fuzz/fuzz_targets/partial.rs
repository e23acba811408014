//! `from_slice_partial` keeps every good item and returns every bad item unchanged. It agrees with `from_slice` and
//! with the oracle.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twt_chat_webhooks::{DecodeErrorKind, Partial, Payload};

#[path = "../../tests/it/oracle.rs"]
mod oracle;

fuzz_target!(|body: &[u8]| {
    let whole = Payload::from_slice(body);
    let expected = oracle::read(body);
    let Partial { payload, rejected, .. } = match Payload::from_slice_partial(body) {
        Ok(partial) => partial,
        Err(error) => {
            let too_many = expected.map(|reading| reading.rejected.len() > Partial::MAX_REJECTED);
            assert!(whole.is_err() && too_many != Some(false));
            assert!(too_many.is_none() || error.path() == "content");
            return;
        }
    };

    let expected = expected.expect("the oracle should read the envelope too");
    assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), expected.text);
    assert_eq!(rejected.iter().map(|item| item.index).collect::<Vec<_>>(), expected.rejected);
    match whole {
        Ok(whole) => assert!(rejected.is_empty() && whole == payload),
        Err(error) => assert_eq!(error.path(), rejected[0].error.path()),
    }

    let text = core::str::from_utf8(body).unwrap();
    let body: Value = serde_json::from_slice(body).unwrap();
    for item in &rejected {
        assert_eq!(serde_json::from_str::<Value>(&item.raw).unwrap(), body["content"][item.index]);
        assert!(text.contains(&*item.raw));
        assert_eq!(item.error.kind(), DecodeErrorKind::Data);
        assert!(item.error.path().starts_with(&format!("content[{}]", item.index)), "{item:?}");
        assert_eq!(item.error.event_type(), Some(&payload.event_type()));
        assert_eq!(item.error.webhook_id(), Some(&*payload.webhook_id));
        assert_eq!(item.error.created_at(), Some(payload.created_at));
    }
});
