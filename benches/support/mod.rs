//! Code that the benchmarks share: the bodies, and the rivals.

#![allow(dead_code, reason = "each benchmark uses only a part")]

pub mod bodies;
pub mod by_hand;
pub mod encode_by_hand;
pub mod rivals;
pub mod shapes;
