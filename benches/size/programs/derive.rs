//! Does the same as `ours.rs`, with the idiomatic derive.

#[allow(dead_code, reason = "the benchmarks use the other shapes")]
#[path = "../../support/shapes.rs"]
mod shapes;

use std::io;

use shapes::Idiomatic;

fn main() {
    let body = io::read_to_string(io::stdin()).unwrap();
    match serde_json::from_slice::<Idiomatic>(body.as_bytes()) {
        Ok(payload) => println!("{}", payload.count()),
        Err(error) => eprintln!("{error}"),
    }
}
