//! CBOR keeps the same promises as JSON, also for values that JSON does not have.

use ciborium::Value as Cbor;
use serde_json::Value;
use twt_chat_webhooks::Payload;

use crate::body::{Body, EVENT_OF_TOMORROW, EVENTS, NUMBERS, every_path};
use crate::entry_points::to_cbor;

fn decode(body: &Cbor) -> Result<Payload, String> {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    ciborium::from_reader(bytes.as_slice()).map_err(|error| error.to_string())
}

/// The body in both orders, with `value` at the path.
fn with(event: &str, path: &str, value: &Cbor) -> [Cbor; 2] {
    let marked = Body::of(event).set(path, r#""here""#);
    marked.both_orders().map(|text| replace(to_cbor(&text), value))
}

fn replace(within: Cbor, by: &Cbor) -> Cbor {
    let each = |value| replace(value, by);
    match within {
        Cbor::Text(text) if text == "here" => by.clone(),
        Cbor::Array(items) => Cbor::Array(items.into_iter().map(each).collect()),
        Cbor::Map(fields) => Cbor::Map(fields.into_iter().map(|(key, value)| (each(key), each(value))).collect()),
        value => value,
    }
}

fn tagged(tag: u64, value: Cbor) -> Cbor {
    Cbor::Tag(tag, Box::new(value))
}

/// Values that JSON does not have, or that a `Value` cannot hold.
fn foreign() -> Vec<Cbor> {
    vec![
        Cbor::Bytes(b"4".to_vec()),
        Cbor::Bytes(Vec::new()),
        Cbor::Bytes(vec![b'4'; 10_000]),
        tagged(0, Cbor::Text("2025-12-11T07:59:01Z".into())),
        tagged(1, Cbor::Integer(4.into())),
        tagged(2, Cbor::Bytes(vec![0xff; 9])),
        tagged(2, Cbor::Bytes(vec![0xff; 16])),
        tagged(3, Cbor::Bytes(vec![0xff; 16])),
        tagged(2, Cbor::Bytes(vec![0xff; 17])),
        Cbor::Integer((-1_i128 - i128::from(u64::MAX)).try_into().unwrap()),
        Cbor::Float(f64::NAN),
        Cbor::Float(f64::INFINITY),
        Cbor::Float(f64::NEG_INFINITY),
        Cbor::Map(vec![(Cbor::Integer(4.into()), Cbor::Null)]),
        Cbor::Map(vec![(Cbor::Null, Cbor::Null)]),
    ]
}

#[test]
fn a_value_that_json_lacks_is_an_error_in_a_documented_field() {
    for event in EVENTS {
        for path in every_path(event) {
            for value in foreign() {
                for body in with(event, &path, &value) {
                    let error = decode(&body).expect_err(&path);
                    assert!(!error.contains("2025-12-11") && !error.contains("18446744073709551616"), "{error}");
                }
            }
        }
    }
}

#[test]
fn the_error_for_a_value_that_json_lacks_names_the_field_and_what_was_found() {
    for (path, expected) in [("created_at", "Unix seconds"), ("content[0].push_times", "an unsigned integer")] {
        for (value, found) in [
            (tagged(1, Cbor::Integer(4.into())), "a tagged value"),
            (tagged(0, Cbor::Map(Vec::new())), "a tagged value"),
            (Cbor::Bytes(b"4".to_vec()), "bytes"),
            (tagged(2, Cbor::Bytes(vec![0xff; 9])), "a number out of range"),
        ] {
            for body in with("UNREPLIED", path, &value) {
                let error = decode(&body).unwrap_err();
                assert!(error.contains(&format!("UNREPLIED {path}: expected {expected}, found {found}")), "{error}");
            }
        }
    }
}

#[test]
fn a_bignum_that_fits_is_read_as_an_integer() {
    for path in NUMBERS {
        for body in with("UNREPLIED", path, &tagged(2, Cbor::Bytes(vec![0, 0, 4]))) {
            let payload = decode(&body).unwrap();
            assert_eq!(serde_json::to_value(&payload).unwrap(), Body::unreplied().set(path, "4").value());
        }
    }
    for body in with("UNREPLIED", "content[0].created_at", &tagged(3, Cbor::Bytes(vec![4]))) {
        assert_eq!(decode(&body).unwrap().event.contents().next().unwrap().created_at().unix_seconds(), -5);
    }
}

#[test]
fn undefined_is_read_as_none() {
    // The byte 0xf7 means `undefined`. `ciborium` can read it, but cannot write it.
    let mut bytes = Vec::new();
    ciborium::into_writer(&with("UNREPLIED", "content[0].sbs", &Cbor::Text("undefined".into()))[0], &mut bytes)
        .unwrap();
    let text = b"\x69undefined";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    bytes.splice(at..at + text.len(), [0xf7]);
    let payload: Payload = ciborium::from_reader(bytes.as_slice()).unwrap();
    assert_eq!(serde_json::to_value(&payload).unwrap(), Body::unreplied().value());
}

#[test]
fn floats_of_every_width_are_read() {
    for (json, bytes) in
        [("4", &b"\xf9\x44\x00"[..]), ("4", b"\xfa\x40\x80\x00\x00"), ("4", b"\xfb\x40\x10\x00\x00\x00\x00\x00\x00")]
    {
        let value: Cbor = ciborium::from_reader(bytes).unwrap();
        for body in with("UNREPLIED", "content[0].push_times", &value) {
            let expected = Body::unreplied().set("content[0].push_times", json).value();
            assert_eq!(serde_json::to_value(decode(&body).unwrap()).unwrap(), expected);
        }
    }
}

#[test]
fn a_key_that_is_not_text_is_an_error() {
    #[track_caller]
    fn is_refused(body: &Cbor) {
        let error = decode(body).unwrap_err();
        assert!(error.contains("expected a string as key, found"), "{error}");
    }

    for key in
        [Cbor::Integer(4.into()), Cbor::Bytes(b"sbs".to_vec()), Cbor::Null, Cbor::Bool(true), Cbor::Array(vec![])]
    {
        let mut top = to_cbor(&Body::unreplied().text());
        top.as_map_mut().unwrap().push((key.clone(), Cbor::Null));
        is_refused(&top);

        for text in Body::unreplied().both_orders() {
            let item = to_cbor(&text).into_map().unwrap().into_iter().map(|(name, value)| match value {
                Cbor::Array(mut items) => {
                    items[0].as_map_mut().unwrap().push((key.clone(), Cbor::Null));
                    (name, Cbor::Array(items))
                }
                value => (name, value),
            });
            is_refused(&Cbor::Map(item.collect()));
        }
    }
}

/// The crate keeps what `Value` itself reads. If `Value` cannot read it, decoding is an error.
#[test]
fn unknown_data_that_json_lacks_is_kept_as_value_keeps_it_or_refused() {
    let places = [("UNREPLIED", "trace"), ("UNREPLIED", "content[0].trace"), (EVENT_OF_TOMORROW, "content")];
    for (event, path) in places {
        for value in foreign() {
            let mut bytes = Vec::new();
            ciborium::into_writer(&value, &mut bytes).unwrap();
            let kept = ciborium::from_reader::<Value, _>(bytes.as_slice()).ok();
            for body in with(event, path, &value) {
                let payload = decode(&body).ok().map(|payload| serde_json::to_value(&payload).unwrap());
                let found = payload.as_ref().map(|payload| match path {
                    "content[0].trace" => &payload["content"][0]["trace"],
                    _ => &payload[path],
                });
                assert_eq!(found, kept.as_ref(), "{path}: {value:?}");
            }
        }
    }
}

#[test]
fn cbor_is_written_with_the_same_fields_as_json() {
    for event in EVENTS {
        let text = Body::of(event).add("trace", r#"["text"]"#).add("content[0].trace", "{}").text();
        let payload: Payload = text.parse().unwrap();
        let mut bytes = Vec::new();
        ciborium::into_writer(&payload, &mut bytes).unwrap();
        let written: Cbor = ciborium::from_reader(bytes.as_slice()).unwrap();
        assert_eq!(written, to_cbor(&text));
        assert_eq!(ciborium::from_reader::<Payload, _>(bytes.as_slice()).unwrap(), payload);
    }
}

#[test]
fn deeply_nested_or_truncated_cbor_is_an_error() {
    assert!(ciborium::from_reader::<Payload, _>(vec![0x81; 100_000].as_slice()).is_err());
    let mut bytes = Vec::new();
    ciborium::into_writer(&to_cbor(&Body::unreplied().backwards()), &mut bytes).unwrap();
    for end in 0..bytes.len() {
        assert!(ciborium::from_reader::<Payload, _>(&bytes[..end]).is_err());
    }
}
