//! Arbitrary values are canonical: each value is the same after encoding and decoding.

use core::fmt::Debug;
use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use twt_chat_webhooks::{
    DocumentedStatus, Event, EventType, OfflineFormContent, Payload, PreChatFormContent, Status, Timestamp,
    UnknownEvent, UnknownName, UnknownStatus, UnrepliedContent,
};

/// More bytes than a value needs. The bytes are UTF-8, because `arbitrary` cuts a text before the first byte that is
/// not UTF-8.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<char>(), 256).prop_map(|text| String::from_iter(text).into_bytes())
}

pub(crate) fn arbitrary<T: Debug + for<'a> Arbitrary<'a>>() -> impl Strategy<Value = T> {
    bytes().prop_map(|bytes| T::arbitrary(&mut Unstructured::new(&bytes)).unwrap())
}

proptest! {
    #[test]
    fn a_payload_is_the_same_after_encoding_and_decoding(payload in arbitrary::<Payload>()) {
        prop_assert_eq!(Payload::from_slice(&payload.to_vec()), Ok(payload));
    }

    #[test]
    fn a_payload_that_is_sent_now_is_fresh_and_canonical(payload in arbitrary::<Payload>()) {
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let payload = payload.sent_at(now);
        prop_assert_eq!(payload.check_freshness(now, Duration::ZERO), Ok(()));
        prop_assert_eq!(Payload::from_slice(&payload.to_vec()), Ok(payload));
    }

    #[test]
    fn any_bytes_make_a_canonical_payload(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        let payload = Payload::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        prop_assert_eq!(Payload::from_slice(&payload.to_vec()), Ok(payload));
    }

    #[test]
    fn each_part_is_the_same_after_encoding_and_decoding(bytes in bytes()) {
        assert_round_trip::<Event>(&bytes);
        assert_round_trip::<UnrepliedContent>(&bytes);
        assert_round_trip::<PreChatFormContent>(&bytes);
        assert_round_trip::<OfflineFormContent>(&bytes);
        assert_round_trip::<EventType>(&bytes);
        assert_round_trip::<Status>(&bytes);
        assert_round_trip::<DocumentedStatus>(&bytes);
        assert_round_trip::<Timestamp>(&bytes);
    }

    #[test]
    fn an_unknown_event_can_be_rebuilt_from_its_name_and_content(event in arbitrary::<UnknownEvent>()) {
        let again = Event::from_parts(event.name(), event.content().clone()).unwrap();
        prop_assert_eq!(again, Event::Unknown(event));
    }

    #[test]
    fn a_value_takes_a_number_of_bytes_within_its_size_hint(bytes in bytes()) {
        assert_size_hint::<Payload>(&bytes);
        assert_size_hint::<Event>(&bytes);
        assert_size_hint::<UnknownEvent>(&bytes);
        assert_size_hint::<UnrepliedContent>(&bytes);
        assert_size_hint::<PreChatFormContent>(&bytes);
        assert_size_hint::<OfflineFormContent>(&bytes);
        assert_size_hint::<EventType>(&bytes);
        assert_size_hint::<UnknownName>(&bytes);
        assert_size_hint::<Status>(&bytes);
        assert_size_hint::<UnknownStatus>(&bytes);
        assert_size_hint::<DocumentedStatus>(&bytes);
        assert_size_hint::<Timestamp>(&bytes);
    }
}

fn assert_round_trip<'a, T: Arbitrary<'a> + Debug + PartialEq + Serialize + DeserializeOwned>(bytes: &'a [u8]) {
    let value = T::arbitrary(&mut Unstructured::new(bytes)).unwrap();
    assert_eq!(serde_json::from_str::<T>(&serde_json::to_string(&value).unwrap()).unwrap(), value);
}

fn assert_size_hint<'a, T: Arbitrary<'a>>(bytes: &'a [u8]) {
    let mut u = Unstructured::new(bytes);
    T::arbitrary(&mut u).unwrap();
    let taken = bytes.len() - u.len();
    let (least, most) = T::size_hint(0);
    assert!(
        least <= taken && most.is_none_or(|most| taken <= most),
        "took {taken} bytes, with a size hint of {least} to {most:?}"
    );
}

/// Input of zeros gives the shortest value. An empty text takes one byte, and so does the end of a list. The size hints
/// of `arbitrary` do not count these bytes.
#[test]
fn the_shortest_value_takes_the_minimum_of_its_size_hint() {
    fn assert_least<T: Debug + for<'a> Arbitrary<'a>>() {
        let bytes = [0; 64];
        let mut u = Unstructured::new(&bytes);
        let texts_and_lists = empty_texts_and_lists(&T::arbitrary(&mut u).unwrap());
        let taken = bytes.len() - u.len();
        assert_eq!(T::size_hint(0).0, taken - texts_and_lists, "{}", core::any::type_name::<T>());
    }

    assert_least::<Payload>();
    assert_least::<Event>();
    assert_least::<UnknownEvent>();
    assert_least::<UnrepliedContent>();
    assert_least::<PreChatFormContent>();
    assert_least::<OfflineFormContent>();
    assert_least::<EventType>();
    assert_least::<Status>();
    assert_least::<DocumentedStatus>();
    assert_least::<Timestamp>();
    let form = PreChatFormContent::arbitrary(&mut Unstructured::new(&[0; 64])).unwrap();
    assert!(empty_texts_and_lists(&form) >= 4, "{form:?}");
}

