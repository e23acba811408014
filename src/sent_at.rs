//! [`Payload::sent_at`] moves a payload to another time. With this method, a test can send an old fixture as a new
//! request.

use crate::documented::documented;
use crate::event::Event;
use crate::item::{Item, ValueMut};
use crate::payload::Payload;
use crate::timestamp::Timestamp;

impl Payload {
    /// Changes the `created_at` of the envelope to the given time, and moves the times of each item by the same amount.
    ///
    /// A time that would be out of the range of [`Timestamp`] becomes [`Timestamp::MIN`] or [`Timestamp::MAX`].
    ///
    /// The method does not change `time_sec`, which is a duration. It does not change unknown fields or the content of
    /// an unknown event either, because nobody can tell which of their numbers are times.
    ///
    /// ```
    /// use core::time::Duration;
    /// use twt_chat_webhooks::{Timestamp, fixtures};
    ///
    /// let now = Timestamp::from_unix(1_800_000_000)?; // Timestamp::from(SystemTime::now())
    /// let fresh = fixtures::unreplied().sent_at(now);
    /// assert_eq!(fresh.check_freshness(now, Duration::ZERO), Ok(()));
    ///
    /// let message = &fresh.event.as_unreplied().unwrap()[0];
    /// assert_eq!((now - message.created_at).whole_seconds(), 289);
    /// # Ok::<(), twt_chat_webhooks::TimestampError>(())
    /// ```
    #[must_use]
    pub fn sent_at(mut self, created_at: Timestamp) -> Self {
        let seconds = created_at.unix_seconds() - self.created_at.unix_seconds();
        self.created_at = created_at;
        move_times(&mut self.event, seconds);
        self
    }
}

macro_rules! move_times {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        /// Moves all times of all items. This is a no-op for an unknown event.
        fn move_times(event: &mut Event, seconds: i64) {
            match event {
                $(Event::$Variant(items) => items.iter_mut().for_each(|item| move_times_of(item, seconds)),)*
                Event::Unknown(_) => {}
            }
        }
    };
}

documented! { move_times }

fn move_times_of(item: &mut impl Item, seconds: i64) {
    item.each_value(|_, _, value| {
        if let ValueMut::Timestamp(time) = value {
            *time = Timestamp::saturating_from_unix(time.unix_seconds() + seconds);
        }
    });
}
