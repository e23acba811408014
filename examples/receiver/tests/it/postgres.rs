//! The promises of the receiver with real HTTP, real processes, and a PostgreSQL server that this binary starts.

mod answers;
mod attempts;
mod backups;
mod channels;
mod clients;
mod cluster;
mod crash;
mod database;
mod deleting;
mod deliveries;
#[cfg(target_os = "linux")]
mod footprint;
mod health;
mod lists;
mod logging;
mod metrics;
mod operation;
mod operators;
mod settings;
mod support;
mod tolerance;
mod unset;
mod waiting;

const POSTGRES: bool = true;
