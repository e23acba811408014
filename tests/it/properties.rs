//! Property tests with random bodies: good and malformed ones, with keys in any order, in any spelling, and damaged.

use core::fmt::Debug;
use core::str;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Number, Value};
use twt_chat_webhooks::{Partial, Payload};

use crate::body::{Body, ENVELOPE_FIELDS, EVENT_OF_TOMORROW, EVENTS, item_fields};
use crate::delivery::assert_nothing_is_lost;
use crate::entry_points::without_position;
use crate::oracle;

/// A JSON value that can have repeated keys, and that keeps the spelling of its literals.
#[derive(Debug, Clone)]
enum Json {
    /// A string, a number, `true`, `false` or `null`, as it is written.
    Literal(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reverses the order of the keys, at every depth.
    fn backwards(&self) -> Self {
        match self {
            Self::Literal(literal) => Self::Literal(literal.clone()),
            Self::Array(items) => Self::Array(items.iter().map(Self::backwards).collect()),
            Self::Object(fields) => {
                Self::Object(fields.iter().rev().map(|(key, value)| (key.clone(), value.backwards())).collect())
            }
        }
    }

    /// Puts a valid value at the path of an error.
    fn repaired(&self, path: &str) -> Self {
        let (first, rest) = path.split_once('.').unwrap_or((path, ""));
        let (name, index) = first.split_once('[').unwrap_or((first, ""));
        let index = index.trim_end_matches(']').parse::<usize>().ok();
        let item = || Self::Object(vec![("created_at".into(), literal("1"))]);
        let Self::Object(fields) = self else { return item() };

        let mut fields = fields.clone();
        let old = fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        fields.retain(|(key, _)| key != name);
        let new = match (name, old, index) {
            ("content", Some(Self::Array(mut items)), Some(index)) => {
                items[index] = if rest.is_empty() { item() } else { items[index].repaired(rest) };
                Self::Array(items)
            }
            ("content", ..) => Self::Array(Vec::new()),
            ("created_at", ..) => literal("1"),
            (name, ..) if is_unsigned(name) => literal("1"),
            _ => literal(r#""1""#),
        };
        fields.push((name.into(), new));
        Self::Object(fields)
    }

    /// Whether any object has a repeated key. The keys in `documented` do not count in this object, and the keys in
    /// `in_items` do not count in the items of its content.
    fn repeats_a_key(&self, documented: &[String], in_items: &[String]) -> bool {
        match self {
            Self::Literal(_) => false,
            Self::Array(items) => items.iter().any(|item| item.repeats_a_key(in_items, &[])),
            Self::Object(fields) => fields.iter().enumerate().any(|(index, (key, value))| {
                let is_repeated = fields.iter().take(index).any(|(earlier, _)| earlier == key);
                let in_items = if key == "content" { in_items } else { &[] };
                is_repeated && !documented.contains(key) || value.repeats_a_key(&[], in_items)
            }),
        }
    }

    /// Whether an unknown key is repeated. Its last value is kept, so the order of the keys then matters.
    fn order_matters(&self) -> bool {
        let Self::Object(fields) = self else { return false };
        let is_named = |event: &&str| {
            let name = format!("{event:?}");
            fields
                .iter()
                .any(|(key, value)| key == "event" && matches!(value, Self::Literal(literal) if *literal == name))
        };
        let in_items = EVENTS.into_iter().find(is_named).map(item_fields).unwrap_or_default();
        self.repeats_a_key(&ENVELOPE_FIELDS.map(String::from), &in_items)
    }

    fn write(&self, spelling: &Spelling) -> String {
        let mut text = String::new();
        self.write_to(&mut text, spelling);
        text
    }

    fn write_to(&self, text: &mut String, spelling: &Spelling) {
        let space = spelling.space;
        text.push_str(space);
        match self {
            Self::Literal(literal) => text.push_str(literal),
            Self::Array(items) => {
                text.push('[');
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "," });
                    item.write_to(text, spelling);
                }
                text.push_str(space);
                text.push(']');
            }
            Self::Object(fields) => {
                text.push('{');
                for (index, (key, value)) in fields.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { "," });
                    text.push_str(space);
                    text.push_str(&spelling.key(key));
                    text.push_str(space);
                    text.push(':');
                    value.write_to(text, spelling);
                }
                text.push_str(space);
                text.push('}');
            }
        }
        text.push_str(space);
    }
}

