//! The promises of the receiver with real HTTP, real processes, and a PostgreSQL server that this binary starts.

mod answers;
mod backups;
mod crash;
mod deleting;
mod deliveries;
mod forwarding;
mod health;
mod logging;
mod metrics;
mod operation;
mod operators;
mod several;
mod strangers;
mod support;
mod tolerance;
mod trouble;
mod unset;
mod waiting;
mod work;

const POSTGRES: bool = true;