/// The number of empty texts and empty lists in a value, as `Debug` shows it.
fn empty_texts_and_lists(value: &impl Debug) -> usize {
    let shown = format!("{value:?}");
    shown.matches("\"\"").count() + shown.matches("[]").count()
}

/// Generates 500 values, the same ones in every run.
fn sample<T: Debug + for<'a> Arbitrary<'a>>() -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let strategy = arbitrary();
    (0..500).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

/// Returns the share and prints it. `--nocapture` makes it visible.
fn share(what: &str, count: usize, of: usize) -> f64 {
    let share = f64::from(u32::try_from(count).unwrap()) / f64::from(u32::try_from(of).unwrap());
    println!("{what}: {count} of {of}, {:.1} %", share * 100.0);
    share
}

#[test]
fn half_of_the_payloads_are_valid_and_plausible() {
    const COUNT: usize = 10_000;

    let mut runner = TestRunner::deterministic();
    let mut bytes = [0; 512];
    let mut payloads = Vec::new();
    for _ in 0..COUNT {
        runner.rng().fill_bytes(&mut bytes);
        payloads.push(Payload::arbitrary(&mut Unstructured::new(&bytes)).unwrap());
    }

    let messages = payloads.iter().filter_map(|payload| payload.event.as_unreplied());
    let messages: Vec<&UnrepliedContent> = messages.flatten().collect();
    let (valid, wild): (Vec<_>, Vec<_>) = payloads.iter().partition(|payload| payload.validate().is_ok());
    let pushed = messages.iter().filter(|message| (1..=4).contains(&message.push_times)).count();
    let endless = messages.iter().filter(|message| i64::try_from(message.time_sec).is_err()).count();
    let valid_share = share("valid payloads", valid.len(), COUNT);
    let pushed_share = share("push_times from 1 to 4", pushed, messages.len());
    let endless_share = share("waiting times above i64::MAX", endless, messages.len());
    assert!((0.45..=0.55).contains(&valid_share));
    assert!((0.5..=0.8).contains(&pushed_share));
    assert!((0.1..=0.3).contains(&endless_share));

    for event_type in EventType::DOCUMENTED {
        let of_type = |payloads: &[&Payload]| {
            let count = payloads.iter().filter(|payload| payload.event_type() == *event_type).count();
            count * EventType::DOCUMENTED.len() * 100 / payloads.len()
        };
        assert!(of_type(&valid) > 90, "{event_type}");
        assert!(of_type(&wild) > 60, "{event_type}");

        let valid = valid.iter().filter(|payload| payload.event_type() == *event_type);
        let items: Vec<_> = valid.flat_map(|payload| payload.contents()).collect();
        assert!(items.iter().any(|item| !item.extra().is_empty()), "{event_type}");
        assert!(items.iter().any(|item| item.sbs().is_some()), "{event_type}");
        assert!(items.iter().any(|item| item.sbs().is_none()), "{event_type}");
    }
    let mut longest = Duration::ZERO;
    for payload in valid {
        let year = time::OffsetDateTime::from(payload.created_at).year();
        assert!((2025..=2034).contains(&year), "{year}");
        for item in payload.contents() {
            let waited = payload.created_at.duration_since(item.created_at()).unwrap();
            assert!(waited <= Duration::from_secs(24 * 60 * 60), "{waited:?}");
            assert!(item.as_unreplied().is_none_or(|message| message.timeout() == waited));
            longest = longest.max(waited);
        }
    }
    assert!(longest > Duration::from_secs(23 * 60 * 60), "{longest:?}");
}

