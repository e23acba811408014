// Each database has a binary with all of these modules.
mod crash;
mod deliveries;
mod forwarding;
mod operation;
mod several;
mod strangers;
mod support;
mod trouble;
mod work;
