//! The schema is what the platform documents, it is made from the types, and the repository has it.

use std::borrow::Cow;
use std::{env, fs};

use jsonschema::Validator;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema, schema_for};
use serde_json::{Map, Value, json};
use twt_chat_webhooks::{
    DocumentedStatus, Event, EventType, OfflineFormContent, Payload, PreChatFormContent, Status, Timestamp,
    UnrepliedContent, fixtures,
};

use crate::body::EVENT_OF_TOMORROW;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../schema/payload.schema.json");

const DOCUMENTED: [&str; 3] = [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT];

fn schema_of<T: JsonSchema>() -> Value {
    schema_for!(T).to_value()
}

fn validator_of<T: JsonSchema>() -> Validator {
    jsonschema::validator_for(&schema_of::<T>()).unwrap()
}

fn parse(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

/// After a change of the types: `UPDATE_SCHEMA=1 cargo test --all-features --test it schema`.
#[test]
fn the_committed_schema_is_the_generated_one() {
    let generated = schema_for!(Payload);
    if env::var_os("UPDATE_SCHEMA").is_some() {
        fs::write(COMMITTED, serde_json::to_string_pretty(&generated).unwrap() + "\n").unwrap();
    }
    let committed = fs::read_to_string(COMMITTED).unwrap();
    assert_eq!(parse(&committed), generated.to_value(), "see above this test for how to update {COMMITTED}");
}

#[test]
fn every_schema_is_a_valid_schema() {
    for schema in [
        schema_of::<Payload>(),
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
fn a_type_of_the_same_name_is_another_type() {
    struct Status;

    impl JsonSchema for Status {
        fn schema_name() -> Cow<'static, str> {
            "Status".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "boolean" })
        }
    }

    let mut generator = SchemaGenerator::default();
    let ours = generator.subschema_for::<twt_chat_webhooks::Status>();
    assert_ne!(ours, generator.subschema_for::<Status>());
    assert_eq!(generator.definitions().len(), 2);
}

#[test]
fn the_fields_are_those_of_the_documented_bodies_in_their_order() {
    fn assert_fields<T: JsonSchema>(documented: &str, at: &str) {
        let schema = schema_of::<T>();
        let fields = parse(documented).pointer(at).unwrap().as_object().unwrap().clone();
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.keys().eq(fields.keys()), "{at}");

        // `Map` forgets the order, the text has it.
        let text = match at {
            "" => documented,
            _ => documented.split_once('[').unwrap().1,
        };
        let mut in_order: Vec<_> = fields.keys().map(String::as_str).collect();
        in_order.sort_by_key(|name| text.find(&format!("\"{name}\":")).unwrap());
        assert_eq!(schema["required"], json!(in_order));
    }

    for documented in DOCUMENTED {
        assert_fields::<Payload>(documented, "");
    }
    assert_eq!(schema_of::<Event>()["required"], json!(["event", "content"]));
    assert_fields::<UnrepliedContent>(fixtures::UNREPLIED, "/content/0");
    assert_fields::<PreChatFormContent>(fixtures::PRE_CHAT_FORM_SUBMIT, "/content/0");
    assert_fields::<OfflineFormContent>(fixtures::OFFLINE_FORM_SUBMIT, "/content/0");
}

#[test]
fn everything_is_described() {
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
fn documented_bodies_conform() {
    let validator = validator_of::<Payload>();
    for documented in DOCUMENTED {
        validator.validate(&parse(documented)).unwrap();
    }
}

#[test]
fn what_may_grow_is_open() {
    let validator = validator_of::<Payload>();
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
    }

    for content in [json!([{ "visitor_name": "Visitor15" }]), json!({ "created_at": "now" }), Value::Null] {
        let mut body = documented.clone();
        set(&mut body, "/event", json!(EVENT_OF_TOMORROW));
        set(&mut body, "/content", content);
        validator.validate(&body).unwrap();
    }
}

#[test]
fn a_body_that_is_not_as_documented_is_rejected_where_it_is_not() {
    let validator = validator_of::<Payload>();
    let rejected_at = |body: &Value| -> Vec<_> {
        validator.iter_errors(body).map(|error| error.instance_path().to_string()).collect()
    };

    for body in [json!([]), json!("UNREPLIED"), Value::Null] {
        assert_eq!(rejected_at(&body), [""], "{body}");
    }

    for documented in DOCUMENTED {
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
        ("/content/0/time_sec", json!(0.5)),
    ] {
        let mut body = documented.clone();
        set(&mut body, at, value);
        assert_eq!(rejected_at(&body), [at]);
    }
}

#[test]
fn the_integer_form_of_a_status_is_a_documented_integer() {
    let validator = validator_of::<DocumentedStatus>();
    for status in Status::DOCUMENTED {
        validator.validate(&json!(status.documented())).unwrap();
    }
    for other in [json!(0), json!(99), json!("1")] {
        assert!(!validator.is_valid(&other), "{other}");
    }
    // As the page has it.
    let schema = schema_of::<Status>();
    let description = schema["description"].as_str().unwrap();
    assert!(description.starts_with("Status (1: unreplied, 2: queued, 3: pending, 4: replied"), "{description}");
}

#[cfg(feature = "arbitrary")]
#[test]
fn whatever_is_written_conforms() {
    use crate::arbitrary::arbitrary;
    use proptest::{prop_assert, proptest};

    let (payloads, events) = (validator_of::<Payload>(), validator_of::<Event>());
    proptest!(|(payload in arbitrary::<Payload>())| {
        prop_assert!(payloads.is_valid(&json!(payload)));
        prop_assert!(events.is_valid(&json!(payload.event)));
    });
}

/// Puts a value into a body, as a new field if need be.
fn set(body: &mut Value, at: &str, value: Value) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    match body.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[name.parse::<usize>().unwrap()] = value,
        object => object[name] = value,
    }
}
