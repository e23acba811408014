//! Timestamps are whole Unix seconds within the years −9999 to 9999.

use core::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use time::OffsetDateTime;
use twt_chat_webhooks::{DecodeErrorKind, Timestamp};

use crate::body::{Body, EVENTS};
use crate::entry_points::{decode, refuse, relay};

const TIMESTAMP_PATHS: [&str; 2] = ["created_at", "content[0].created_at"];

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

#[test]
fn a_timestamp_outside_the_calendar_is_an_error_that_mentions_unix_seconds() {
    let rows = [
        // Milliseconds, microseconds, nanoseconds.
        "1765439941000",
        "1765439941000000",
        "1765439941000000000",
        r#""1765439941000""#,
        "1765439941000.0",
        "253402300800",
        "-377705116801",
        r#""253402300800""#,
        r#""-377705116801""#,
        "18446744073709551615",
        "-9223372036854775808",
        "18446744073709551616",
        "1e300",
    ];
    for event in EVENTS {
        for path in TIMESTAMP_PATHS {
            for json in rows {
                for text in Body::of(event).set(path, json).both_orders() {
                    let error = refuse(&text);
                    assert_eq!((error.kind(), error.path()), (DecodeErrorKind::Data, path), "{error}");
                    assert!(error.to_string().contains("expected Unix seconds"), "{error}");
                }
            }
        }
    }
}

