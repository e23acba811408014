//! What the benchmarks share: the bodies, and the other ways to read and write them.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

pub mod bodies;
pub mod by_hand;
pub mod rivals;
pub mod shapes;
