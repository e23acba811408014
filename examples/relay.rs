//! Prints the messages that tell the chat channel of a team about an event.
//!
//! ```sh
//! cargo run --example relay                        # prints messages for all channels, about a documented event
//! cargo run --example relay -- wecom               # prints a message for one channel
//! cargo run --example relay -- slack payload.json  # reads your event from a file, or from standard input for `-`
//! ```
//!
//! With the name of a channel, each line is the JSON of one message. The example itself sends nothing. This command
//! sends each line to the incoming webhook of the channel:
//!
//! ```sh
//! cargo run --example relay -- slack payload.json |
//!     while IFS= read -r message; do curl --json "$message" "$SLACK_WEBHOOK_URL"; done
//! ```
//!
//! The package `examples/receiver` sends the same messages. It also tries again if a channel does not take a message.

#![allow(clippy::std_instead_of_alloc, reason = "a program has std")]

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::{env, fs};

use twt_chat_webhooks::{Payload, fixtures};

use self::channel::Channel;

#[path = "relay/channel.rs"]
#[allow(dead_code, reason = "only the receiver sends messages and reads answers")]
pub(crate) mod channel;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((channels, source)) = parse(&arguments) else {
        let names: Vec<&str> = Channel::ALL.iter().map(|channel| channel.name()).collect();
        eprintln!("usage: relay [{} [FILE|-]]", names.join("|"));
        return ExitCode::from(2);
    };
    match relay(&channels, source, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

pub(crate) fn parse<'a>(arguments: &[&'a str]) -> Option<(Vec<Channel>, Option<&'a str>)> {
    match *arguments {
        // Without arguments, the program shows all that it can do.
        [] => Some((Channel::ALL.to_vec(), None)),
        [channel] => Some((vec![named(channel)?], None)),
        [channel, source] => Some((vec![named(channel)?], Some(source))),
        _ => None,
    }
}

fn named(name: &str) -> Option<Channel> {
    Channel::ALL.iter().find(|channel| channel.name() == name).copied()
}

pub(crate) fn relay(channels: &[Channel], source: Option<&str>, out: &mut impl Write) -> Result<(), String> {
    let body = match source {
        None => fixtures::UNREPLIED.into(),
        Some("-") => {
            let mut body = Vec::new();
            io::stdin().read_to_end(&mut body).map_err(|error| format!("standard input: {error}"))?;
            body
        }
        Some(file) => fs::read(file).map_err(|error| format!("{file}: {error}"))?,
    };
    // This example trusts the body. A receiver verifies the signature first.
    let decoded = Payload::from_slice_partial(&body).map_err(|error| error.to_string())?;
    for rejected in &decoded.rejected {
        eprintln!("left out: {}", rejected.error);
    }
    for channel in channels {
        for message in channel.messages(&decoded.payload) {
            let written = match channels {
                [_] => writeln!(out, "{message}"),
                _ => writeln!(out, "{}: {message}", channel.name()),
            };
            written.map_err(|error| format!("standard output: {error}"))?;
        }
    }
    Ok(())
}
