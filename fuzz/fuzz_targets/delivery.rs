//! `Delivery::from_slice` loses no item of any body. It agrees with `from_slice_partial`. `Display` and `Debug` stay
//! short, whatever the body holds.

#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use twt_chat_webhooks::{Delivery, Partial, Payload};

fuzz_target!(|body: &[u8]| {
    let delivery = Delivery::from_slice(body);
    let records = delivery.records();
    assert!(records.iter().map(|record| record.body.len()).sum::<usize>() <= 16 * body.len());
    for record in records {
        assert!(record.key.len() <= 1_024);
        let is_hash = record.key.strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64);
        assert!(is_hash || serde_json::from_str::<Value>(&record.key).is_ok_and(|key| key.is_array()));
        assert!(
            record
                .event()
                .is_none_or(|name| name.len() <= 64 && name.bytes().all(|byte| (b' '..=b'~').contains(&byte)))
        );
        assert_eq!(Payload::from_slice(&record.body).is_ok(), record.error.is_none());
    }
    assert!(format!("{delivery}{delivery:?}{records:?}").len() < 1_000 + 1_000 * records.len());

    let partial = Payload::from_slice_partial(body);
    let items =
        partial.as_ref().map_or(0, |Partial { payload, rejected, .. }| payload.contents().len() + rejected.len());
    if items != records.len() || items == 1 {
        // The whole body is one record, or it has only one item.
        assert_eq!((records.len(), &*records[0].body), (1, body));
    }
    let Ok(Partial { payload, rejected, .. }) = partial else { return };
    if items == records.len() {
        // The same item twice has one key.
        let keys: HashSet<_> = payload.contents().map(|item| item.key().to_string()).collect();
        let good = || records.iter().filter(|record| record.error.is_none());
        assert_eq!(good().count(), payload.contents().len());
        assert_eq!(good().map(|record| record.key.clone()).collect::<HashSet<_>>(), keys);
        let errors: Vec<_> = records.iter().filter_map(|record| record.error.as_ref()).collect();
        assert_eq!(errors, rejected.iter().map(|rejected| &rejected.error).collect::<Vec<_>>());
    }
});
