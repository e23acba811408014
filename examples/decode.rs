//! Decodes a webhook body and prints its fields for a person to read.
//!
//! ```text
//! cargo run --example decode                # the documented bodies, an unknown event, a malformed body
//! cargo run --example decode -- body.json   # a file
//! cargo run --example decode -- -           # standard input
//! ```
//!
//! The exit status is 1 if the body cannot be read or decoded, or if the output cannot be written. It is 2 if there
//! are too many arguments.

use core::error::Error;
use core::fmt::{self, Display, Formatter};
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write};
use std::process::ExitCode;

use twt_chat_webhooks::{Content, Event, Payload, UnrepliedContent, fixtures};

const UNKNOWN_EVENT: &str = r#"{
    "created_at": 1765439941,
    "event": "EVENT_OF_TOMORROW",
    "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
    "content": [{"visitor_name": "Visitor15", "channel": "web"}]
}"#;

const MALFORMED: &str = r#"{
    "created_at": 1765439941,
    "event": "OFFLINE_FORM_SUBMIT",
    "webhook_id": "58946f5f583edd94f5cf87e3534d04fb",
    "content": [{"visitor_name": "Visitor15", "created_at": "yesterday"}]
}"#;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [] => show_samples().map_err(Into::into),
        [source] => show(source),
        _ => {
            eprintln!("usage: decode [FILE | -]");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn show_samples() -> io::Result<()> {
    let samples =
        [fixtures::UNREPLIED, fixtures::PRE_CHAT_FORM_SUBMIT, fixtures::OFFLINE_FORM_SUBMIT, UNKNOWN_EVENT, MALFORMED];
    let mut stdout = io::stdout().lock();
    for body in samples {
        match Payload::from_slice(body.as_bytes()) {
            Ok(payload) => writeln!(stdout, "{}", Description(&payload))?,
            Err(error) => writeln!(stdout, "refused     {error}")?,
        }
    }
    Ok(())
}

fn show(source: &OsStr) -> Result<(), Box<dyn Error>> {
    let body = read(source).map_err(|error| format!("{}: {error}", Printable(&source.to_string_lossy())))?;
    let payload = Payload::from_slice(&body)?;
    write!(io::stdout(), "{}", Description(&payload))?;
    Ok(())
}

fn read(source: &OsStr) -> io::Result<Vec<u8>> {
    if source != "-" {
        return fs::read(source);
    }
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body)?;
    Ok(body)
}

/// Shows a payload to a person, with a label in front of each value.
pub(crate) struct Description<'a>(pub(crate) &'a Payload);

impl Display for Description<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let Self(payload) = self;
        line(out, "event", payload.event_type())?;
        line(out, "sent", payload.created_at)?;
        line(out, "webhook", &payload.webhook_id)?;
        for (name, value) in payload.extra() {
            line(out, "also", format_args!("{name}: {value}"))?;
        }
        match &payload.event {
            Event::Unreplied(messages) => {
                for message in messages {
                    describe_item(out, message)?;
                    describe_wait(out, message)?;
                }
            }
            Event::Unknown(event) => line(out, "content", event.content())?,
            forms => {
                for form in forms.contents() {
                    describe_item(out, form)?;
                }
            }
        }
        Ok(())
    }
}

fn describe_item(out: &mut Formatter<'_>, item: &dyn Content) -> fmt::Result {
    match item.visitor_nickname() {
        Some(nickname) => line(out, "  visitor", format_args!("{} ({nickname})", item.visitor_name()))?,
        None => line(out, "  visitor", item.visitor_name())?,
    }
    line(out, "  customer", item.sbs().unwrap_or("not identified"))?;
    line(out, "  project", item.property_name())?;
    line(out, "  subject", item.subject())?;
    line(out, "  written", item.created_at())?;
    line(out, "  message", item.message_content())?;
    line(out, "  agent", item.assigned_agent_nickname().unwrap_or("none"))?;
    for (name, value) in item.extra() {
        line(out, "  also", format_args!("{name}: {value}"))?;
    }
    Ok(())
}

fn describe_wait(out: &mut Formatter<'_>, message: &UnrepliedContent) -> fmt::Result {
    match message.status.documented() {
        Some(in_words) => line(out, "  status", in_words)?,
        None => line(out, "  status", format_args!("{} (unknown)", message.status))?,
    }
    line(out, "  waited", waiting_time(message.timeout().as_secs()))?;
    let and_then = match message.remaining_pushes() {
        0 => "the last".into(),
        remaining => format!("{remaining} more unless an agent replies"),
    };
    line(out, "  push", format_args!("{} of {}, {and_then}", message.push_times, UnrepliedContent::MAX_PUSH_TIMES))
}

fn waiting_time(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, seconds) => format!("{hours} h {minutes} min {seconds} s"),
    }
}

/// Writes one line. Every value from a body goes through this function, which escapes it.
fn line(out: &mut Formatter<'_>, label: &str, value: impl Display) -> fmt::Result {
    writeln!(out, "{label:<10}  {}", Printable(&value.to_string()))
}

/// Text that may come from a visitor. `Display` escapes each character that could move the cursor, change colours, or
/// change the direction of writing.
struct Printable<'a>(&'a str);

impl Display for Printable<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            let turns_direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if character.is_control() || turns_direction {
                write!(out, "{}", character.escape_default())?;
            } else {
                write!(out, "{character}")?;
            }
        }
        Ok(())
    }
}
