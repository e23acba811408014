//! A value is the same after encoding and decoding. A canonical body is the same after decoding and encoding.

use core::fmt::Debug;

use proptest::array::uniform6;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::{Union, ValueTree};
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use twt_chat_webhooks::{
    Event, EventType, OfflineFormContent, OfflineFormContentBuilder, Payload, PreChatFormContent,
    PreChatFormContentBuilder, Status, Timestamp, UnrepliedContent,
};

use crate::body::{ENVELOPE_FIELDS, EVENTS, item_fields, text_fields};

/// Any text, with control characters, quotes, and characters beyond the Basic Multilingual Plane.
fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..8).prop_map(String::from_iter)
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.unix_seconds()..=Timestamp::MAX.unix_seconds();
    seconds.prop_map(|seconds| Timestamp::from_unix(seconds).unwrap())
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![select(Status::DOCUMENTED), text().prop_map(Status::from)]
}

/// Any JSON value. Floats are multiples of 0.5, which stay exact with any features of `serde_json`.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|halves| Value::from(f64::from(halves) / 2.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// A builder of the type, with every shared field set.
macro_rules! builder {
    ($Content:ident) => {
        (text(), timestamp(), uniform6(text())).prop_map(|(visitor_name, created_at, texts)| {
            let [subject, message_content, property_name, visitor_nickname, sbs, assigned_agent_nickname] = texts;
            $Content::builder(visitor_name, created_at)
                .subject(subject)
                .message_content(message_content)
                .property_name(property_name)
                .visitor_nickname(visitor_nickname)
                .sbs(sbs)
                .assigned_agent_nickname(assigned_agent_nickname)
        })
    };
}

fn message() -> impl Strategy<Value = UnrepliedContent> {
    (builder!(UnrepliedContent), status(), any::<u32>(), any::<u64>()).prop_map(
        |(builder, status, push_times, time_sec)| {
            builder.status(status).push_times(push_times).time_sec(time_sec).build()
        },
    )
}

fn pre_chat_form() -> impl Strategy<Value = PreChatFormContent> {
    builder!(PreChatFormContent).prop_map(PreChatFormContentBuilder::build)
}

fn offline_form() -> impl Strategy<Value = OfflineFormContent> {
    builder!(OfflineFormContent).prop_map(OfflineFormContentBuilder::build)
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        vec(message(), 0..4).prop_map(Event::from),
        vec(pre_chat_form(), 0..4).prop_map(Event::from),
        vec(offline_form(), 0..4).prop_map(Event::from),
        (text(), json()).prop_map(|(name, content)| Event::from_parts(name, content).unwrap()),
    ]
}

fn payload() -> impl Strategy<Value = Payload> {
    (timestamp(), text(), event())
        .prop_map(|(created_at, webhook_id, event)| Payload::new(created_at, webhook_id, event))
}

fn assert_comes_back<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(&serde_json::from_value::<T>(json).unwrap(), value);
}

/// Unknown fields for an object. Some of their names are documented for another object.
fn extra(documented: Vec<String>) -> impl Strategy<Value = Map<String, Value>> {
    let elsewhere = select([envelope_fields(), item_fields("UNREPLIED")].concat());
    btree_map(prop_oneof![text(), elsewhere], json(), 0..4)
        .prop_map(move |extra| extra.into_iter().filter(|(name, _)| !documented.contains(name)).collect())
}

fn envelope_fields() -> Vec<String> {
    ENVELOPE_FIELDS.map(str::to_owned).to_vec()
}

