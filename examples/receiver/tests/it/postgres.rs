//! The promises of the receiver with real HTTP, real processes, and a PostgreSQL server that this binary starts.

const POSTGRES: bool = true;

include!("modules.rs");
