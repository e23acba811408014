//! The promises of the receiver with real HTTP, real processes, and SQLite.

mod answers;
mod backups;
mod crash;
mod deleting;
mod deliveries;
mod forwarding;
mod health;
mod operation;
mod several;
mod strangers;
mod support;
mod tolerance;
mod trouble;
mod waiting;
mod work;

const POSTGRES: bool = false;
