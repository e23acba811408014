//! An integer is read from a number, a digit string or an integral float. Anything else in its place is an error.

use serde::de::DeserializeOwned;
use serde_json::Value;
use twt_chat_webhooks::{DecodeErrorKind, Event, Payload, UnrepliedContent};

use crate::body::{Body, EVENT_OF_TOMORROW, NUMBERS};
use crate::entry_points::{decode, error_of, refuse, relay};

const UNSIGNED_PATHS: [&str; 2] = ["content[0].push_times", "content[0].time_sec"];
const TIMESTAMP_PATHS: [&str; 2] = ["created_at", "content[0].created_at"];

#[track_caller]
fn reads_as(path: &str, json: &str, integer: &str) {
    let expected = Body::unreplied().set(path, integer).value();
    for text in Body::unreplied().set(path, json).both_orders() {
        assert_eq!(relay(&text), expected, "{json} at {path}");
    }
}

#[track_caller]
fn is_refused(path: &str, json: &str) {
    for text in Body::unreplied().set(path, json).both_orders() {
        let error = refuse(&text);
        assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{json}: {error}");
    }
}

#[test]
fn a_number_a_digit_string_and_an_integral_float_are_the_integer() {
    let rows = [
        ("4", "4"),
        (r#""4""#, "4"),
        (r#""004""#, "4"),
        (r#""00000000000000000000000000000000000000000000000000004""#, "4"),
        (r#""\u0034""#, "4"),
        ("4.0", "4"),
        ("289.0", "289"),
        ("4.000000000000000000000000", "4"),
        ("4e0", "4"),
        ("0.4e1", "4"),
        ("400E-2", "4"),
        ("1e2", "100"),
        ("1E+2", "100"),
        ("0", "0"),
        (r#""0""#, "0"),
        (r#""000""#, "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ("0e9", "0"),
        ("4294967295", "4294967295"),
        (r#""4294967295""#, "4294967295"),
        ("4294967295.0", "4294967295"),
    ];
    for path in NUMBERS {
        for (json, integer) in rows {
            reads_as(path, json, integer);
        }
    }
}

#[test]
fn anything_else_in_place_of_a_number_is_an_error() {
    let rows = [
        "4.5",
        "1e-1",
        "-0.5",
        "true",
        "false",
        "null",
        "[]",
        "[4]",
        "{}",
        r#"{"4":4}"#,
        r#""four""#,
        r#""""#,
        r#""+4""#,
        r#"" 4""#,
        r#""4 ""#,
        r#""4\n""#,
        r#""-""#,
        r#""--4""#,
        r#""4-""#,
        r#""4.0""#,
        r#""4e0""#,
        r#""0x4""#,
        r#""4_0""#,
        r#""4,000""#,
        r#""4\u0000""#,
        r#""٤""#,
        r#""４""#,
        r#""−4""#,
        r#""null""#,
        r#""inf""#,
        r#""NaN""#,
    ];
    for path in NUMBERS {
        for json in rows {
            is_refused(path, json);
        }
    }
}

#[test]
fn a_missing_number_is_an_error() {
    for path in NUMBERS {
        for text in Body::unreplied().without(path).both_orders() {
            let error = refuse(&text);
            assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{error}");
        }
    }
}

#[test]
fn only_a_timestamp_may_be_negative() {
    let rows =
        [("-4", "-4"), (r#""-4""#, "-4"), (r#""-004""#, "-4"), (r#""-0""#, "0"), ("-4.0", "-4"), ("-4e2", "-400")];
    for (json, integer) in rows {
        for path in TIMESTAMP_PATHS {
            reads_as(path, json, integer);
        }
        for path in UNSIGNED_PATHS {
            is_refused(path, json);
        }
    }
}

#[test]
fn numbers_beyond_64_bits_are_errors() {
    let rows = [
        "18446744073709551616",
        "-9223372036854775809",
        "18446744073709551616.0",
        "340282366920938463463374607431768211456",
        "-340282366920938463463374607431768211456",
        "1e300",
        "-1E300",
        r#""18446744073709551616""#,
        r#""-9223372036854775809""#,
        r#""340282366920938463463374607431768211456""#,
        r#""99999999999999999999999999999999999999999999999999""#,
    ];
    for path in NUMBERS {
        for json in rows {
            is_refused(path, json);
        }
    }
}

/// The kind of the error depends on `arbitrary_precision`: without this feature, `serde_json` itself refuses the
/// number.
#[test]
fn numbers_beyond_f64_are_errors() {
    for path in NUMBERS {
        for json in ["1E400", "-1E400", "1e99999999999999999999"] {
            for text in Body::unreplied().set(path, json).both_orders() {
                error_of(&text);
            }
        }
    }
}

#[test]
fn push_times_is_32_bits_wide() {
    for json in ["4294967296", "4294967296.0", r#""4294967296""#, "18446744073709551615"] {
        is_refused("content[0].push_times", json);
    }
}

#[test]
fn time_sec_is_64_bits_wide_and_exact() {
    for json in ["18446744073709551615", r#""18446744073709551615""#, r#""00018446744073709551615""#] {
        reads_as("content[0].time_sec", json, "18446744073709551615");
    }
    for json in ["9007199254740993", r#""9007199254740993""#] {
        reads_as("content[0].time_sec", json, "9007199254740993");
    }
}

/// `serde_json` may round a float to a neighbour. Beyond 2^48, the integer would be a guess.
#[test]
fn a_float_beyond_2_to_the_48_is_out_of_range() {
    reads_as("content[0].time_sec", "281474976710656.0", "281474976710656");
    is_refused("content[0].time_sec", "281474976710657.0");
}

#[test]
fn the_decoded_fields_hold_the_integers() {
    let body = Body::unreplied().set("content[0].push_times", r#""3""#).set("content[0].time_sec", "300.0");
    let Event::Unreplied(messages) = decode(&body.text()).event else { panic!("the event should be UNREPLIED") };
    let [UnrepliedContent { push_times: 3, time_sec: 300, .. }] = messages.as_slice() else { panic!("{messages:?}") };
}

/// Without `float_roundtrip` and `arbitrary_precision`, `serde_json` can be wrong by two units in the last place of
/// a long float. An integral float must be recognized anyway.
#[test]
fn an_integral_float_is_recognized_with_any_features_of_serde_json() {
    for integer in [253_402_300_799_i64, 253_402_300_797, 250_000_000_003, 199_999_999_999, 137_438_953_471] {
        for zeros in 1..12 {
            let text = Body::unreplied().set("created_at", &format!("{integer}.{:0<zeros$}", "")).text();
            let sent = Payload::from_slice(text.as_bytes()).map(|payload| payload.created_at.unix_seconds());
            assert_eq!(sent, Ok(integer), "{zeros} zeros");
        }
    }
}

/// JSON numbers with `count` digits: with and without a sign, a point at each place, and exponents.
fn numbers_of(count: usize) -> Vec<String> {
    let digits = [
        "3141592653589793238462643383279502884197",
        "9007199254740993900719925474099390071992",
        "9999999999999999999999999999999999999999",
        "1000000000000000000000000000000000000000",
        "1844674407370955161592233720368547758093",
    ];
    let mut numbers = vec![format!("0.{:0<count$}", "")];
    for (index, digits) in digits.map(|digits| &digits[..count]).into_iter().enumerate() {
        numbers.extend([digits.into(), format!("0.{digits}"), format!("{digits}e-300")]);
        if index == 0 {
            numbers.extend((1..count).map(|point| format!("{}.{}", &digits[..point], &digits[point..])));
            numbers.extend(["e0", "E2", "e+22", "E-23", "e-05"].map(|exponent| format!("{digits}{exponent}")));
            numbers.extend((1..count).map(|point| format!("{}.{}E-6", &digits[..point], &digits[point..])));
        }
    }
    numbers.extend(["0", "0e1", "0.0E-1"].map(String::from));
    numbers.iter().flat_map(|number| [number.clone(), format!("-{number}")]).collect()
}

/// Decodes the body in the ways that read JSON text.
fn decode_text(body: &str) -> [Payload; 3] {
    let partial = Payload::from_slice_partial(body.as_bytes()).unwrap();
    assert_eq!(partial.rejected, []);
    [Payload::from_slice(body.as_bytes()).unwrap(), body.parse().unwrap(), partial.payload]
}

fn from_value<T: DeserializeOwned>(body: &str) -> T {
    serde_json::from_value(serde_json::from_str(body).unwrap()).unwrap()
}

/// Compares the unknown numbers of the envelope and of the item, or of the content of an unknown event, with what
/// `value` makes of their text.
#[track_caller]
fn assert_holds(payload: &Payload, numbers: &[(String, String)], value: fn(&str) -> Value) {
    let places = match payload.event.as_unknown() {
        Some(event) => vec![event.content().as_object().unwrap()],
        None => vec![payload.extra(), payload.event.contents().next().unwrap().extra()],
    };
    for held in places {
        assert_eq!(held.len(), numbers.len());
        for (key, number) in numbers {
            let value = value(number);
            assert_eq!(held[key], value, "{number}");
            assert_eq!(held[key].to_string(), value.to_string(), "{number}");
        }
    }
}

#[test]
fn an_unknown_number_of_up_to_40_digits_is_held_and_written_as_value_does() {
    let parse: fn(&str) -> Value = |json| serde_json::from_str(json).unwrap();
    let keeps_digits = "1e999".parse::<serde_json::Number>().is_ok();
    for count in 1..=40 {
        let numbers: Vec<_> = (0..).map(|index| format!("number {index:04}")).zip(numbers_of(count)).collect();
        if keeps_digits {
            // With `arbitrary_precision`, `serde_json` writes an exponent as `e`, a sign and the digits.
            for (_, number) in numbers.iter().filter(|(_, number)| !number.contains(['e', 'E'])) {
                let written = parse(number).to_string();
                assert_eq!(&written, number);
            }
        }
        for body in [with_unknown_fields, with_unknown_content] {
            let written = |value: fn(&str) -> Value| {
                let numbers: Vec<_> =
                    numbers.iter().map(|(key, number)| (key.clone(), value(number).to_string())).collect();
                body(&numbers).text()
            };
            let sent = body(&numbers);
            for payload in decode_text(&sent.text()) {
                assert_holds(&payload, &numbers, parse);
                assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), written(parse));
            }
            for payload in decode_text(&sent.backwards()) {
                assert_holds(&payload, &numbers, parse);
            }

            // A `Value` itself changes some numbers when it is read from another `Value`, -0 for example.
            let payload: Payload = from_value(&sent.text());
            assert_holds(&payload, &numbers, from_value);
            assert_eq!(String::from_utf8(payload.to_vec()).unwrap(), written(from_value));
        }
    }
}

fn with_unknown_fields(numbers: &[(String, String)]) -> Body {
    numbers
        .iter()
        .fold(Body::unreplied(), |body, (key, number)| body.add(key, number).add(&format!("content[0].{key}"), number))
}

fn with_unknown_content(numbers: &[(String, String)]) -> Body {
    let fields: Vec<_> = numbers.iter().map(|(key, number)| format!("\"{key}\":{number}")).collect();
    Body::of(EVENT_OF_TOMORROW).set("content", &format!("{{{}}}", fields.join(",")))
}
