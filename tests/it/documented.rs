//! Each list that names the documented events or fields is complete. A failing test says what is missing, and where.

use std::fs;

use serde_json::{Value, json};
use twt_chat_webhooks::{EventType, fixtures};

use crate::body::{Body, ENVELOPE_FIELDS, EVENT_OF_TOMORROW, EVENTS, NUMBERS, item_fields};
use crate::oracle;

const CRATE_PAGE: &str = include_str!("../../src/lib.rs");
const SCHEMA: &str = include_str!("../../schema/payload.schema.json");
const FUZZ_DICTIONARY: &str = include_str!("../../fuzz/dictionary");

fn names() -> impl Iterator<Item = &'static str> {
    EventType::DOCUMENTED.iter().map(EventType::as_str)
}

#[test]
fn each_event_has_a_fixture_whose_text_and_value_agree() {
    for event_type in EventType::DOCUMENTED {
        let body = fixtures::body(event_type).unwrap_or_else(|| panic!("src/fixtures.rs lacks {event_type}"));
        let payload = fixtures::payload(event_type).unwrap();
        let value: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            value["event"],
            json!(event_type),
            "the JSON file in src/fixtures for {event_type} has another event"
        );
        assert_eq!(payload.event_type(), *event_type);
        assert_eq!(payload.contents().len(), 1, "{event_type}");
        assert_eq!(json!(payload), value, "the example() of {event_type} differs from the JSON file in src/fixtures");
    }
}

#[test]
fn each_event_is_in_the_list_of_the_crate_page() {
    for name in names() {
        let entry = format!("//! - `{name}`: ");
        assert!(CRATE_PAGE.lines().any(|line| line.starts_with(&entry)), "src/lib.rs has no line `{entry}…`");
    }
}

#[test]
fn each_event_and_each_field_is_in_the_committed_schema() {
    for name in names() {
        for name in [name.to_owned()].into_iter().chain(item_fields(name)) {
            let is_there = SCHEMA.contains(&format!("\"{name}\""));
            assert!(
                is_there,
                "schema/payload.schema.json lacks {name}: tests/it/schema.rs says how to generate it again"
            );
        }
    }
}

#[test]
fn each_event_is_in_the_list_of_the_tests() {
    for name in names() {
        assert!(EVENTS.contains(&name), "EVENTS in tests/it/body.rs lacks {name}");
    }
    for name in EVENTS {
        assert!(names().any(|documented| documented == name), "documented! in src/documented.rs lacks {name}");
    }
}

/// The file in `src/fixtures` has the order of the page.
#[test]
fn the_fields_are_in_the_order_of_the_page_everywhere() {
    for event_type in EventType::DOCUMENTED {
        let name = event_type.as_str();
        let in_order = |text: &str| {
            let mut fields = item_fields(name);
            let (_, item) = text.split_once('[').unwrap();
            fields.sort_by_key(|field| item.find(&format!("\"{field}\":")));
            fields
        };
        let written = String::from_utf8(fixtures::payload(event_type).unwrap().to_vec()).unwrap();
        assert_eq!(in_order(&written), item_fields(name), "`content!` of {name} in src/content has another order");
        let item = fixtures::payload(event_type).unwrap();
        let shown = format!("{:?}", item.contents().next().unwrap());
        let mut fields = item_fields(name);
        fields.sort_by_key(|field| shown.find(&format!(" {field}: ")));
        assert_eq!(fields, item_fields(name), "the struct of {name} in src/content has another order");
        let oracle = oracle::read(written.as_bytes()).unwrap().text;
        assert_eq!(
            in_order(&oracle),
            item_fields(name),
            "documented_fields() in tests/it/oracle.rs lacks {name}, or has another order"
        );
    }
}

#[test]
fn each_number_of_an_unreplied_body_is_in_the_list_of_the_tests() {
    let item = &Body::unreplied().value()["content"][0];
    for field in item_fields("UNREPLIED").iter().filter(|field| item[field.as_str()].is_number()) {
        let path = format!("content[0].{field}");
        assert!(NUMBERS.contains(&path.as_str()), "NUMBERS in tests/it/body.rs lacks {path}");
    }
}

/// These bodies have to be decoded, and some of them to be written back unchanged.
#[test]
fn each_body_in_the_folder_of_the_tests_has_all_fields() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/it/fixtures");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let body: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let event = body["event"].as_str().unwrap_or_default();
        // A signed body cannot change.
        if !EVENTS.contains(&event) || path.ends_with("signed.json") {
            continue;
        }
        for item in body["content"].as_array().unwrap() {
            for field in item_fields(event) {
                assert!(item.get(&field).is_some(), "{} lacks {field} in an item", path.display());
            }
        }
    }
}

/// The oracle must read each fixture, and must refuse an object in the place of each field.
#[test]
fn the_oracle_knows_each_field_of_each_event() {
    for name in names() {
        assert_eq!(oracle::read(Body::of(name).text().as_bytes()).unwrap().rejected, [0; 0], "{name}");
        for field in item_fields(name) {
            // No documented field holds an object.
            let body = Body::of(name).set(&format!("content[0].{field}"), "{}");
            let rejected = oracle::read(body.text().as_bytes()).unwrap().rejected;
            assert_eq!(rejected, [0], "documented_fields() in tests/it/oracle.rs lacks {field} of {name}");
        }
    }
}

#[test]
fn each_name_is_in_the_dictionary_of_the_fuzzer() {
    let fields = names().flat_map(item_fields);
    let events = names().chain([EVENT_OF_TOMORROW]).map(str::to_owned);
    for name in events.chain(fields).chain(ENVELOPE_FIELDS.map(str::to_owned)) {
        let entry = format!(r#""\"{name}\"""#);
        assert!(FUZZ_DICTIONARY.lines().any(|line| line == entry), "fuzz/dictionary lacks {entry}");
    }
}
