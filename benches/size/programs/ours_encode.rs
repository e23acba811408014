//! Decodes a body from standard input, and prints the encoded payload or the error.

use std::io::{self, Write};

use twt_chat_webhooks::Payload;

fn main() {
    let body = io::read_to_string(io::stdin()).unwrap();
    match Payload::from_slice(body.as_bytes()) {
        Ok(payload) => io::stdout().write_all(&payload.to_vec()).unwrap(),
        Err(error) => eprintln!("{error}"),
    }
}
