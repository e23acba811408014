//! # Storing
//!
//! How to store deliveries: the columns, what databases refuse, and how to bind each value.
//!
//! Store [`Delivery::records`](crate::Delivery::records) before you answer. Each [`Record`](crate::Record) is one row,
//! and its key makes a repeated row harmless. **Store the body as bytes and answer 200.** Then no text of a visitor can
//! make the `INSERT` fail. An `INSERT` that fails because of its values fails again with each retry, and the platform
//! retries.
//!
//! For queries, you may want a column for each field of an item. Fill these columns later, in a worker: a row that a
//! database refuses is then a problem of the worker, and the body is safe.
//!
//! ```
//! use twt_chat_webhooks::{Delivery, fixtures};
//!
//! // A body with many values that databases refuse. Use it in a test of your handler.
//! let delivery = Delivery::from_slice(fixtures::HOSTILE.as_bytes());
//! for record in delivery.records() {
//!     // The key, the event and the problem have no NUL, which PostgreSQL refuses.
//!     assert!(record.key.len() <= 1024 && !record.key.contains('\0'));
//!     assert!(record.event().is_none_or(|name| name.len() <= 64 && name.is_ascii()));
//!     assert_eq!(record.problem(), None);
//!     assert_eq!(record.body, fixtures::HOSTILE.as_bytes());
//! }
//! ```
//!
//! # Columns
//!
//! Two tables: what arrived, and the items for queries. In SQLite:
//!
//! ```sql
//! CREATE TABLE inbox (
//!     key TEXT PRIMARY KEY, -- Record::key
//!     event TEXT,           -- Record::event
//!     body BLOB NOT NULL,   -- Record::body
//!     problem TEXT          -- Record::problem
//! );
//! CREATE TABLE item (
//!     key TEXT PRIMARY KEY, -- ItemKey as text
//!     json BLOB NOT NULL,   -- the item as JSON
//!     created_at INTEGER,   -- Timestamp::unix_seconds
//!     status INTEGER,       -- Status::number
//!     push_times INTEGER,   -- as i64
//!     time_sec INTEGER,     -- as i64, cut to i64::MAX
//!     visitor_name TEXT     -- and the other text fields
//! );
//! ```
//!
//! In PostgreSQL, `TEXT` takes no NUL, and a key has none. A key can hold any other character, so the encoding of the
//! database must be `UTF8`:
//!
//! ```sql
//! CREATE TABLE inbox (
//!     key TEXT COLLATE "C" PRIMARY KEY,
//!     event TEXT,
//!     body BYTEA NOT NULL,
//!     problem TEXT
//! );
//! CREATE TABLE item (
//!     key TEXT COLLATE "C" PRIMARY KEY,
//!     json BYTEA NOT NULL,
//!     created_at BIGINT,
//!     status BIGINT,
//!     push_times BIGINT,
//!     time_sec BIGINT,
//!     visitor_name TEXT
//! );
//! ```
//!
//! In MySQL:
//!
//! ```sql
//! CREATE TABLE inbox (
//!     `key` VARBINARY(1024) PRIMARY KEY,
//!     event VARCHAR(64),
//!     body LONGBLOB NOT NULL,
//!     problem TEXT
//! );
//! CREATE TABLE item (
//!     `key` VARBINARY(1024) PRIMARY KEY,
//!     json LONGBLOB NOT NULL,
//!     created_at BIGINT,
//!     status BIGINT,
//!     push_times BIGINT,
//!     time_sec BIGINT,
//!     visitor_name LONGTEXT CHARACTER SET utf8mb4
//! );
//! ```
//!
//! The key, the body and the JSON always have a value. All other columns can be `NULL`. An unknown status that is not a
//! plain integer is `NULL`. [`UnrepliedContent`](crate::UnrepliedContent#in-a-database) has code that converts the
//! numbers for these columns.
//!
//! The key must be compared byte by byte. Otherwise the keys of two items can count as equal, and the second item is
//! lost:
//!
//! - **SQLite** does this, unless the column is `COLLATE NOCASE` or `COLLATE RTRIM`.
//! - **PostgreSQL** does this with every deterministic collation. A collation is deterministic unless somebody has
//!   created it with `deterministic = false`. `COLLATE "C"` also keeps the index right if an update of the operating
//!   system changes the collations.
//! - **MySQL** ignores case and accents in text by default, and some collations ignore spaces at the end. `VARBINARY`
//!   does not. Text of 1024 characters in `utf8mb4` is also too long for an index.
//!
//! # What databases refuse
//!
//! - **NUL in text.** PostgreSQL: an error in `TEXT` and `VARCHAR`. SQLite takes it, but `length` and `LIKE` stop
//!   there. MySQL takes it. Store bytes, or replace `'\0'`.
//! - **`\u0000` in JSON.** PostgreSQL: an error in `JSONB`. `JSON` takes it, but `->>` fails. SQLite takes it, but
//!   `json_extract` of older versions, such as 3.40, stops there. Store JSON as bytes.
//! - **A body that is not UTF-8.** PostgreSQL: an error in `TEXT`. MySQL: an error. SQLite takes it even in `TEXT`, but
//!   reading it as text fails. Store bytes.
//! - **A time before 4713 BC.** PostgreSQL: an error in `TIMESTAMPTZ`. SQLite: `datetime` is `NULL`. In MySQL,
//!   `DATETIME` starts in the year 1000, and `TIMESTAMP` covers 1970 to 2038. Store Unix seconds.
//! - **An integer beyond `i64`.** PostgreSQL: an error in `BIGINT`; `NUMERIC(20)` takes it. MySQL: an error in
//!   `BIGINT`; `BIGINT UNSIGNED` takes it. SQLite reads such an integer in a statement as a float, which rounds it.
//!   Cut to `i64::MAX`.
//! - **An integer beyond `i32`.** PostgreSQL: an error in `INTEGER`. MySQL: an error in `INT`. SQLite takes it. Use
//!   `BIGINT`.
//! - **Text that is too long.** PostgreSQL and MySQL: an error in `VARCHAR(255)`. MySQL: also in `TEXT` beyond 65 535
//!   bytes. SQLite ignores the length. Use `TEXT`, and in MySQL `LONGTEXT`.
//! - **A body beyond 64 KiB.** MySQL: an error in `BLOB`. PostgreSQL and SQLite take it. Use `LONGBLOB`.
//! - **An emoji.** MySQL: an error in `utf8mb3`. PostgreSQL takes it if the encoding of the database is `UTF8`. SQLite
//!   takes it. Use `utf8mb4`.
//! - **The order of keys in JSON, and a repeated key.** `JSONB` of PostgreSQL and `JSON` of MySQL sort the keys, and
//!   keep only one of two equal keys. `TEXT` of SQLite changes nothing. Store bytes.
//!
//! The errors of MySQL are those of its strict mode, which is the default. Without this mode, MySQL cuts the value and
//! only gives a warning.
//!
//! # Binding
//!
//! `item` is an [`UnrepliedContent`](crate::UnrepliedContent), and `to_vec` is `serde_json::to_vec`. Any
//! [`Content`](crate::Content) can be written as JSON.
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
//! let (at, number) = (item.created_at.unix_seconds(), item.status.number());
//! // sqlx
//! query(INSERT).bind(&record.key).bind(at).bind(number).bind(to_vec(item)?);
//! // rusqlite
//! connection.execute(INSERT, params![record.key, at, number, to_vec(item)?])?;
//! // tokio-postgres
//! client.execute(INSERT, &[&record.key, &at, &number, &to_vec(item)?]).await?;
//! // diesel
//! (key.eq(&record.key), created_at.eq(at), status.eq(number), json.eq(to_vec(item)?));
//! ```
//!
//! With this statement, which works in PostgreSQL and SQLite, a repeated record adds no row. A good record replaces a
//! dead letter, which is a row with a problem. If the table has a column such as `done`, reset it in the same `SET`
//! clause:
//!
//! ```sql
//! INSERT INTO inbox (key, event, body, problem) VALUES ($1, $2, $3, $4)
//! ON CONFLICT (key) DO UPDATE SET body = excluded.body, problem = NULL
//! WHERE inbox.problem IS NOT NULL AND excluded.problem IS NULL
//! ```
//!
//! A request can hold the same item twice. PostgreSQL refuses this statement if it has two rows with the same key, so
//! an `INSERT` of several rows needs `SELECT DISTINCT ON (key)`.
//!
//! # Other things to store
//!
//! If you may want to verify the signature again, store the raw body and the signature, because the signature is right
//! for these bytes only. To store a payload that you have built or changed, store the JSON of
//! [`to_vec`](crate::Payload::to_vec). A later version of this crate can read this JSON too. If that version documents
//! an event or a field that is unknown now, it reads the event or the field by the rules for documented ones, which can
//! fail.
