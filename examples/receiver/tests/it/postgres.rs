//! The promises of the receiver with real HTTP, real processes, and a PostgreSQL server that this binary starts.

mod backups;
mod crash;
mod deliveries;
mod forwarding;
mod health;
mod operation;
mod several;
mod strangers;
mod support;
mod trouble;
mod work;

const POSTGRES: bool = true;
