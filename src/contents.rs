//! The items of an event, as an iterator of [`Content`].

use core::ops::Range;

use crate::content::Content;
use crate::documented::documented;
use crate::event::Event;

impl Event {
    /// The items of a documented event, as [`Content`].
    ///
    /// The iterator is empty for an unknown event. Use [`as_unknown`](Self::as_unknown) to get its content.
    ///
    /// ```
    /// use twt_chat_webhooks::fixtures;
    ///
    /// let event = fixtures::unreplied().event;
    /// assert_eq!(event.contents().len(), 1);
    /// let last = event.contents().next_back().map(|item| item.created_at());
    /// assert_eq!(last.map(|at| at.unix_seconds()), Some(1_765_439_652));
    /// ```
    #[must_use]
    pub fn contents(&self) -> impl ExactSizeIterator<Item = &dyn Content> + DoubleEndedIterator {
        Contents { event: self, left: 0..self.item_count() }
    }
}

/// The iterator of [`Event::contents`].
struct Contents<'a> {
    event: &'a Event,
    /// The indices of the items that are left.
    left: Range<usize>,
}

impl<'a> Iterator for Contents<'a> {
    type Item = &'a dyn Content;

    fn next(&mut self) -> Option<Self::Item> {
        self.event.item(self.left.next()?)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }

    fn count(self) -> usize {
        self.left.len()
    }
}

impl DoubleEndedIterator for Contents<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.event.item(self.left.next_back()?)
    }
}

impl ExactSizeIterator for Contents<'_> {}

macro_rules! items {
    ($($NAME:ident $Variant:ident $Content:ident $name:ident $as_name:ident,)*) => {
        impl Event {
            fn item(&self, index: usize) -> Option<&dyn Content> {
                Some(match self {
                    $(Self::$Variant(items) => items.get(index)?,)*
                    Self::Unknown(_) => return None,
                })
            }

            fn item_count(&self) -> usize {
                match self {
                    $(Self::$Variant(items) => items.len(),)*
                    Self::Unknown(_) => 0,
                }
            }
        }
    };
}

documented! { items }
