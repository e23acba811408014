//! The platform's own use case: tells a team's channel about an event.
//!
//! ```sh
//! cargo run --example relay                        # the documented UNREPLIED event, for every channel
//! cargo run --example relay -- wecom               # for one
//! cargo run --example relay -- slack payload.json  # an event of yours; `-` reads it from standard input
//! ```
//!
//! It prints the JSON that the channel's incoming webhook takes, a line for each message or form, and sends nothing:
//!
//! ```sh
//! cargo run --example relay -- slack payload.json |
//!     while IFS= read -r message; do curl --json "$message" "$SLACK_WEBHOOK_URL"; done
//! ```
//!
//! The package `examples/receiver` sends the same messages, and sends a message again if the channel did not take it.

#![allow(clippy::std_instead_of_alloc, reason = "a program has std")]

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::{env, fs};

use twt_chat_webhooks::{Payload, fixtures};

use self::message::Channel;

#[path = "relay/message.rs"]
pub(crate) mod message;

const USAGE: &str = "usage: relay [slack|feishu|dingtalk|wecom [FILE|-]]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let Some((channels, source)) = parse(&arguments) else {
        eprintln!("{USAGE}");
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
        // The first try, without arguments, shows all that the program can do.
        [] => Some((Channel::ALL.to_vec(), None)),
        [channel] => Some((vec![named(channel)?], None)),
        [channel, source] => Some((vec![named(channel)?], Some(source))),
        _ => None,
    }
}

fn named(name: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel.name() == name)
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
    // A receiver verifies the body first: see examples/receiver.
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
