//! The promises of the receiver with real HTTP, real processes, and SQLite.

const POSTGRES: bool = false;

include!("modules.rs");