/// Writes an object in canonical form: the documented fields in their order, then the extras in alphabetical order.
fn object(names: &[String], values: &[String], extra: &Map<String, Value>) -> String {
    assert_eq!(names.len(), values.len());
    let documented = names.iter().zip(values).map(|(name, value)| format!("{}:{value}", quoted(name)));
    let extra = extra.iter().map(|(name, value)| format!("{}:{value}", quoted(name)));
    format!("{{{}}}", documented.chain(extra).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// The value of a field of the event, as JSON text. A field whose type is not text, a timestamp, a status or an
/// unsigned integer needs a line here.
fn value(event: &str, field: &str) -> BoxedStrategy<String> {
    match field {
        "created_at" => timestamp().prop_map(|time| time.unix_seconds().to_string()).boxed(),
        "status" => status().prop_map(|status| quoted(status.as_str())).boxed(),
        "time_sec" => any::<u64>().prop_map(|seconds| seconds.to_string()).boxed(),
        field if text_fields(event).iter().any(|text| text == field) => text().prop_map(|text| quoted(&text)).boxed(),
        _ => any::<u32>().prop_map(|number| number.to_string()).boxed(),
    }
}

fn item_body(event: &str) -> impl Strategy<Value = String> + use<> {
    let fields = item_fields(event);
    let values: Vec<_> = fields.iter().map(|field| value(event, field)).collect();
    (values, extra(fields.clone())).prop_map(move |(values, extra)| object(&fields, &values, &extra))
}

/// The name of an event, and its content as JSON text.
fn event_body() -> impl Strategy<Value = (String, String)> {
    let unknown = (text(), json()).prop_map(|(name, content)| (name, content.to_string())).boxed();
    let documented = EVENTS.into_iter().map(|event| {
        let items = vec(item_body(event), 0..4);
        items.prop_map(|items| (event.to_owned(), format!("[{}]", items.join(",")))).boxed()
    });
    Union::new(documented.chain([unknown]))
}

/// A body in canonical form, which is the form that the crate writes.
fn body() -> impl Strategy<Value = String> {
    (timestamp(), event_body(), text(), extra(envelope_fields())).prop_map(
        |(created_at, (event, content), webhook_id, extra)| {
            let values = [created_at.unix_seconds().to_string(), quoted(&event), quoted(&webhook_id), content];
            object(&envelope_fields(), &values, &extra)
        },
    )
}

proptest! {
    #[test]
    fn a_built_payload_is_the_same_after_encoding_and_decoding(payload in payload()) {
        let body = payload.to_vec();
        prop_assert_eq!(&serde_json::to_vec(&payload).unwrap(), &body);
        prop_assert_eq!(&Payload::from_slice(&body).unwrap(), &payload);
        assert_comes_back(&payload);
        assert_comes_back(&payload.event);
        assert_comes_back(&payload.event_type());
        assert_comes_back(&payload.created_at);
    }

    #[test]
    fn an_item_alone_is_the_same_after_encoding_and_decoding(
        message in message(),
        pre_chat_form in pre_chat_form(),
        offline_form in offline_form(),
    ) {
        assert_comes_back(&message);
        assert_comes_back(&message.status);
        assert_comes_back(&pre_chat_form);
        assert_comes_back(&offline_form);
    }

    #[test]
    fn a_canonical_body_encodes_to_itself_byte_for_byte(body in body()) {
        let payload = Payload::from_slice(body.as_bytes());
        let hint = "does value() in tests/it/round_trip.rs know this field?";
        let payload = payload.unwrap_or_else(|error| panic!("{hint} {error}"));
        prop_assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), &*body);
        prop_assert_eq!(serde_json::to_string(&payload).unwrap(), &*body);
    }
}

#[test]
fn each_documented_event_is_generated() {
    let mut runner = TestRunner::deterministic();
    let mut sample = |strategy: &BoxedStrategy<EventType>| strategy.new_tree(&mut runner).unwrap().current();
    let built = payload().prop_map(|payload| payload.event_type()).boxed();
    let written = event_body().prop_map(|(name, _)| EventType::from(name)).boxed();
    for (strategy, name) in [(built, "event()"), (written, "event_body()")] {
        let sampled: Vec<_> = (0..200).map(|_| sample(&strategy)).collect();
        for event_type in EventType::DOCUMENTED {
            assert!(sampled.contains(event_type), "{name} in tests/it/round_trip.rs lacks {event_type}");
        }
    }
}