/// How a JSON value is written: what can differ between two texts with the same meaning.
#[derive(Debug)]
struct Spelling {
    space: &'static str,
    escaped_keys: bool,
}

impl Spelling {
    fn key(&self, key: &str) -> String {
        match key.chars().next().filter(|first| self.escaped_keys && first.is_ascii()) {
            Some(first) => format!(r#""\u{:04X}{}""#, u32::from(first), &key[1..]),
            None => format!("{key:?}"),
        }
    }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    let space = prop_oneof![3 => Just(""), 1 => select(&[" ", "\n\t", "\r\n"])];
    (space, prop::bool::weighted(0.2)).prop_map(|(space, escaped_keys)| Spelling { space, escaped_keys })
}

fn literal(literal: impl Into<String>) -> Json {
    Json::Literal(literal.into())
}

fn text() -> impl Strategy<Value = Json> {
    let piece =
        select(&["a", " ", "7", "é", "訪", "😀", "\u{7f}", r"\n", r"\\", r#"\""#, r"\/", r"\u00e9", r"\ud83d\ude00"]);
    vec(piece, 0..12).prop_map(|pieces| literal(format!("\"{}\"", pieces.concat())))
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (any::<i8>(), 0..100_u8).prop_map(|(whole, fraction)| format!("{whole}.{fraction:02}")),
        (any::<i8>(), -3..20_i8).prop_map(|(whole, exponent)| format!("{whole}e{exponent}")),
        select(&["-0", "0.0", "1E2", "1.5e+1", "18446744073709551616", "-9223372036854775809", "1e-400"])
            .prop_map(String::from),
    ]
    .prop_map(literal)
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![select(&["null", "true", "false"]).prop_map(literal), text(), number()];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Json::Array),
            vec((unknown_key(), inner), 0..4).prop_map(Json::Object),
        ]
    })
}

fn unknown_key() -> impl Strategy<Value = String> {
    let other = vec(select(&["a", "b", "é", "😀", "_"]), 0..5).prop_map(|letters| letters.concat());
    let of_the_envelope = select(&["event", "content"]).prop_map(String::from);
    prop_oneof![6 => other, 1 => select(item_fields("UNREPLIED")), 1 => of_the_envelope]
}

/// An integer in a form that is accepted, or in a form that is not.
fn integer(numbers: impl Strategy<Value = i64>) -> impl Strategy<Value = Json> {
    (numbers, 0..20_u8).prop_map(|(number, form)| match form {
        0 => literal(format!("\"{number}\"")),
        1 => literal(format!("\"00{number}\"")),
        2 => literal(format!("{number}.0")),
        3 => literal(format!("{number}.0e0")),
        4 => literal(format!("{number}e3")),
        5 => literal(format!("\"-{number}\"")),
        _ => literal(number.to_string()),
    })
}

fn status() -> impl Strategy<Value = Json> {
    let digit = (1..6_u8).prop_map(|status| literal(format!("\"{status}\"")));
    prop_oneof![4 => digit, 1 => integer(-2..6_i64), 1 => text()]
}

/// Whether the field is an unsigned integer: a number of an item that is no timestamp.
fn is_unsigned(name: &str) -> bool {
    let is_number = |event: &str| Body::of(event).value()["content"][0][name].is_number();
    name != "created_at" && EVENTS.into_iter().any(is_number)
}

/// A value for the field. It is nearly always of the right kind. A field whose type is not text, a timestamp, a status
/// or an unsigned integer needs a line here.
fn value_of(name: &str) -> BoxedStrategy<Json> {
    let value = match name {
        "created_at" => {
            integer(prop_oneof![9 => 0..2_000_000_000_i64, 1 => -400_000_000_000..400_000_000_000_i64]).boxed()
        }
        name if is_unsigned(name) => {
            integer(prop_oneof![6 => 1..1_000_i64, 3 => Just(0), 1 => -5_000_000_000..5_000_000_000_i64]).boxed()
        }
        "status" => status().boxed(),
        _ => prop_oneof![9 => text(), 1 => Just(literal("null"))].boxed(),
    };
    prop_oneof![120 => value, 1 => text(), 1 => number(), 1 => json()].boxed()
}

