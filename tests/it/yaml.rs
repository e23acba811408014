//! YAML keeps the same promises as JSON, also for tags, which JSON does not have.

use twt_chat_webhooks::Payload;

use crate::body::{Body, EVENTS, every_path};

#[test]
fn a_documented_body_is_read_as_in_json() {
    for event in EVENTS {
        let body = Body::of(event);
        let payload: Payload = serde_yaml_ng::from_str(&body.text()).unwrap();
        assert_eq!(serde_json::to_value(&payload).unwrap(), body.value());
        let written = serde_yaml_ng::to_string(&payload).unwrap();
        assert_eq!(serde_yaml_ng::from_str::<Payload>(&written).unwrap(), payload);
    }
}

#[test]
fn a_tagged_value_is_refused_and_not_shown() {
    for event in EVENTS {
        for path in every_path(event) {
            for value in ["!note canary", "!note [canary]", "!note {canary: canary}", "!note 4242"] {
                let text = Body::of(event).set(path.as_str(), value).text();
                let text = text.replace("\":", "\": ");
                let error = serde_yaml_ng::from_str::<Payload>(&text).unwrap_err().to_string();
                assert!(error.contains(&format!("{path}: expected ")), "{error}");
                assert!(error.contains("found a tagged value"), "{error}");
                assert!(!error.contains("canary") && !error.contains("4242"), "{error}");
            }
        }
    }
}
