//! # Old requests
//!
//! A signature does not expire, and only the `created_at` of the body says when a request was sent. So an attacker who
//! has captured a request can replay it later. Two checks together stop this:
//!
//! - Store the [key](crate::ItemKey) of each item that you handle, and skip an item whose key is stored.
//! - Use [`check_freshness`](crate::Payload::check_freshness) to find a payload that is older than your oldest stored
//!   key:
//!
#![cfg_attr(feature = "std", doc = "```")]
#![cfg_attr(not(feature = "std"), doc = "```text")]
//! use std::time::{Duration, SystemTime};
//! use twt_chat_webhooks::{Payload, Timestamp, fixtures};
//!
//! /// Keep item keys at least this long.
//! const TOLERANCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
//!
//! fn is_fresh(payload: &Payload) -> bool {
//!     let now = Timestamp::from(SystemTime::now());
//!     payload.check_freshness(now, TOLERANCE).is_ok()
//! }
//!
//! let now = Timestamp::from(SystemTime::now());
//! assert!(is_fresh(&fixtures::unreplied().sent_at(now)));
//! ```
//!
//! - **Tolerance.** The platform does not document how long it retries a delivery, or whether a retry has a new
//!   `created_at`. Choose a tolerance that is longer than any outage of your receiver. With a tolerance of minutes, the
//!   retries that arrive after an outage can be stale.
//! - **Answer.** Answer 200 to a stale payload and keep its body, but do not handle it. The signature is right, so the
//!   platform has written the body. After an error, the platform may retry, and the body is then even older.
//! - **Clocks.** [`FromTheFuture`](crate::FreshnessError::FromTheFuture) means that a clock is wrong, most likely your
//!   own. Keep the body in this case too, and check the clock. If your clock is behind the clock of the platform, keep
//!   the item keys longer by the difference of the two clocks.
