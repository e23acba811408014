//! The promises of the receiver with real HTTP, real processes, and SQLite.

mod answers;
mod attempts;
mod backups;
mod clients;
mod crash;
mod deleting;
mod deliveries;
mod faults;
mod forwarding;
mod health;
mod logging;
mod metrics;
mod operation;
mod operators;
mod several;
mod support;
mod tolerance;
mod unset;
mod waiting;

const POSTGRES: bool = false;