fn item(event: &str) -> impl Strategy<Value = Json> {
    let fields: Vec<_> = item_fields(event).into_iter().map(|name| (Just(name.clone()), value_of(&name))).collect();
    prop_oneof![30 => object(fields), 1 => json()]
}

/// An object with these fields and some unknown fields, in any order. Sometimes a field is missing or repeated.
fn object(fields: impl Strategy<Value = Vec<(String, Json)>>) -> impl Strategy<Value = Json> {
    let extra = prop_oneof![2 => Just(Vec::new()), 1 => vec((unknown_key(), json()), 1..3)];
    let missing = prop::option::weighted(0.05, any::<Index>());
    let repeated = prop::option::weighted(0.05, (any::<Index>(), prop::option::of(json())));
    let fields = (fields, extra, missing, repeated).prop_map(|(mut fields, extra, missing, repeated)| {
        if let Some(index) = missing {
            fields.remove(index.index(fields.len()));
        }
        if let Some((index, other)) = repeated {
            let (key, value) = fields[index.index(fields.len())].clone();
            fields.push((key, other.unwrap_or(value)));
        }
        fields.extend(extra);
        fields
    });
    fields.prop_shuffle().prop_map(Json::Object)
}

/// A body. About half of the bodies can be decoded.
fn body() -> impl Strategy<Value = Json> {
    let event = select([&EVENTS[..], &["UNREPLIED", EVENT_OF_TOMORROW]].concat());
    event.prop_flat_map(|event| {
        let content = vec(item(event), 0..3).prop_map(Json::Array);
        let name = prop_oneof![60 => Just(literal(format!("{event:?}"))), 1 => text(), 1 => json()];
        let content = prop_oneof![15 => content, 1 => json()];
        let fields = (value_of("created_at"), name, value_of("webhook_id"), content);
        object(fields.prop_map(|(created_at, event, webhook_id, content)| {
            let values = [created_at, event, webhook_id, content];
            ENVELOPE_FIELDS.into_iter().map(String::from).zip(values).collect()
        }))
    })
}

fn written_body() -> impl Strategy<Value = Vec<u8>> {
    (body(), spelling()).prop_map(|(body, spelling)| body.write(&spelling).into_bytes())
}

/// A body with characters added or removed at its punctuation or at its end. Some bodies are also truncated.
fn damaged_body() -> impl Strategy<Value = Vec<u8>> {
    let piece = select(&["", "0", "1", "-", ".", "e", ",", "]", "{", "\"", "\\", "x", "\u{1}", "\u{a0}"]);
    let damages = vec((prop::option::weighted(0.9, any::<Index>()), piece), 0..3);
    (written_body(), damages, prop::option::weighted(0.1, any::<Index>())).prop_map(|(mut body, damages, end)| {
        for (index, piece) in damages {
            let meets = |(place, byte): (usize, &u8)| b"{}[]:,\"".contains(byte).then_some(place);
            let places: Vec<_> = body.iter().enumerate().filter_map(meets).collect();
            match index.and_then(|index| places.get(index.index(places.len() + 1))) {
                // An empty piece removes the byte at the place. Any other piece is added behind it.
                Some(&place) if piece.is_empty() => drop(body.remove(place)),
                Some(&place) => drop(body.splice((place + 1)..=place, piece.bytes())),
                None => body.extend(piece.bytes()),
            }
        }
        if let Some(end) = end {
            body.truncate(end.index(body.len() + 1));
        }
        body
    })
}

