//! An item has the same key in each delivery, and different items have different keys.

use std::collections::{BTreeSet, HashSet};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use twt_chat_webhooks::{
    Content, EventType, ItemKey, OfflineFormContent, Payload, PreChatFormContent, Status, Timestamp, UnrepliedContent,
    fixtures,
};

use crate::body::{Body, EVENTS, item_fields};
use crate::entry_points::decode;

/// The hash of `1`, the message of the documented bodies.
const HASH_OF_1: &str = "6b86b273ff34fce19d6b804eff5a3f57";

const CREATED: i64 = 1_765_439_652;

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

fn form(property_name: &str, visitor_name: &str, message: &str) -> OfflineFormContent {
    OfflineFormContent::builder(visitor_name, at(1)).property_name(property_name).message_content(message).build()
}

fn text_of(property_name: &str, visitor_name: &str, message: &str) -> String {
    form(property_name, visitor_name, message).key().to_string()
}

/// The SHA-256 of a text in hex digits, by another implementation.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The hash in the text of a key.
fn hash(text: &str) -> String {
    sha256(text)[..32].to_owned()
}

/// The key of the documented item of each event, in the order of the page. Keys are stored, so they never change.
const DOCUMENTED_KEYS: &[&str] = &[
    r#"["UNREPLIED",1765439652,4,"test","Visitor15","6b86b273ff34fce19d6b804eff5a3f57"]"#,
    r#"["PRE_CHAT_FORM_SUBMIT",1765439652,0,"test","Visitor15","6b86b273ff34fce19d6b804eff5a3f57"]"#,
    r#"["OFFLINE_FORM_SUBMIT",1765439652,0,"test","Visitor15","6b86b273ff34fce19d6b804eff5a3f57"]"#,
];

#[test]
fn each_documented_item_has_the_expected_key() {
    let payloads: Vec<_> = EventType::DOCUMENTED.iter().filter_map(fixtures::payload).collect();
    let keys: Vec<_> = payloads.iter().flat_map(Payload::contents).map(|item| item.key().to_string()).collect();
    assert_eq!(keys, DOCUMENTED_KEYS, "each event has its key in DOCUMENTED_KEYS in tests/it/item_key.rs");
}

/// The fields that can change between a delivery and its retry, so they are in no key.
const MAY_CHANGE: &[&str] = &["subject", "visitor_nickname", "sbs", "status", "time_sec", "assigned_agent_nickname"];

