//! `schema/openapi.json` describes the requests of the platform in `OpenAPI` 3.1. It is generated from the types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use twt_chat_webhooks::{DocumentedPayload, EventType, fixtures};

use crate::schema::assert_committed;

/// The name of the header, as the platform's page writes it.
const SIGNATURE_HEADER: &str = "X-Chat-Signature";

const SCHEMAS: &str = "/components/schemas";

fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = SCHEMAS.into());
    let mut generator = settings.into_generator();
    generator.subschema_for::<DocumentedPayload>();
    let mut schemas = generator.take_definitions(true);

    // The reference to the schema of each event.
    let payloads: Map<_, _> = EventType::DOCUMENTED
        .iter()
        .map(|event_type| {
            let payload = schemas
                .iter()
                .find(|(_, schema)| schema.pointer("/properties/event/const") == Some(&json!(event_type)));
            let (name, _) = payload.unwrap_or_else(|| panic!("no schema has the event {event_type}"));
            (event_type.to_string(), format!("#{SCHEMAS}/{name}").into())
        })
        .collect();
    let webhooks: Map<_, _> = EventType::DOCUMENTED
        .iter()
        .map(|event_type| (event_type.to_string(), webhook(event_type, &payloads[event_type.as_str()])))
        .collect();
    // JSON Schema has no discriminator, so the generated schema has none.
    schemas["DocumentedPayload"]["discriminator"] = json!({ "propertyName": "event", "mapping": payloads });

    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Webhooks of TWT Chat",
            "description": "What TWT Chat sends to the URL of a webhook. A receiver also answers 200 to \
                            an event that is not in this document, because more events may be added.",
            "version": crate_version(),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "The URL is the one that the account has set for the webhook." }],
        // OpenAPI has no security scheme for such a signature, so the signature is a parameter of each request.
        "security": [],
        "webhooks": webhooks,
        "components": {
            "parameters": { "Signature": signature() },
            "responses": {
                "Received": {
                    "description": "The event has been received. The platform expects this answer within 5 seconds and \
                                    sends the event again otherwise.",
                },
                "Refused": { "description": "The signature is missing, malformed, or not that of the body." },
            },
            "schemas": schemas,
        },
    })
}

fn webhook(event_type: &EventType, payload: &Value) -> Value {
    let example = fixtures::payload(event_type).unwrap();
    json!({
        "post": {
            "operationId": event_type,
            "summary": format!("The event {event_type}"),
            "parameters": [{ "$ref": "#/components/parameters/Signature" }],
            "requestBody": {
                "required": true,
                "content": {
                    "application/json": {
                        "schema": { "$ref": payload },
                        "example": example,
                    },
                },
            },
            "responses": {
                "200": { "$ref": "#/components/responses/Received" },
                "403": { "$ref": "#/components/responses/Refused" },
            },
        },
    })
}

fn signature() -> Value {
    json!({
        "name": SIGNATURE_HEADER,
        "in": "header",
        "description": "HMAC-SHA256 of the raw body in lower-case hex. The key is the AppSecret of the account.",
        "required": true,
        "schema": { "type": "string", "pattern": "^[0-9a-f]{64}$" },
        "example": "4ecdcaf813c422d34413671b2ed68e0a6e69ea8496d34ab40bd33cef26571e70",
    })
}

/// The version of the crate. The package of these tests has another version.
fn crate_version() -> &'static str {
    let manifest = include_str!("../../Cargo.toml");
    manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"')).unwrap()
}

#[test]
fn the_committed_openapi_document_is_the_generated_one() {
    assert_committed("openapi.json", &document());
}

#[test]
fn each_documented_event_has_a_webhook_whose_example_conforms() {
    let document = document();
    let webhooks = document["webhooks"].as_object().unwrap();
    assert_eq!(webhooks.len(), EventType::DOCUMENTED.len());

    for event_type in EventType::DOCUMENTED {
        let webhook = &webhooks[event_type.as_str()]["post"];
        assert!(webhook["responses"].as_object().unwrap().keys().eq(["200", "403"]), "{event_type}");

        let body = &webhook["requestBody"]["content"]["application/json"];
        let documented: Value = serde_json::from_str(fixtures::body(event_type).unwrap()).unwrap();
        assert_eq!(body["example"], documented);

        let validate = |body: &Value| {
            let mut schema = webhook["requestBody"]["content"]["application/json"]["schema"].clone();
            schema["components"] = document["components"].clone();
            jsonschema::validator_for(&schema).unwrap().is_valid(body)
        };
        assert!(validate(&documented), "{event_type}");
        let mut other = documented.clone();
        other["event"] = json!("EVENT_OF_TOMORROW");
        assert!(!validate(&other), "{event_type}");
    }
}

/// The schema of a component. Its references lead into the document.
fn component(document: &Value, name: &str) -> Value {
    json!({ "$ref": format!("#{SCHEMAS}/{name}"), "components": document["components"] })
}

#[test]
fn the_discriminator_leads_from_each_documented_event_to_the_schema_that_accepts_it() {
    let document = document();
    let closed = &document["components"]["schemas"]["DocumentedPayload"];
    let discriminator = &closed["discriminator"];
    assert_eq!(discriminator["propertyName"], "event");

    let mapping = discriminator["mapping"].as_object().unwrap();
    assert_eq!(mapping.len(), EventType::DOCUMENTED.len());
    let parts = closed["oneOf"].as_array().unwrap().iter().map(|part| &part["$ref"]);
    assert!(parts.eq(EventType::DOCUMENTED.iter().map(|event_type| &mapping[event_type.as_str()])));

    for event_type in EventType::DOCUMENTED {
        let documented: Value = serde_json::from_str(fixtures::body(event_type).unwrap()).unwrap();
        let name = mapping[event_type.as_str()].as_str().unwrap().rsplit('/').next().unwrap();
        for name in [name, "DocumentedPayload"] {
            let validator = jsonschema::validator_for(&component(&document, name)).unwrap();
            assert!(validator.is_valid(&documented), "{event_type}: {name}");
        }
    }
}

#[test]
fn the_signature_is_a_required_header_of_each_webhook() {
    let document = document();
    for (name, webhook) in document["webhooks"].as_object().unwrap() {
        assert_eq!(webhook["post"]["parameters"], json!([{ "$ref": "#/components/parameters/Signature" }]), "{name}");
    }
    let signature = &document["components"]["parameters"]["Signature"];
    assert_eq!((&signature["in"], &signature["required"]), (&json!("header"), &json!(true)));
    #[cfg(feature = "signature")]
    assert!(twt_chat_webhooks::SIGNATURE_HEADER.eq_ignore_ascii_case(signature["name"].as_str().unwrap()));
}
