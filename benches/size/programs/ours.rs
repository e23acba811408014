//! Decodes a body from standard input, and prints the number of items or the error.

use std::io;

use twt_chat_webhooks::Payload;

fn main() {
    let body = io::read_to_string(io::stdin()).unwrap();
    match Payload::from_slice(body.as_bytes()) {
        Ok(payload) => println!("{}", payload.event.contents().count()),
        Err(error) => eprintln!("{error}"),
    }
}