#[test]
fn the_first_and_the_last_second_of_the_calendar_are_read() {
    for event in EVENTS {
        for path in TIMESTAMP_PATHS {
            for seconds in ["-377705116800", "253402300799", "-1", "0"] {
                let expected = Body::of(event).set(path, seconds).value();
                for json in [seconds.to_owned(), format!("\"{seconds}\""), format!("{seconds}.0")] {
                    for text in Body::of(event).set(path, &json).both_orders() {
                        assert_eq!(relay(&text), expected, "{text}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_envelope_and_the_item_have_different_times() {
    let payload = decode(&Body::unreplied().text());
    assert_eq!(payload.created_at, at(1_765_439_941));
    assert_eq!(payload.event.contents().next().unwrap().created_at(), at(1_765_439_652));
}

#[test]
fn from_unix_accepts_every_second_of_the_calendar() {
    assert_eq!(Timestamp::MIN.unix_seconds(), -377_705_116_800);
    assert_eq!(Timestamp::MAX.unix_seconds(), 253_402_300_799);
    assert_eq!(Timestamp::UNIX_EPOCH.unix_seconds(), 0);
    assert_eq!(Timestamp::from_unix(-377_705_116_800), Ok(Timestamp::MIN));
    assert_eq!(Timestamp::from_unix(253_402_300_799), Ok(Timestamp::MAX));
    for seconds in [i64::MIN, -377_705_116_801, 253_402_300_800, i64::MAX] {
        let error = Timestamp::from_unix(seconds).unwrap_err();
        assert!(error.to_string().contains("Unix seconds"), "{error}");
    }
}

#[test]
fn a_timestamp_is_shown_as_rfc_3339_in_utc() {
    let rows = [
        (1_765_439_941, "2025-12-11T07:59:01Z"),
        (0, "1970-01-01T00:00:00Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (-62_167_219_200, "0000-01-01T00:00:00Z"),
        (-62_167_219_201, "-0001-12-31T23:59:59Z"),
        (-377_705_116_800, "-9999-01-01T00:00:00Z"),
    ];
    for (seconds, text) in rows {
        assert_eq!(at(seconds).to_string(), text);
        assert_eq!(text.parse(), Ok(at(seconds)));
    }
}

proptest! {
    #[test]
    fn the_text_of_a_timestamp_is_read_back(seconds in -377_705_116_800_i64..=253_402_300_799) {
        prop_assert_eq!(at(seconds).to_string().parse(), Ok(at(seconds)));
    }
}

#[test]
fn any_other_text_is_no_timestamp() {
    let rows = [
        "",
        "1765439941",
        "2025-12-11",
        "2025-12-11T07:59:01",
        "2025-12-11T07:59:01z",
        "2025-12-11t07:59:01Z",
        "2025-12-11 07:59:01Z",
        "2025-12-11T07:59:01.5Z",
        "2025-12-11T07:59:01+00:00",
        "2025-12-11T15:59:01+08:00",
        "2025-12-11T07:59Z",
        "2025-12-11T7:59:01Z",
        "2025-12-11T07:59:1Z",
        "2025-12-11T07:59:+1Z",
        "2025-12-11T07:59:60Z",
        "2025-12-11T24:00:00Z",
        "2025-12-11T07:59:01ZZ",
        " 2025-12-11T07:59:01Z",
        "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-00-01T00:00:00Z",
        "2025-01-00T00:00:00Z",
        "025-12-11T07:59:01Z",
        "+2025-12-11T07:59:01Z",
        "-0000-01-01T00:00:00Z",
        "--0001-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-10000-01-01T00:00:00Z",
        "99999999999999999999-01-01T00:00:00Z",
        "２025-12-11T07:59:01Z",
        "T:Z",
        "--T::Z",
    ];
    for text in rows {
        let error = text.parse::<Timestamp>().unwrap_err();
        assert_eq!(error.to_string(), "expected a time in UTC, such as 2025-12-11T07:59:01Z", "{text}");
    }
}

#[test]
fn a_timestamp_converts_from_the_time_crate_rounded_down_and_back() {
    let half_a_second = time::Duration::milliseconds(500);
    for seconds in [-377_705_116_800, -1, 0, 1_765_439_941, 253_402_300_799] {
        let date_time = OffsetDateTime::from_unix_timestamp(seconds).unwrap();
        assert_eq!(OffsetDateTime::from(at(seconds)), date_time);
        assert_eq!(Timestamp::from(date_time), at(seconds));
        assert_eq!(Timestamp::from(date_time + half_a_second), at(seconds));
    }
}

#[cfg(feature = "std")]
#[test]
fn a_timestamp_converts_from_system_time_rounded_down() {
    use std::time::SystemTime;

    let (nanosecond, almost_a_second) = (Duration::from_nanos(1), Duration::from_nanos(999_999_999));
    for seconds in [0_i64, 1, 1_765_439_941, 253_402_300_798] {
        let after = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(seconds.unsigned_abs());
        for (system_time, seconds) in [(after, seconds), (before, -seconds)] {
            assert_eq!(Timestamp::from(system_time), at(seconds));
            assert_eq!(Timestamp::from(system_time + nanosecond), at(seconds));
            assert_eq!(Timestamp::from(system_time + almost_a_second), at(seconds));
            assert_eq!(Timestamp::from(system_time - nanosecond), at(seconds - 1));
            // The crate `time` gives the same result.
            assert_eq!(Timestamp::from(system_time), Timestamp::from(OffsetDateTime::from(system_time)));
        }
    }
}

#[cfg(feature = "std")]
#[test]
fn a_system_time_outside_the_calendar_becomes_its_first_or_last_second() {
    use std::time::SystemTime;

    let (last, first) = (253_402_300_799, 377_705_116_800);
    let after = |seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).map(Timestamp::from);
    let before = |seconds| SystemTime::UNIX_EPOCH.checked_sub(Duration::from_secs(seconds)).map(Timestamp::from);
    assert_eq!(after(last), Some(Timestamp::MAX));
    assert_eq!(after(last + 1), Some(Timestamp::MAX));
    assert_eq!(before(first), Some(Timestamp::MIN));
    assert_eq!(before(first + 1), Some(Timestamp::MIN));
    // The farthest time from 1970 that `SystemTime` can hold on this machine, at a distance that is a power of two.
    let farthest = |step: fn(&SystemTime, Duration) -> Option<SystemTime>| {
        let seconds = (0..u64::BITS).rev().map(|bit| Duration::from_secs(1 << bit));
        seconds.filter_map(|seconds| step(&SystemTime::UNIX_EPOCH, seconds)).map(Timestamp::from).next()
    };
    assert_eq!(farthest(SystemTime::checked_add), Some(Timestamp::MAX));
    assert_eq!(farthest(SystemTime::checked_sub), Some(Timestamp::MIN));
}

#[test]
fn adding_and_subtracting_count_whole_seconds_and_undo_each_other() {
    let almost_a_second = Duration::from_nanos(999_999_999);
    for seconds in [-377_705_116_800, -1, 0, 1_765_439_652] {
        for more in [0, 1, 289, 86_400] {
            let duration = Duration::from_secs(more);
            let later = at(seconds + i64::try_from(more).unwrap());
            for duration in [duration, duration + almost_a_second] {
                assert_eq!(at(seconds).checked_add(duration), Some(later));
                assert_eq!(later.checked_sub(duration), Some(at(seconds)));
            }
            assert_eq!(later.duration_since(at(seconds)), Some(duration));
        }
    }
}

#[test]
fn adding_and_subtracting_stay_within_the_calendar() {
    let whole = Duration::from_secs((Timestamp::MAX - Timestamp::MIN).whole_seconds().unsigned_abs());
    let second = Duration::from_secs(1);
    assert_eq!(Timestamp::MIN.checked_add(whole), Some(Timestamp::MAX));
    assert_eq!(Timestamp::MAX.checked_sub(whole), Some(Timestamp::MIN));
    for too_long in [whole + second, Duration::from_secs(i64::MAX.unsigned_abs()), Duration::MAX] {
        assert_eq!(Timestamp::MIN.checked_add(too_long), None);
        assert_eq!(Timestamp::MAX.checked_sub(too_long), None);
        assert_eq!(Timestamp::MAX.checked_add(too_long), None);
        assert_eq!(Timestamp::MIN.checked_sub(too_long), None);
    }
    assert_eq!(Timestamp::MAX.checked_add(second), None);
    assert_eq!(Timestamp::MIN.checked_sub(second), None);
}

#[test]
fn a_difference_is_signed_and_a_negative_duration_is_none() {
    let (earlier, later) = (at(1_765_439_652), at(1_765_439_941));
    assert_eq!(later - earlier, time::Duration::seconds(289));
    assert_eq!(earlier - later, time::Duration::seconds(-289));
    assert_eq!(later.duration_since(earlier), Some(Duration::from_secs(289)));
    assert_eq!(later.duration_since(later), Some(Duration::ZERO));
    assert_eq!(earlier.duration_since(later), None);
    assert_eq!((Timestamp::MAX - Timestamp::MIN).whole_seconds(), 631_107_417_599);
    assert!(earlier < later && Timestamp::MIN < Timestamp::UNIX_EPOCH);
}

#[test]
fn a_timestamp_is_written_as_an_integer_and_read_by_the_rules_of_a_number() {
    assert_eq!(serde_json::to_string(&at(-4)).unwrap(), "-4");
    for value in [json!(4), json!("4"), json!("004"), json!(4.0)] {
        assert_eq!(serde_json::from_value::<Timestamp>(value).unwrap(), at(4));
    }
    for value in [json!(4.5), json!("4.0"), json!("+4"), json!(""), json!(null), json!(1_765_439_941_000_i64)] {
        assert!(serde_json::from_value::<Timestamp>(value).is_err());
    }
}