/// Values that no documented body has. Each type of field accepts one of them.
const JSON_VALUES: [&str; 2] = [r#""changed""#, "7"];

#[test]
fn items_that_differ_in_any_other_field_have_different_keys() {
    for event in EVENTS {
        for field in item_fields(event) {
            let path = format!("content[0].{field}");
            let changed = JSON_VALUES.map(|json| Body::of(event).set(&path, json).text().parse::<Payload>());
            let changed = changed.into_iter().find_map(Result::ok);
            let changed =
                changed.unwrap_or_else(|| panic!("JSON_VALUES in tests/it/item_key.rs lacks one for {field}"));
            let key = |payload: &Payload| payload.contents().next().unwrap().key().to_string();
            assert_eq!(
                key(&changed) == key(&fixtures::payload(&event.into()).unwrap()),
                MAY_CHANGE.contains(&field.as_str()),
                "{field} of {event} belongs into key_parts in its file in src/content, or, if a retry can change it, \
                 into MAY_CHANGE in tests/it/item_key.rs",
            );
        }
    }
}

#[test]
fn a_content_type_and_the_trait_give_the_same_key() {
    let message = UnrepliedContent::builder("Visitor15", at(CREATED)).push_times(2).build();
    let before = PreChatFormContent::builder("Visitor15", at(CREATED)).build();
    let offline = OfflineFormContent::builder("Visitor15", at(CREATED)).build();
    let items: [(&dyn Content, ItemKey<'_>); 3] =
        [(&message, message.key()), (&before, before.key()), (&offline, offline.key())];
    for (item, key) in items {
        assert_eq!(item.key(), key);
    }
}

#[test]
fn the_message_is_hashed_with_sha_256() {
    // The first two hashes are from FIPS 180-2 and its examples.
    let rows =
        [("", "e3b0c44298fc1c149afbf4c8996fb924"), ("abc", "ba7816bf8f01cfea414140de5dae2223"), ("1", HASH_OF_1)];
    for (message, expected) in rows {
        assert_eq!(hash(message), expected);
        assert_eq!(text_of("p", "v", message), format!(r#"["OFFLINE_FORM_SUBMIT",1,0,"p","v","{expected}"]"#));
    }
    for message in ["\0", "\0\0", "已回复 🙂", &"long ".repeat(1_000)] {
        assert!(text_of("p", "v", message).ends_with(&format!(r#","{}"]"#, hash(message))));
    }
    for length in 0..200 {
        let message = "m".repeat(length);
        assert!(text_of("p", "v", &message).ends_with(&format!(r#","{}"]"#, hash(&message))));
    }
}

/// With FNV-1a, which the keys of 0.2.0 used, the messages of each pair had the same hash.
#[test]
fn readable_messages_that_collided_in_0_2_0_have_different_keys() {
    for [one, other] in [
        [
            "Order 4711: please cancel it. Ref wj3_0.3R##.l5+ (1/%y/f%QO",
            "Order 4711: please ship it now. Ref wj3P/S51$!#%:6b9l8/h.;=?B",
        ],
        ["8yn0iYCKYHlIj4-BwPqk", "GReLUrM4wMqfg9yzV3KQ"],
    ] {
        assert_ne!(text_of("p", "v", one), text_of("p", "v", other));
    }
}

#[test]
fn a_retry_has_the_key_of_the_first_delivery() {
    for event in EVENTS {
        let first = decode(&Body::of(event).text());
        let retry = Body::of(event)
            .set("created_at", "1765439999")
            .set("webhook_id", r#""another""#)
            .add("region", "1")
            .set("content[0].subject", r#""Changed""#)
            .set("content[0].visitor_nickname", r#""""#)
            .set("content[0].sbs", r#""234442313""#)
            .set("content[0].assigned_agent_nickname", "null")
            .add("content[0].language", r#""zh""#);
        let retry = match event {
            "UNREPLIED" => retry.set("content[0].status", r#""4""#).set("content[0].time_sec", "347"),
            _ => retry,
        };
        for text in retry.both_orders() {
            let retry = decode(&text);
            let [first, retry] = [&first, &retry].map(|payload| payload.event.contents().next().unwrap().key());
            assert_eq!(first, retry);
            assert_eq!(first.to_string(), retry.to_string());
        }
    }
}

#[test]
fn different_items_have_different_keys() {
    for event in EVENTS {
        let same = Body::of(event);
        let mut changes = vec![
            same.clone(),
            same.clone().set("content[0].created_at", "1765439653"),
            same.clone().set("content[0].property_name", r#""shop""#),
            same.clone().set("content[0].visitor_name", r#""Visitor16""#),
            same.clone().set("content[0].visitor_name", r#""visitor15""#),
            same.clone().set("content[0].message_content", r#""2""#),
            same.clone().set("content[0].message_content", r#""1 ""#),
        ];
        if event == "UNREPLIED" {
            changes.push(same.set("content[0].push_times", "3"));
        }
        let payloads: Vec<_> = changes.iter().map(|body| decode(&body.text())).collect();
        let keys = || payloads.iter().flat_map(|payload| payload.event.contents()).map(Content::key);
        assert_eq!(keys().collect::<HashSet<_>>().len(), changes.len());
        assert_eq!(keys().collect::<BTreeSet<_>>().len(), changes.len());
        assert_eq!(keys().map(|key| key.to_string()).collect::<HashSet<_>>().len(), changes.len());
    }
    // The same item has another key under another event.
    let payloads = EVENTS.map(|event| decode(&Body::of(event).text()));
    let keys = payloads.iter().flat_map(|payload| payload.event.contents()).map(Content::key);
    assert_eq!(keys.collect::<HashSet<_>>().len(), EVENTS.len());
}

/// Works as a handler does, with a set in the place of the unique column.
#[test]
fn a_repeated_item_of_a_batch_is_handled_once() {
    let mut body = Body::unreplied().value();
    let item = body["content"][0].clone();
    let [mut second, mut third] = [item.clone(), item.clone()];
    second["status"] = json!("2");
    third["push_times"] = json!(3);
    body["content"] = json!([item, second, third]);

    let mut handled = HashSet::new();
    for _ in 0..2 {
        let payload: Payload = serde_json::from_value(body.clone()).unwrap();
        for item in payload.event.contents() {
            handled.insert(item.key().to_string());
        }
    }
    assert_eq!(handled.len(), 2);
}

#[test]
fn keys_are_ordered_by_their_parts() {
    let unreplied = |created_at, push_times, property, visitor, message| {
        let item = UnrepliedContent::builder(visitor, at(created_at)).push_times(push_times);
        item.property_name(property).message_content(message).build()
    };
    let form = form("p", "v", "m");
    let messages = [
        unreplied(-1, 9, "z", "z", "z"),
        unreplied(1, 1, "a", "b", "b"),
        unreplied(1, 2, "a", "a", "a"),
        unreplied(1, 2, "a", "a", "b"),
        unreplied(1, 2, "a", "b", "a"),
        unreplied(1, 2, "b", "a", "a"),
        unreplied(1, 10, "a", "a", "a"),
        unreplied(2, 1, "a", "a", "a"),
    ];
    let keys: Vec<_> = [form.key()].into_iter().chain(messages.iter().map(UnrepliedContent::key)).collect();
    assert!(keys.is_sorted());
    let texts: BTreeSet<_> = keys.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), keys.len());
}

#[test]
fn the_text_is_a_compact_json_array_of_the_parts() {
    let names = [
        "",
        "Visitor15",
        "\"",
        "\\",
        "\\\"",
        "a\",\"b",
        "\n\t\r\u{8}\u{c}",
        "\0\u{1f}\u{7f}\u{2028}",
        "访客 🙂",
        "]",
        "#",
    ];
    for property_name in names {
        for visitor_name in names {
            let text = text_of(property_name, visitor_name, "1");
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value, json!(["OFFLINE_FORM_SUBMIT", 1, 0, property_name, visitor_name, HASH_OF_1]));
            assert!(text.bytes().all(|byte| byte >= b' '), "{text}");
        }
    }
    assert_eq!(
        text_of("a\"b\\c", "\0\n\u{1f}", "1"),
        format!(r#"["OFFLINE_FORM_SUBMIT",1,0,"a\"b\\c","\u0000\u000a\u001f","{HASH_OF_1}"]"#),
    );
}

#[test]
fn a_name_of_more_than_64_bytes_is_cut_and_followed_by_its_hash() {
    let a = |count| "a".repeat(count);
    let (emoji, umlaut) = ("🙂".repeat(16), "ü".repeat(32));
    let rows = [
        (a(63), None),
        (a(64), None),
        (a(65), Some(a(64))),
        (a(1 << 20), Some(a(64))),
        (emoji.clone(), None),
        (umlaut.clone(), None),
        (format!("{emoji}🙂"), Some(emoji)),
        (format!("{umlaut}ü"), Some(umlaut)),
        // A character that the limit would split is left out.
        (format!("{}ü", a(63)), Some(a(63))),
        (format!("{}访", a(62)), Some(a(62))),
        (format!("{}🙂", a(61)), Some(a(61))),
        (format!("{}🙂", a(62)), Some(a(62))),
        (format!("{}🙂", a(63)), Some(a(63))),
        ("\0".repeat(65), Some("\0".repeat(64))),
    ];
    for (name, kept) in rows {
        let written = kept.map_or_else(|| name.clone(), |kept| format!("{kept}#{}", hash(&name)));
        for (property, visitor, place) in [(name.as_str(), "v", 3), ("p", name.as_str(), 4)] {
            let value: Value = serde_json::from_str(&text_of(property, visitor, "")).unwrap();
            assert_eq!(value[place], json!(written));
        }
    }
}

#[test]
fn a_short_name_never_looks_like_a_cut_name() {
    let long = "visitor ".repeat(20);
    let text = |name: &str| -> Value { serde_json::from_str(&text_of("p", name, "")).unwrap() };
    let written = text(&long)[4].as_str().unwrap().to_owned();
    // A cut name with its hash is longer than the limit. If a visitor has such a name, it is also cut and gets a new
    // hash.
    assert!(written.len() > 64);
    assert_ne!(text(&written), text(&long));
    for end in 0..written.len() {
        assert_ne!(text(&written[..end]), text(&long));
    }
}

#[test]
fn the_text_takes_less_than_1024_bytes() {
    let worst = ["\0", "\u{1f}", "\"", "\\", "a", "ü", "访", "🙂"];
    for (property, visitor) in worst.iter().flat_map(|first| worst.iter().map(move |second| (first, second))) {
        for count in [15, 16, 21, 32, 64, 65, 10_000] {
            let item = UnrepliedContent::builder(visitor.repeat(count), Timestamp::MIN)
                .property_name(property.repeat(count))
                .message_content("message".repeat(count))
                .push_times(u32::MAX)
                .build();
            let text = item.key().to_string();
            assert!(text.len() < 940, "{} bytes", text.len());
        }
    }
    let longest = EVENTS.iter().map(|event| event.len()).max().unwrap();
    assert!(longest < 1024 - 940);
}

#[test]
fn debug_shows_the_text_of_the_key_and_not_the_message() {
    let form = form("test", "Visitor15", "canary");
    assert_eq!(format!("{:?}", form.key()), format!("ItemKey({})", form.key()));
    assert!(!format!("{:#?}", form.key()).contains("canary"));
}

#[test]
fn a_key_does_not_depend_on_status_time_sec_and_sbs() {
    let message = UnrepliedContent::builder("Visitor15", at(CREATED)).build();
    let mut later = message.clone();
    later.status = Status::Replied;
    later.time_sec = 1_000;
    later.sbs = Some(String::new());
    let keys = HashSet::from([message.key(), later.key()]);
    assert_eq!(keys.len(), 1);
}

/// Names below and above the limit of 64 bytes. Many of them differ only in characters that a key escapes, or in the
/// `#` that follows a cut name.
fn name() -> impl Strategy<Value = String> {
    let parts = select(vec!["", "a", "\"", "\\", "\0", "\u{1f}", "#", ",", "ü", "访", "🙂", "u0000", "n"]);
    let filled = (parts.clone(), 0..80_usize, parts).prop_map(|(part, count, end)| part.repeat(count) + end);
    prop_oneof![filled, ".{0,70}", "[a\"\\\\]{58,70}"]
}

proptest! {
    #[test]
    fn two_texts_are_equal_if_and_only_if_the_names_are_equal(first in (name(), name()), second in (name(), name())) {
        let [first_text, second_text] = [&first, &second].map(|(property, visitor)| text_of(property, visitor, "1"));
        prop_assert_eq!(first == second, first_text == second_text);
        for (text, (property, visitor)) in [(first_text, &first), (second_text, &second)] {
            let value: Value = serde_json::from_str(&text).unwrap();
            for (place, name) in [(3, property), (4, visitor)] {
                let written = value[place].as_str().unwrap();
                prop_assert_eq!(written == name, name.len() <= 64);
                prop_assert_eq!(written.len() <= 64, name.len() <= 64);
            }
        }
    }
}
