//! The JSON Schema describes what the platform documents. It is generated from the types and committed.

use std::borrow::Cow;
use std::{env, fs};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde::Serialize;
use serde_json::{Map, Value, json};
use twt_chat_webhooks::{
    DocumentedPayload, DocumentedStatus, Event, EventType, OfflineFormContent, Payload, PreChatFormContent, Status,
    Timestamp, UnrepliedContent, fixtures,
};

use crate::body::EVENT_OF_TOMORROW;

/// The documented bodies.
fn documented() -> impl Iterator<Item = &'static str> {
    EventType::DOCUMENTED.iter().filter_map(fixtures::body)
}

fn schema_of<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

fn validator_of<T: JsonSchema>() -> Validator {
    jsonschema::validator_for(&schema_of::<T>()).unwrap()
}

fn parse(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

/// Compares a committed file with the generated one. After a change of the types, this command generates the files
/// again: `UPDATE_SCHEMA=1 cargo test -p twt-chat-webhooks-tests --all-features --test it the_generated_one`.
pub(crate) fn assert_committed(name: &str, generated: &impl Serialize) {
    let path = format!("{}/../schema/{name}", env!("CARGO_MANIFEST_DIR"));
    let generated = serde_json::to_string_pretty(generated).unwrap() + "\n";
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let how = "`UPDATE_SCHEMA=1 cargo test -p twt-chat-webhooks-tests --all-features --test it the_generated_one` \
               generates it";
    assert!(parse(&committed) == parse(&generated), "schema/{name} is not up to date: {how}");
}

#[test]
fn the_committed_schema_is_the_generated_one() {
    assert_committed("payload.schema.json", &schema_for!(Payload));
}

#[test]
fn the_committed_closed_schema_is_the_generated_one() {
    assert_committed("documented-payload.schema.json", &schema_for!(DocumentedPayload));
}

#[test]
fn every_schema_is_a_valid_schema() {
    for schema in [
        schema_of::<Payload>(),
        schema_of::<DocumentedPayload>(),
        schema_of::<Event>(),
        schema_of::<UnrepliedContent>(),
        schema_of::<PreChatFormContent>(),
        schema_of::<OfflineFormContent>(),
        schema_of::<EventType>(),
        schema_of::<Status>(),
        schema_of::<DocumentedStatus>(),
        schema_of::<Timestamp>(),
    ] {
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn a_type_of_the_user_may_have_the_name_of_a_type_of_the_crate() {
    struct UnrepliedContent;

    impl JsonSchema for UnrepliedContent {
        fn schema_name() -> Cow<'static, str> {
            "UnrepliedContent".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "boolean" })
        }
    }

    let mut generator = SchemaGenerator::default();
    let ours = generator.subschema_for::<twt_chat_webhooks::UnrepliedContent>();
    assert_ne!(ours, generator.subschema_for::<UnrepliedContent>());
    assert_eq!(generator.definitions().len(), 2);
}

#[test]
fn each_type_has_a_schema_under_its_own_name() {
    fn check<T: JsonSchema>(name: &str) {
        assert_eq!(T::schema_name(), name);
        assert_eq!(T::schema_id(), format!("twt_chat_webhooks::{name}"));
    }

    check::<Payload>("Payload");
    check::<DocumentedPayload>("DocumentedPayload");
    check::<Event>("Event");
    check::<UnrepliedContent>("UnrepliedContent");
    check::<PreChatFormContent>("PreChatFormContent");
    check::<OfflineFormContent>("OfflineFormContent");
    check::<EventType>("EventType");
    check::<Status>("Status");
    check::<DocumentedStatus>("DocumentedStatus");
    check::<Timestamp>("Timestamp");
}

/// The parts of a schema with their names: one for each documented event, then one for unknown events.
fn parts_of<T: JsonSchema>() -> Vec<(String, Value)> {
    let schema = schema_of::<T>();
    let part = |part: &Value| {
        let name = part["$ref"].as_str().unwrap().strip_prefix("#/$defs/").unwrap();
        (name.to_owned(), schema["$defs"][name].clone())
    };
    schema["oneOf"].as_array().unwrap().iter().map(part).collect()
}

#[test]
fn each_event_has_a_schema_with_a_name_of_its_own() {
    fn assert_parts<T: JsonSchema>(suffix: &str) {
        let mut parts = parts_of::<T>();
        let (name, unknown) = parts.pop().unwrap();
        assert_eq!(name, format!("Unknown{suffix}"));
        assert_eq!(unknown["properties"]["event"]["not"], json!({ "enum": EventType::DOCUMENTED }));

        let events = parts.iter().map(|(_, part)| part["properties"]["event"]["const"].as_str().unwrap());
        assert!(events.eq(EventType::DOCUMENTED.iter().map(EventType::as_str)));

        let rows = [
            ("Unreplied", "UnrepliedContent"),
            ("PreChatFormSubmit", "PreChatFormContent"),
            ("OfflineFormSubmit", "OfflineFormContent"),
        ];
        assert_eq!(parts.len(), rows.len(), "`rows` in tests/it/schema.rs lacks an event");
        for ((name, part), (event, content)) in parts.iter().zip(rows) {
            assert_eq!(*name, format!("{event}{suffix}"));
            let content = json!({ "$ref": format!("#/$defs/{content}") });
            assert_eq!(part["properties"]["content"]["type"], "array");
            assert_eq!(part["properties"]["content"]["items"], content);
        }
    }

    assert_parts::<Payload>("Payload");
    assert_parts::<Event>("Event");
}