#[test]
fn every_kind_of_value_is_generated() {
    let payloads = sample::<Payload>();
    assert!(payloads.iter().any(|payload| payload.webhook_id.is_empty()));
    assert!(payloads.iter().any(|payload| !payload.webhook_id.is_empty()));
    assert!(payloads.iter().any(|payload| payload.extra().is_empty()));
    assert!(payloads.iter().any(|payload| payload.extra().len() > 1));

    let events = sample::<Event>();
    for documented in EventType::DOCUMENTED {
        let of_type = || events.iter().filter(|event| event.event_type() == *documented);
        assert!(of_type().any(|event| event.contents().count() == 0), "{documented}");
        assert!(of_type().any(|event| event.contents().count() > 1), "{documented}");
    }
    assert!(events.iter().any(|event| event.as_unknown().is_some()));

    let contents: [fn(&Value) -> bool; 10] = [
        Value::is_null,
        Value::is_boolean,
        Value::is_i64,
        |content| content.as_i64().is_some_and(i64::is_negative),
        |content| content.is_u64() && !content.is_i64(),
        Value::is_f64,
        |content| content.as_f64().is_some_and(|number| number.fract() != 0.0),
        Value::is_string,
        |content| content.as_array().is_some_and(|items| items.len() > 1),
        |content| content.as_object().is_some_and(|fields| fields.len() > 1),
    ];
    let unknown = sample::<UnknownEvent>();
    for (index, kind) in contents.iter().enumerate() {
        assert!(unknown.iter().any(|event| kind(event.content())), "kind {index}");
    }

    let messages = sample::<UnrepliedContent>();
    let optional: [fn(&UnrepliedContent) -> &Option<String>; 3] =
        [|message| &message.visitor_nickname, |message| &message.sbs, |message| &message.assigned_agent_nickname];
    for field in optional {
        assert!(messages.iter().any(|message| field(message).is_none()));
        assert!(messages.iter().any(|message| field(message).is_some()));
    }
    assert!(messages.iter().any(|message| message.extra().is_empty()));
    assert!(messages.iter().any(|message| message.extra().len() > 1));

    let (statuses, integers) = (sample::<Status>(), sample::<DocumentedStatus>());
    for documented in Status::DOCUMENTED {
        assert!(statuses.contains(documented));
        assert!(integers.iter().any(|integer| Some(*integer) == documented.documented()));
    }
    assert!(statuses.iter().any(|status| matches!(status, Status::Unknown(_))));

    let timestamps = sample::<Timestamp>();
    assert!(timestamps.iter().any(|timestamp| *timestamp < Timestamp::UNIX_EPOCH));
    assert!(timestamps.iter().any(|timestamp| *timestamp > Timestamp::UNIX_EPOCH));
}

/// Input for `Unstructured`: the bytes of the values, then the lengths of the texts. `Unstructured` takes each length
/// from the end of the input, so the lengths are in reverse order.
fn script(parts: &[&[u8]], lengths: &[u8]) -> Vec<u8> {
    let mut script = parts.concat();
    script.extend(lengths.iter().rev());
    script
}

#[test]
fn an_unknown_name_is_never_a_documented_one() {
    for (name, expected) in [("UNREPLIES", "UNREPLIES"), ("UNREPLIED", "")] {
        let bytes = script(&[name.as_bytes()], &[9]);
        assert_eq!(UnknownName::arbitrary(&mut Unstructured::new(&bytes)).unwrap().as_str(), expected);
    }
    for (status, expected) in [("9", "9"), ("4", "")] {
        let bytes = script(&[status.as_bytes()], &[1]);
        assert_eq!(UnknownStatus::arbitrary(&mut Unstructured::new(&bytes)).unwrap().as_str(), expected);
    }
}

/// The bytes from which `arbitrary` makes the fields of an object: `MORE`, a key and a value for each field, then
/// `END`.
const MORE: u8 = 1;
const NULL: u8 = 0;
const END: u8 = 0;

#[test]
fn an_extra_field_never_has_a_documented_name() {
    let created_at: &[u8] = &[0; 5];
    let extra: &[&[u8]] = &[&[MORE], b"subject", &[NULL, MORE], b"content", &[NULL, END]];

    // The fields of the form take the fewest bytes that they can. Each text also takes its length, 0.
    let texts = empty_texts_and_lists(&PreChatFormContent::arbitrary(&mut Unstructured::new(&[0; 64])).unwrap());
    let (end_of_extra, lengths) = (1, [vec![0; texts], vec![7, 7]].concat());
    let fields = vec![0; PreChatFormContent::size_hint(0).0 - end_of_extra];
    let bytes = script(&[&fields, &extra.concat()], &lengths);
    let form = PreChatFormContent::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert!(form.extra().keys().eq(["content"]));

    let wild: &[u8] = &[0];
    let unknown_event: &[u8] = &[u8::try_from(EventType::DOCUMENTED.len()).unwrap()];
    let bytes = script(&[wild, created_at, unknown_event, &[NULL], &extra.concat()], &[0, 0, 7, 7]);
    let payload = Payload::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert!(payload.extra().keys().eq(["subject"]));
}

#[test]
fn no_key_is_a_private_key_of_serde_json() {
    const OBJECT: u8 = 7;
    let keys = [b"$serde_json::private::Number", b"$serde_json::public.::Number"];
    let bytes = script(&[&[OBJECT, MORE], keys[0], &[NULL, MORE], keys[1], &[NULL, END]], &[0, 28, 28]);
    let event = UnknownEvent::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
    assert!(event.content().as_object().unwrap().keys().eq(["$serde_json::public.::Number"]));
}

#[test]
fn content_is_not_nested_deeply() {
    fn depth(value: &Value) -> usize {
        let inner = match value {
            Value::Array(items) => items.first(),
            Value::Object(fields) => fields.values().next(),
            _ => return 0,
        };
        1 + inner.map_or(0, depth)
    }

    const ARRAY: u8 = 6;
    const OBJECT: u8 = 7;
    for container in [ARRAY, OBJECT] {
        let mut bytes = [container, MORE].repeat(200);
        bytes.extend([0; 200]);
        let event = UnknownEvent::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
        assert_eq!(depth(event.content()), 8, "{container}");
    }
}
