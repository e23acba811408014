//! The promises of the receiver, with real HTTP, a real database and real processes.

mod crash;
mod deliveries;
mod forwarding;
mod operation;
mod strangers;
mod support;
mod work;