/// Calls `check` with each object in a value, at any depth. Examples are left out.
fn each_object(value: &Value, check: &mut impl FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_object(item, check)),
        Value::Object(object) => {
            check(object);
            object.iter().filter(|(key, _)| *key != "examples").for_each(|(_, value)| each_object(value, check));
        }
        _ => {}
    }
}

#[test]
fn the_closed_schema_has_the_parts_for_documented_events_only() {
    let mut open = parts_of::<Payload>();
    let (unknown, _) = open.pop().unwrap();
    assert_eq!(unknown, "UnknownPayload");
    assert_eq!(parts_of::<DocumentedPayload>(), open);
    // Nothing else is in the schema: each event has a body and an item.
    let schema = schema_of::<DocumentedPayload>();
    assert_eq!(schema["$defs"].as_object().unwrap().len(), 2 * EventType::DOCUMENTED.len());
}

#[test]
fn a_scalar_of_the_closed_schema_is_written_in_place_and_has_no_format() {
    let mut scalars = 0;
    each_object(&schema_of::<DocumentedPayload>(), &mut |schema| {
        assert!(!schema.contains_key("format"), "{schema:?}");
        scalars +=
            usize::from(matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean")));
    });
    // Three fields of the envelope and all fields of the item.
    let fields = documented().map(|body| 3 + parse(body)["content"][0].as_object().unwrap().len());
    assert_eq!(scalars, fields.sum::<usize>());
    let push_times = &schema_of::<UnrepliedContent>()["properties"]["push_times"];
    assert_eq!((&push_times["minimum"], &push_times["maximum"]), (&json!(0), &json!(u32::MAX)));
}

#[test]
fn the_fields_are_those_of_the_documented_bodies_in_their_order() {
    fn assert_fields(schema: &Value, documented: &str, at: &str) {
        let fields = parse(documented).pointer(at).unwrap().as_object().unwrap().clone();
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.keys().eq(fields.keys()), "{at}");

        // A `Map` does not keep the order of the fields, so the order is that of the text.
        let text = match at {
            "" => documented,
            _ => documented.split_once('[').unwrap().1,
        };
        let mut in_order: Vec<_> = fields.keys().map(String::as_str).collect();
        in_order.sort_by_key(|name| text.find(&format!("\"{name}\":")).unwrap());
        assert_eq!(schema["required"], json!(in_order));
    }

    for (_, payload) in parts_of::<Payload>() {
        assert_fields(&payload, fixtures::UNREPLIED, "");
    }
    for (_, event) in parts_of::<Event>() {
        assert_eq!(event["required"], json!(["event", "content"]));
    }
    assert_fields(&schema_of::<UnrepliedContent>(), fixtures::UNREPLIED, "/content/0");
    assert_fields(&schema_of::<PreChatFormContent>(), fixtures::PRE_CHAT_FORM_SUBMIT, "/content/0");
    assert_fields(&schema_of::<OfflineFormContent>(), fixtures::OFFLINE_FORM_SUBMIT, "/content/0");
}

#[test]
fn every_type_and_field_has_a_description() {
    let schema = schema_of::<Payload>();
    let definitions = schema["$defs"].as_object().unwrap();
    for object in definitions.values().chain([&schema]) {
        let properties = object.get("properties").and_then(Value::as_object);
        for described in properties.into_iter().flat_map(Map::values).chain([object]) {
            assert!(described["description"].as_str().is_some_and(|text| !text.is_empty()), "{described}");
        }
    }
}

#[test]
fn the_documented_bodies_conform_to_the_schema() {
    for validator in [validator_of::<Payload>(), validator_of::<DocumentedPayload>()] {
        for documented in documented() {
            validator.validate(&parse(documented)).unwrap();
        }
    }
}

#[test]
fn an_unknown_event_does_not_conform_to_the_closed_schema() {
    let (open, closed) = (validator_of::<Payload>(), validator_of::<DocumentedPayload>());
    for documented in documented() {
        let mut body = parse(documented);
        body["event"] = json!(EVENT_OF_TOMORROW);
        assert!(open.is_valid(&body));
        assert!(!closed.is_valid(&body));
    }
}

