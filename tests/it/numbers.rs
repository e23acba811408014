//! An integer is read from a number, a digit string or an integral float. Anything else in its place is an error.

use twt_chat_webhooks::{DecodeErrorKind, Event, Payload, UnrepliedContent};

use crate::body::{Body, NUMBERS};
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
