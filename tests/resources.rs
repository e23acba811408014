//! Counts the allocations and the peak heap that a body needs.
//!
//! This is a separate test binary, because counting needs its own allocator. The allocator counts each thread
//! separately, so the tests do not disturb each other. When a block grows, both the old and the new block count, which
//! is the worst case.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use allocation_counter::AllocationInfo;
use serde_json::Value;
use twt_chat_webhooks::fixtures::{OFFLINE_FORM_SUBMIT, PRE_CHAT_FORM_SUBMIT, UNREPLIED};
use twt_chat_webhooks::{DecodeErrorKind, Delivery, Payload};

const MIB: u64 = 1 << 20;

/// The memory that making a value needs. `left` is the number of bytes that the value keeps.
struct Cost {
    allocations: u64,
    peak: u64,
    left: u64,
}

fn measure<T>(make: impl FnOnce() -> T) -> (T, Cost) {
    let mut made = None;
    let AllocationInfo { count_total, bytes_max, bytes_current, .. } =
        allocation_counter::measure(|| made = Some(make()));
    let left = bytes_current.try_into().unwrap();
    (made.unwrap(), Cost { allocations: count_total, peak: bytes_max, left })
}

#[track_caller]
fn decode(body: &str) -> (Payload, Cost) {
    let (result, cost) = measure(|| Payload::from_slice(body.as_bytes()));
    (result.unwrap(), cost)
}

fn value(body: &str) -> Cost {
    measure(|| serde_json::from_slice::<Value>(body.as_bytes()).unwrap()).1
}

fn length(text: &str) -> u64 {
    text.len().try_into().unwrap()
}

/// The item of the documented body.
fn item() -> &'static str {
    let (_, item) = UNREPLIED.split_once("\"content\": [").unwrap();
    item.trim_end().strip_suffix('}').unwrap().trim_end().strip_suffix(']').unwrap()
}