#[test]
fn unknown_fields_statuses_and_events_conform_to_the_schema() {
    let (validator, closed) = (validator_of::<Payload>(), validator_of::<DocumentedPayload>());
    let documented = parse(fixtures::UNREPLIED);
    for (at, value) in [
        ("/channel", json!("web")),
        ("/content/0/priority", json!({ "level": 1 })),
        ("/content/0/status", json!("7")),
        ("/content", json!([])),
    ] {
        let mut body = documented.clone();
        set(&mut body, at, value);
        validator.validate(&body).unwrap();
        closed.validate(&body).unwrap();
    }

    for content in [json!([{ "visitor_name": "Visitor15" }]), json!({ "created_at": "now" }), Value::Null] {
        let mut body = documented.clone();
        set(&mut body, "/event", json!(EVENT_OF_TOMORROW));
        set(&mut body, "/content", content);
        validator.validate(&body).unwrap();
    }
}

#[test]
fn the_schema_rejects_a_malformed_body_at_the_path_of_the_fault() {
    let (validator, closed) = (validator_of::<Payload>(), validator_of::<DocumentedPayload>());
    let rejected_at = |body: &Value| {
        let paths = rejected_by(&validator, body);
        assert_eq!(rejected_by(&closed, body), paths);
        paths
    };

    for body in [json!([]), json!("UNREPLIED"), Value::Null] {
        assert_eq!(rejected_at(&body), [""], "{body}");
    }

    for documented in documented() {
        let documented = parse(documented);

        for (at, value) in [
            ("/created_at", json!("1765439941")),
            ("/created_at", json!(1_765_439_941_000_u64)),
            ("/created_at", json!(1_765_439_941.5)),
            ("/created_at", Value::Null),
            ("/event", json!(1)),
            ("/webhook_id", Value::Null),
            ("/content", json!({})),
            ("/content", Value::Null),
            ("/content/0", json!("1")),
            ("/content/0/subject", json!(1)),
            ("/content/0/created_at", json!("now")),
            ("/content/0/visitor_nickname", Value::Null),
            ("/content/0/sbs", json!(234_442_313)),
        ] {
            let mut body = documented.clone();
            set(&mut body, at, value);
            assert_eq!(rejected_at(&body), [at]);
        }

        for at in ["", "/content/0"] {
            for name in documented.pointer(at).unwrap().as_object().unwrap().keys() {
                let mut body = documented.clone();
                body.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(name);
                assert_eq!(rejected_at(&body), [at], "without {name}");
            }
        }
    }

    let documented = parse(fixtures::UNREPLIED);
    for (at, value) in [
        ("/content/0/status", json!(1)),
        ("/content/0/push_times", json!("4")),
        ("/content/0/push_times", json!(-1)),
        ("/content/0/push_times", json!(4_294_967_296_u64)),
        ("/content/0/time_sec", json!(0.5)),
    ] {
        let mut body = documented.clone();
        set(&mut body, at, value);
        assert_eq!(rejected_at(&body), [at]);
    }
}

#[test]
fn the_integer_form_of_a_status_allows_only_documented_integers() {
    let validator = validator_of::<DocumentedStatus>();
    for status in Status::DOCUMENTED {
        validator.validate(&json!(status.documented())).unwrap();
    }
    for other in [json!(0), json!(99), json!("1")] {
        assert!(!validator.is_valid(&other), "{other}");
    }
    // The description uses the words of the page.
    let schema = schema_of::<Status>();
    let description = schema["description"].as_str().unwrap();
    assert!(description.starts_with("Status (1: unreplied, 2: queued, 3: pending, 4: replied"), "{description}");
}

#[cfg(feature = "arbitrary")]
#[test]
fn every_written_payload_conforms_to_the_schema() {
    use crate::arbitrary::arbitrary;
    use proptest::{prop_assert, proptest};

    let (payloads, events) = (validator_of::<Payload>(), validator_of::<Event>());
    proptest!(|(payload in arbitrary::<Payload>())| {
        prop_assert!(payloads.is_valid(&json!(payload)));
        prop_assert!(events.is_valid(&json!(payload.event)));
    });
}

/// The paths at which the schema rejects the body. Each part of the schema reports its own paths, and the part that
/// fits best is used.
fn rejected_by(validator: &Validator, body: &Value) -> Vec<String> {
    let [error] = validator.iter_errors(body).collect::<Vec<_>>().try_into().unwrap();
    let ValidationErrorKind::OneOfNotValid { context } = error.kind() else { panic!("{error}") };
    let paths_of = |errors: &Vec<ValidationError>| {
        let mut paths: Vec<_> = errors.iter().map(|error| error.instance_path().to_string()).collect();
        paths.dedup();
        paths
    };
    // The parts for other events reject the name of the event, so they do not fit best.
    let distance = |paths: &Vec<String>| (paths.iter().any(|path| path == "/event"), paths.len());
    context.iter().map(paths_of).min_by_key(distance).unwrap()
}

/// Sets a value in a body. A field that does not exist is added.
fn set(body: &mut Value, at: &str, value: Value) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
}
