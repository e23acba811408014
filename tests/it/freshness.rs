//! A payload is fresh if its age is within the tolerance. This holds for every time and every tolerance.

use core::time::Duration;

use twt_chat_webhooks::{FreshnessError, Payload, Timestamp, fixtures};

const LESS_THAN_A_SECOND: Duration = Duration::from_nanos(999_999_999);
const MORE_THAN_A_SECOND: Duration = Duration::from_nanos(1_000_000_001);

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_unix(unix_seconds).unwrap()
}

fn sent(created_at: Timestamp) -> Payload {
    let mut payload = fixtures::unreplied();
    payload.created_at = created_at;
    payload
}

#[test]
fn the_tolerance_is_inclusive_in_both_directions() {
    let payload = sent(at(1_000));
    let tolerance = Duration::from_secs(300);
    for now in [700, 701, 999, 1_000, 1_001, 1_299, 1_300] {
        assert_eq!(payload.check_freshness(at(now), tolerance), Ok(()), "at {now}");
    }
    let too_much = Duration::from_secs(301);
    assert_eq!(payload.check_freshness(at(1_301), tolerance), Err(FreshnessError::Stale { age: too_much }));
    assert_eq!(payload.check_freshness(at(699), tolerance), Err(FreshnessError::FromTheFuture { ahead: too_much }));
}

#[test]
fn without_tolerance_only_the_same_second_is_fresh() {
    let payload = sent(at(1_000));
    let second = Duration::from_secs(1);
    assert_eq!(payload.check_freshness(at(1_000), Duration::ZERO), Ok(()));
    assert_eq!(payload.check_freshness(at(1_001), Duration::ZERO), Err(FreshnessError::Stale { age: second }));
    assert_eq!(payload.check_freshness(at(999), Duration::ZERO), Err(FreshnessError::FromTheFuture { ahead: second }));
}

#[test]
fn a_fraction_of_a_second_in_the_tolerance_counts() {
    let payload = sent(at(1_000));
    let second = Duration::from_secs(1);
    for (now, error) in
        [(at(1_001), FreshnessError::Stale { age: second }), (at(999), FreshnessError::FromTheFuture { ahead: second })]
    {
        assert_eq!(payload.check_freshness(now, LESS_THAN_A_SECOND), Err(error));
        assert_eq!(payload.check_freshness(now, second), Ok(()));
        assert_eq!(payload.check_freshness(now, MORE_THAN_A_SECOND), Ok(()));
    }
}

#[test]
fn the_whole_range_of_time_is_631_107_417_599_seconds() {
    let range = Duration::from_secs(631_107_417_599);
    let less = Duration::new(631_107_417_598, 999_999_999);
    let oldest = sent(Timestamp::MIN);
    assert_eq!(oldest.check_freshness(Timestamp::MAX, range), Ok(()));
    assert_eq!(oldest.check_freshness(Timestamp::MAX, less), Err(FreshnessError::Stale { age: range }),);
    let newest = sent(Timestamp::MAX);
    assert_eq!(newest.check_freshness(Timestamp::MIN, range), Ok(()));
    assert_eq!(newest.check_freshness(Timestamp::MIN, less), Err(FreshnessError::FromTheFuture { ahead: range }),);
}

/// Compares with plain arithmetic in nanoseconds, for which `i128` is large enough.
#[test]
fn nothing_overflows_between_any_two_times() {
    let (min, max) = (Timestamp::MIN.unix_seconds(), Timestamp::MAX.unix_seconds());
    let times = [min, min + 1, -1, 0, 1, max - 1, max];
    let tolerances = [
        Duration::ZERO,
        Duration::from_nanos(1),
        LESS_THAN_A_SECOND,
        Duration::from_secs(1),
        MORE_THAN_A_SECOND,
        Duration::from_secs(max.unsigned_abs()),
        Duration::from_secs(min.unsigned_abs()),
        Duration::MAX,
    ];
    for created in times {
        for now in times {
            for tolerance in tolerances {
                let age = i128::from(now - created) * 1_000_000_000;
                let apart = Duration::from_secs(now.abs_diff(created));
                let expected = if age.unsigned_abs() <= tolerance.as_nanos() {
                    Ok(())
                } else if age > 0 {
                    Err(FreshnessError::Stale { age: apart })
                } else {
                    Err(FreshnessError::FromTheFuture { ahead: apart })
                };
                let checked = sent(at(created)).check_freshness(at(now), tolerance);
                assert_eq!(checked, expected, "sent {created}, checked {now}, tolerance {tolerance:?}");
            }
        }
    }
}

#[test]
fn the_error_says_by_how_much() {
    let age = Duration::from_secs(301);
    assert_eq!(FreshnessError::Stale { age }.to_string(), "sent 301 s ago, which is too long");
    assert_eq!(FreshnessError::FromTheFuture { ahead: age }.to_string(), "sent 301 s in the future");
}