fn in_order(items: &str) -> String {
    format!(r#"{{"created_at":1765439941,"event":"UNREPLIED","webhook_id":"5894","content":[{items}]}}"#)
}

fn content_first(items: &str) -> String {
    format!(r#"{{"content":[{items}],"created_at":1765439941,"event":"UNREPLIED","webhook_id":"5894"}}"#)
}

fn ten_thousand_items() -> String {
    vec![item(); 10_000].join(",")
}

fn with_message(message: &str) -> String {
    let documented = r#""message_content": "1""#;
    assert!(item().contains(documented));
    item().replace(documented, &format!(r#""message_content": "{message}""#))
}

fn with_100_000_fields(item: &str) -> String {
    let fields: Vec<_> = (0..100_000).map(|index| format!(r#""field {index}":{index}"#)).collect();
    item.replacen('{', &format!("{{{},", fields.join(",")), 1)
}

#[test]
fn a_documented_body_needs_one_allocation_for_each_text_and_one_for_the_items() {
    for body in [UNREPLIED, PRE_CHAT_FORM_SUBMIT, OFFLINE_FORM_SUBMIT] {
        let (_, cost) = decode(body);
        // Seven texts need an allocation. The eighth text, `sbs`, is empty.
        assert_eq!(cost.allocations, 7 + 1, "{body}");
        assert_eq!(cost.peak, cost.left, "{body}");
        assert!(cost.left <= length(body), "{} bytes for {body}", cost.left);
    }
}

/// If the body were read twice, every text would be allocated twice.
#[test]
fn a_body_is_read_only_once_whatever_it_contains() {
    let body = in_order(&vec![item(); 20].join(","));
    let body = body.strip_suffix('}').unwrap();
    let (_, cost) = decode(&format!("{body}}}"));
    let read_once = |json: &str| {
        let (_, with_json) = decode(&format!("{body},\"channel\":{json}}}"));
        assert!(with_json.allocations < cost.allocations * 3 / 2, "{json}");
    };

    for json in
        ["null", "true", "false", "[]", "[ ]", "{}", "{\n}", "[0 ,\t1]", "[[],[[]],{}]", r#"{"a" : {}, "b":[]}"#]
    {
        read_once(json);
    }
    for json in ["0", "7", "10", "1234567890123456789", "18446744073709551615", "-0", "-7", "0.5", "-1.5e+10", "1E-2"] {
        read_once(json);
    }
    for json in [r#""""#, r#""\"""#, r#""\\\"\\""#, r#""\ud83d\ude42 \u0000""#, r#"{"\u0061\"":"\n"}"#] {
        read_once(json);
    }
    // Every kind of character, at every place in the eight bytes that are read at a time (SWAR).
    for char in (' '..='\u{ff}').chain("你🙂\u{10ffff}".chars()).filter(|char| !matches!(char, '"' | '\\')) {
        for before in 0..8 {
            read_once(&format!("\"{}{char}{}\"", "a".repeat(before), "z".repeat(8)));
        }
    }
    read_once(&format!("{}{}", "[".repeat(31), "]".repeat(31)));
}

#[test]
fn ten_thousand_items_need_at_most_1_5_times_the_memory_of_their_result() {
    let (_, cost) = decode(&in_order(&ten_thousand_items()));
    // Six texts for each item, and the growth of the vector that holds the items.
    assert!(cost.allocations <= 6 * 10_000 + 32, "{}", cost.allocations);
    assert!(cost.peak <= cost.left * 3 / 2, "{} for {}", cost.peak, cost.left);
}

#[test]
fn ten_thousand_items_before_their_event_need_at_most_six_times_the_body() {
    let body = content_first(&ten_thousand_items());
    let (_, cost) = decode(&body);
    assert!(cost.allocations <= 7 * 10_000 + 64, "{}", cost.allocations);
    assert!(cost.peak <= 6 * length(&body), "{} for {}", cost.peak, body.len());
}

#[test]
fn a_fault_behind_ten_thousand_items_needs_at_most_six_times_the_body() {
    for order in [in_order, content_first] {
        let body = order(&format!("{},4", ten_thousand_items()));
        let (error, cost) = measure(|| Payload::from_slice(body.as_bytes()).unwrap_err());
        assert_eq!(error.path(), "content[10000]");
        assert!(cost.peak <= 6 * length(&body), "{} for {}", cost.peak, body.len());
        assert!(cost.left <= 512, "the error holds {} bytes", cost.left);

        let (partial, cost) = measure(|| Payload::from_slice_partial(body.as_bytes()).unwrap());
        assert_eq!((partial.payload.event.contents().count(), partial.rejected.len()), (10_000, 1));
        assert!(cost.peak <= 6 * length(&body), "{} for {}", cost.peak, body.len());
    }
}

#[test]
fn a_message_of_10_mib_is_copied_once() {
    let item = with_message(&"a".repeat(10 << 20));
    for body in [in_order(&item), content_first(&item)] {
        let (payload, cost) = decode(&body);
        assert_eq!(payload.event.contents().map(|item| item.message_content().len()).sum::<usize>(), 10 << 20);
        assert!(cost.allocations <= 16, "{}", cost.allocations);
        assert!(cost.peak <= 10 * MIB + 4_096, "{}", cost.peak);
    }
}

#[test]
fn a_message_of_10_mib_of_escapes_needs_at_most_15_mib() {
    let item = with_message(&r"\n".repeat(5 << 20));
    for body in [in_order(&item), content_first(&item)] {
        let (payload, cost) = decode(&body);
        assert_eq!(payload.event.contents().map(|item| item.message_content().len()).sum::<usize>(), 5 << 20);
        assert!(cost.allocations <= 64, "{}", cost.allocations);
        assert!(cost.peak <= 15 * MIB, "{}", cost.peak);
    }
}

#[test]
fn a_hundred_thousand_unknown_fields_need_as_much_as_a_value() {
    let body = with_100_000_fields(&in_order(item()));
    let (payload, cost) = decode(&body);
    assert_eq!(payload.extra().len(), 100_000);
    assert_within(&cost, &value(&body), 1);

    let item = with_100_000_fields(item());
    let body = in_order(&item);
    let (payload, cost) = decode(&body);
    assert_eq!(payload.event.contents().map(|item| item.extra().len()).sum::<usize>(), 100_000);
    assert_within(&cost, &value(&body), 1);

    // Content that comes before its event may need three times as much.
    let body = content_first(&item);
    assert_within(&decode(&body).1, &value(&body), 3);
}

#[track_caller]
fn assert_within(cost: &Cost, value: &Cost, times: u64) {
    assert!(cost.allocations <= times * value.allocations, "{} against {}", cost.allocations, value.allocations);
    assert!(cost.peak <= times * value.peak, "{} against {}", cost.peak, value.peak);
}

/// The items of hostile bodies, as JSON text. Each text repeats one small value up to a size of 1 MiB.
fn hostile() -> impl Iterator<Item = String> {
    let pieces =
        ["0", "[]", "{}", "[[]]", r#"{"":0}"#, r#"{"":{}}"#, r#""""#, r#""a""#, "-1.5", "null", r#"{"subject":""}"#];
    pieces.into_iter().map(|piece| vec![piece; (1 << 20) / (piece.len() + 1)].join(","))
}

#[test]
fn a_hostile_body_needs_at_most_10_percent_more_than_a_value() {
    for items in hostile() {
        for body in [in_order(&items), content_first(&items)] {
            let value = value(&body);
            let unknown = body.replace("UNREPLIED", "EVENT_OF_TOMORROW");
            let extra = body.replace(r#""content":["#, r#""content":[],"trace":["#);
            for body in [&body, &unknown, &extra] {
                let (_, cost) = measure(|| Payload::from_slice(body.as_bytes()));
                let piece = &items[..10];
                assert!(10 * cost.peak <= 11 * value.peak, "{} against {} for {piece}", cost.peak, value.peak);
            }
        }
    }
}

#[test]
fn rejected_items_share_one_copy_of_the_envelope() {
    let (id, items) = ("a".repeat(64_000), vec!["0"; 1_000].join(","));
    let body = format!(r#"{{"created_at":1,"event":"UNREPLIED","webhook_id":"{id}","content":[{items}]}}"#);
    let (partial, cost) = measure(|| Payload::from_slice_partial(body.as_bytes()));
    assert_eq!(partial.unwrap().rejected.len(), 1_000);
    // A copy of the `webhook_id` for each rejected item would need 64 MB.
    assert!(cost.peak <= 20 * length(&body), "{}", cost.peak);
}

/// Bad items cost less memory than the body has, because there are at most 1 000 of them. The limit is the memory of
/// good forms: each has one unknown field, and so a map of its own.
#[test]
fn eight_mib_of_tiny_items_need_at_most_48_times_the_body() {
    let bad = ["1", "{}", "[]", "\"\"", r#"{"a":1}"#];
    for (event, item, times) in bad.map(|item| ("UNREPLIED", item, 1)).into_iter().chain([(
        "PRE_CHAT_FORM_SUBMIT",
        r#"{"created_at":1,"a":1}"#,
        60,
    )]) {
        let items = vec![item; (8 << 20) / (item.len() + 1)].join(",");
        for body in [in_order(&items), content_first(&items)].map(|body| body.replace("UNREPLIED", event)) {
            for decode in [|body| Payload::from_slice(body).is_ok(), |body| Payload::from_slice_partial(body).is_ok()] {
                let (_, cost) = measure(|| decode(body.as_bytes()));
                assert!(cost.peak <= times * length(&body), "{} times for {item}", cost.peak / length(&body));
            }
        }
    }
}

/// The records hold a key and a body for each item, and the envelope is in each of these bodies.
#[test]
fn a_delivery_of_8_mib_of_tiny_items_needs_at_most_24_times_the_body() {
    for (event, item) in [
        ("OFFLINE_FORM_SUBMIT", r#"{"created_at":1}"#),
        ("OFFLINE_FORM_SUBMIT", r#"{"created_at":1,"a":1}"#),
        ("UNREPLIED", "1"),
        ("UNREPLIED", "{}"),
        ("EVENT_OF_TOMORROW", "1"),
        ("EVENT_OF_TOMORROW", r#"{"a":1}"#),
    ] {
        let items = vec![item; (8 << 20) / (item.len() + 1)].join(",");
        let body = in_order(&items).replace("UNREPLIED", event);
        let (delivery, cost) = measure(|| Delivery::from_slice(body.as_bytes()));
        assert!(cost.peak <= 24 * length(&body), "{} times for {item}", cost.peak / length(&body));
        assert!(!delivery.records().is_empty());
    }
}

/// Without the limit for the length of all bodies together, these records would need 254 MB.
#[test]
fn a_large_envelope_around_many_tiny_items_needs_at_most_24_times_the_body() {
    let fields: Vec<_> = (0..6_000).map(|index| format!("\"f{index}\":1")).collect();
    let body = |count: usize| {
        let items = vec![r#"{"created_at":1}"#; count].join(",");
        let envelope = format!("{{{},", fields.join(","));
        in_order(&items).replace("UNREPLIED", "OFFLINE_FORM_SUBMIT").replacen('{', &envelope, 1)
    };
    for count in [1, 15, 16, 17, 18, 1_000, 4_000] {
        let body = body(count);
        let (_, cost) = measure(|| Delivery::from_slice(body.as_bytes()));
        assert!(cost.peak <= 24 * length(&body), "{} times for {count}", cost.peak / length(&body));
    }
}

#[test]
fn a_mib_of_brackets_is_refused_without_much_memory() {
    let arrays = "[".repeat(1 << 20);
    let objects = r#"{"":"#.repeat(1 << 18);
    for body in
        [&arrays, &objects, &in_order(&arrays), &in_order(&objects), &content_first(&arrays), &content_first(&objects)]
    {
        for decode in [error, error_of_partial] {
            let (error, cost) = measure(|| decode(body));
            assert_eq!(error, DecodeErrorKind::Syntax);
            assert!(cost.allocations <= 2_048, "{}", cost.allocations);
            assert!(cost.peak <= MIB / 8, "{}", cost.peak);
        }
    }
}

fn error(body: &str) -> DecodeErrorKind {
    Payload::from_slice(body.as_bytes()).unwrap_err().kind()
}

fn error_of_partial(body: &str) -> DecodeErrorKind {
    Payload::from_slice_partial(body.as_bytes()).unwrap_err().kind()
}

#[test]
fn encoding_needs_at_most_three_times_its_result() {
    for body in [UNREPLIED, &in_order(&ten_thousand_items())] {
        let (payload, _) = decode(body);
        let (encoded, cost) = measure(|| payload.to_vec());
        assert!(cost.allocations <= 20, "{}", cost.allocations);
        assert!(cost.peak <= 3 * u64::try_from(encoded.len()).unwrap(), "{} for {}", cost.peak, encoded.len());
    }
}
