//! # A durable handler
//!
//! This is a complete program with axum and SQLite. The program verifies each request, commits the items of the request
//! to a table, and answers. It works on the items afterwards. If the answer is 200, the table has a row for everything
//! that the request holds:
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
#![doc = include_str!("handlers/axum_sqlite.rs")]
//! ```
//!
//! It needs this crate with the feature `signature`, and axum, tokio and rusqlite. Start it with `TWT_APP_SECRET=…
//! cargo run`. In a clone of the repository, the example `trigger` prints a command that sends a signed event to it.
//!
//! `Verifier::receive` verifies a request and takes it apart. It returns a [`Delivery`](crate::Delivery) with
//! a [`Record`](crate::Record) for each item. The key of an item is the same each time the item is delivered, so the
//! unique column drops what is repeated. A record that cannot be decoded says why, and becomes a dead letter.
//!
//! ## What to answer
//!
//! | request | answer |
//! |---|---|
//! | The signature is missing or wrong. | 403 |
//! | The signature is right, and what the request holds is stored. | 200 |
//! | The signature is right, but the request cannot be stored. | 503 |
//!
//! The platform sends a request again if the answer is not 200, or does not come within 5 seconds. So 200 means
//! "stored", whatever the body holds. A body that cannot be decoded has the same fault in each retry: store it, answer
//! 200, and look at it later. The same is true of a body that is [too old](super::old_requests). If the signature is
//! right, a retry helps only if storing failed.
//!
//! axum refuses a body of more than 2 MiB with 413. The documented bodies are much smaller. If you want to store larger
//! bodies too, set `DefaultBodyLimit`.
//!
//! ## Work
//!
//! Work takes time and can fail, so it comes after the answer. If the program ends during the work on a row, it works
//! on this row again after the next start. If your work fails for good, write the reason into `problem`: the row is
//! then a dead letter, and the worker goes on to the next row. A row with a `problem` waits for a person, whatever its
//! column `done` says. A panic in your work would end the worker, so return an error instead.
//!
//! The rows that are done stay in the table, because the handler recognizes a repeated item by its key. Delete these
//! rows when they are older than the tolerance for [old requests](super::old_requests). The table of this program has
//! no time, so add a column for the time at which a row was stored.
//!
//! ## With axum and PostgreSQL
//!
//! Several machines can run this program with one database. It needs sqlx with the features `postgres` and
//! `runtime-tokio`. The variable `DATABASE_URL` names the database.
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
#![doc = include_str!("handlers/axum_postgres.rs")]
//! ```
//!
//! ## With actix-web
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
#![doc = include_str!("handlers/actix_web.rs")]
//! ```
//!
//! ## On AWS Lambda
//!
#![cfg_attr(not(doctest), doc = "```rust,ignore")]
#![cfg_attr(doctest, doc = "```text")]
#![doc = include_str!("handlers/lambda.rs")]
//! ```
//!
//! ## In another framework
//!
//! Take the body as bytes, because the signature covers bytes. The header is `x-chat-signature`, the constant
//! `SIGNATURE_HEADER`.
//!
//! ## Without records
//!
//! If you store nothing, `Verifier::decode` verifies a request and decodes it as a [`Payload`](crate::Payload).
//! `Verifier::decode_partial` also keeps the good items of a body with bad ones. Without the feature `signature`, use
//! [`Payload::from_slice`](crate::Payload::from_slice) and
//! [`Delivery::from_slice`](crate::Delivery::from_slice).
