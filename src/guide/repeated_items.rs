//! # Repeated items
//!
//! The platform retries a delivery that is not answered with 200 in time, so a handler can receive an item twice. Each
//! item has an [idempotency key](crate::ItemKey). The key is the same each time the item is delivered, and other items
//! have other keys. (There is one exception: if all parts below are equal, two items have the same key. This happens
//! if a visitor writes the same text twice within a second.) Store the key of each item that you handle, and skip an
//! item whose key is stored. The handlers in [A durable handler](super::handler) do this with the key of each
//! [`Record`](crate::Record).
//!
//! ## What the key contains
//!
//! The keys of all documented events have these parts:
//!
//! - The name of the event. A visitor can fill in both forms in the same second.
//! - The `created_at` of the item. A visitor can write the same message again later.
//! - `push_times`, or 0 for a form. Each push of an unanswered message counts as a new item.
//! - `property_name` and `visitor_name`. Visitors of two projects can have the same name.
//! - `message_content`. A visitor can write two different messages in the same second.
//!
//! `Eq`, `Ord` and `Hash` of a key use these parts in this order. They use the whole message, not its hash.
//!
//! The other fields of an item are not in the key, because they may change between a delivery and its retry: `status`,
//! `subject`, `assigned_agent_nickname`, `visitor_nickname`, `sbs` and `time_sec`.
//!
//! The fields `webhook_id` and `created_at` of the envelope are not in the key either. The platform does not say
//! whether `webhook_id` names the endpoint or the delivery, or whether a retry has a new `created_at`.
//!
//! ## Storing keys
//!
//! In a database, store the keys in a unique column. In SQLite and PostgreSQL:
//!
//! ```sql
//! CREATE TABLE handled (item_key VARCHAR(1024) PRIMARY KEY);
//! INSERT INTO handled (item_key) VALUES ($1) ON CONFLICT DO NOTHING;
//! ```
//!
//! If the `INSERT` adds no row, the item was delivered before. Store the item in the same transaction as its key: if
//! storing fails, the key is rolled back too, and the retry is not skipped.
//!
//! The column must compare byte by byte. With a collation that ignores case, the keys of `visitor15` and `Visitor15`
//! would be equal. MySQL and MariaDB have such a default: there, use `VARBINARY(1024)` and `INSERT IGNORE`.
//!
//! ## Items without a key
//!
//! The items of an unknown event have no key, because their fields are unknown. An item that was
//! [rejected](crate::Rejected) and a body that cannot be decoded have no key either. A [`Delivery`](crate::Delivery)
//! makes a [`Record`](crate::Record) of an unknown event, of a rejected item, and of such a body. The key of this
//! record is a hash, which never equals the text of an item's key.
