//! Does the same as `ours_encode.rs`, with the idiomatic derive.

#[allow(dead_code, reason = "the benchmarks use the other shapes")]
#[path = "../../support/shapes.rs"]
mod shapes;

use std::io::{self, Write};

use shapes::Idiomatic;

fn main() {
    let body = io::read_to_string(io::stdin()).unwrap();
    match serde_json::from_slice::<Idiomatic>(body.as_bytes()) {
        Ok(payload) => io::stdout().write_all(&serde_json::to_vec(&payload).unwrap()).unwrap(),
        Err(error) => eprintln!("{error}"),
    }
}
