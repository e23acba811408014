//! Until when a row waits, and why. Operators see this in `receiver list` and on their page.

use std::fmt;

use twt_chat_webhooks::Timestamp;

/// What a row waits for.
pub struct Wait {
    /// The row is not taken before this time, such as `2026-01-31T23:59:59Z`. It can be in the past.
    pub until: String,
    pub reason: &'static str,
    /// Whether the wait ends at `until`.
    is_known: bool,
}

/// Writes the time only if `is_known`.
impl fmt::Display for Wait {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_known {
            write!(formatter, "until {}: ", self.until)?;
        }
        formatter.write_str(self.reason)
    }
}

/// What a store knows about a row that waits. All times are Unix milliseconds on the clock of the database.
pub(super) struct Times {
    pub now: i64,
    /// When the pause after an attempt of this row ends.
    pub due_at: i64,
    /// When the channel may get its next message. `None` for the work, and for a channel that has no row in the table
    /// `channel`.
    pub next_at: Option<i64>,
    /// Whether the channel asked for the pause up to `next_at`.
    pub asked: bool,
    /// Whether a message to the channel is under way.
    pub held: bool,
    /// Whether a receiver runs that takes such rows.
    pub served: bool,
}

impl Times {
    /// What a row in this state waits for. The channel is empty for the work.
    pub fn wait(self, state: &str, channel: &str) -> Option<Wait> {
        let Self { now, due_at, next_at, asked, held, served } = self;
        if state != "waiting" {
            return None;
        }
        let next_at = next_at.unwrap_or(due_at);
        let end = if next_at > now { next_at.max(due_at) } else { due_at };
        let reason = if !served {
            if channel.is_empty() { "no receiver runs" } else { "no receiver that runs has this channel set" }
        } else if due_at > now && due_at >= next_at {
            "an attempt failed"
        } else if next_at > now && asked {
            "the channel asked for a pause"
        } else if next_at > now || held {
            "the pace of the channel"
        } else {
            "its turn"
        };
        // The time is rounded up, so that the wait is over at the time that is shown.
        let seconds = end.div_euclid(1000) + i64::from(end.rem_euclid(1000) > 0);
        let until = Timestamp::from_unix(seconds).ok()?.to_string();
        Some(Wait { until, reason, is_known: served && end > now })
    }
}

#[cfg(test)]
mod tests {
    use super::Times;

    #[test]
    fn the_time_is_rounded_up_and_a_time_that_has_come_is_over() {
        let (failed, pause) = ("an attempt failed", "the channel asked for a pause");
        let (pace, turn) = ("the pace of the channel", "its turn");
        // Now is second 5.
        for (due_at, next_at, asked, held, second, reason, is_known) in [
            (5_001, None, false, false, 6, failed, true),
            (6_000, None, false, false, 6, failed, true),
            (5_000, None, false, false, 5, turn, false),
            (1_000, Some(5_000), true, false, 1, turn, false),
            (1_000, Some(5_001), true, false, 6, pause, true),
            (1_000, Some(5_001), false, false, 6, pace, true),
            (1_000, Some(1_000), false, true, 1, pace, false),
        ] {
            let times = Times { now: 5_000, due_at, next_at, asked, held, served: true };
            let wait = times.wait("waiting", "slack").unwrap();
            let expected = (format!("1970-01-01T00:00:0{second}Z"), reason, is_known);
            assert_eq!((wait.until, wait.reason, wait.is_known), expected, "{due_at} {next_at:?}");
        }
    }
}