/// Asserts that all ways accept the body and give the same payload, or that all ways refuse the body.
fn assert_ways_agree(body: &[u8]) {
    let decoded = Payload::from_slice(body);
    if let Ok(text) = str::from_utf8(body) {
        assert_eq!(text.parse(), decoded);
    }
    let payload = decoded.as_ref().ok();
    assert_eq!(serde_json::from_slice(body).as_ref().ok(), payload);

    match (Payload::from_slice_partial(body), &decoded) {
        (Ok(Partial { payload, rejected, .. }), Ok(decoded)) => {
            assert!(rejected.is_empty());
            assert_eq!(&payload, decoded);
        }
        (Ok(Partial { rejected, .. }), Err(error)) => assert_eq!(rejected[0].error.path(), error.path()),
        (Err(error), decoded) => assert_eq!(error.kind(), decoded.as_ref().unwrap_err().kind()),
    }

    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        let text = value.to_string();
        // If `serde_json` can read 1e999, its feature `arbitrary_precision` is on. Then a `Value` passes -0 as 0.
        if text.contains("-0") && "1e999".parse::<Number>().is_ok() {
            return;
        }
        match (serde_json::from_value::<Payload>(value), payload) {
            (from_value, Some(payload)) => assert_eq!(&from_value.unwrap(), payload),
            // The body has a repeated key, which a `Value` cannot have.
            (Ok(_), None) => assert!(text.parse::<Payload>().is_ok()),
            (Err(_), None) => {}
        }
    }
}

fn assert_reads_as_the_oracle_says(body: &[u8]) {
    let expected = oracle::read(body);
    let partial = Payload::from_slice_partial(body).ok().map(|Partial { payload, rejected, .. }| {
        (encode(&payload), rejected.iter().map(|item| item.index).collect::<Vec<_>>())
    });
    assert_eq!(partial, expected.as_ref().map(|reading| (reading.text.clone(), reading.rejected.clone())));

    let whole = expected.filter(|reading| reading.rejected.is_empty()).map(|reading| reading.text);
    assert_eq!(Payload::from_slice(body).ok().map(|payload| encode(&payload)), whole);
}

fn encode(payload: &Payload) -> String {
    String::from_utf8(payload.to_vec()).unwrap()
}

proptest! {
    #[test]
    fn a_body_is_read_and_written_as_the_oracle_says_or_is_an_error(body in written_body()) {
        assert_reads_as_the_oracle_says(&body);
    }

    #[test]
    fn the_order_of_the_keys_never_matters(
        body in body().prop_filter("the order matters", |body| !body.order_matters()),
        spelling in spelling(),
    ) {
        let decode = |body: Json| body.write(&spelling).parse::<Payload>();
        match (decode(body.clone()), decode(body.backwards())) {
            (Err(forwards), Err(backwards)) => {
                prop_assert_eq!(forwards.kind(), backwards.kind());
                prop_assert_eq!(forwards.event_type(), backwards.event_type());
                // A repeated field is a fault, and each of its values can be another fault.
                prop_assume!(!body.repeats_a_key(&[], &[]));
                let [one, other] = [&forwards, &backwards].map(without_position);
                if forwards.path() == backwards.path() {
                    prop_assert_eq!(one, other);
                } else {
                    // There are two faults. If one of them is repaired, the other one is left.
                    for path in [forwards.path(), backwards.path()] {
                        prop_assert!(decode(body.repaired(path)).is_err(), "{} and {}", one, other);
                    }
                }
            }
            (forwards, backwards) => prop_assert_eq!(forwards, backwards),
        }
    }

    #[test]
    fn all_ways_agree_on_every_body(body in written_body()) {
        assert_ways_agree(&body);
    }

    #[test]
    fn the_records_of_a_body_hold_every_item(body in written_body()) {
        assert_nothing_is_lost(&body);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn all_ways_agree_on_a_damaged_body(body in damaged_body()) {
        assert_ways_agree(&body);
        assert_nothing_is_lost(&body);
        assert_reads_as_the_oracle_says(&body);
    }

    #[test]
    fn arbitrary_bytes_are_an_error(bytes in vec(any::<u8>(), 0..50)) {
        // 50 bytes are too few for the four keys and their values.
        prop_assert!(Payload::from_slice(&bytes).is_err());
        assert_ways_agree(&bytes);
    }
}

/// If no body were good, or none malformed, the tests above would check little.
#[test]
fn some_bodies_can_be_decoded_and_some_cannot() {
    fn readable(bodies: impl Strategy<Value = Vec<u8>>) -> usize {
        let mut runner = TestRunner::deterministic();
        let bodies = (0..256).map(|_| bodies.new_tree(&mut runner).unwrap().current());
        bodies.filter(|body| Payload::from_slice(body).is_ok()).count()
    }
    assert!((64..192).contains(&readable(written_body())), "{}", readable(written_body()));
    assert!((8..128).contains(&readable(damaged_body())), "{}", readable(damaged_body()));
}
