//! Prints a command that sends a signed event to your receiver, as the platform would.
//!
//! ```sh
//! export TWT_APP_SECRET=s3cret url=http://127.0.0.1:3000/webhooks/twt-chat
//! trigger="cargo run --quiet --example trigger --features signature --"
//! $trigger $url                            # prints the command for UNREPLIED
//! $trigger $url OFFLINE_FORM_SUBMIT | sh   # sends the event
//! $trigger $url - < payload.json | sh      # sends your own payload
//! ```
//!
//! These commands reach the other branches of a handler. The options go with any documented event:
//!
//! ```sh
//! $trigger $url EVENT_OF_TOMORROW | sh     # an unknown event, with the content of UNREPLIED
//! $trigger $url --stale | sh               # an event of 30 days ago
//! $trigger $url --repeated | sh            # the same request twice, as if the platform retried
//! $trigger $url --bad-item | sh            # a good item, and one that cannot be decoded
//! $trigger $url --wrong-signature | sh     # the signature of another body
//! ```
//!
//! Without `--stale`, an event has the current time, so that it passes a check of its age. A payload from standard
//! input is sent unchanged, even if it is not JSON. So `--stale` and `--bad-item` do not go with it.
//!
//! The exit status is 2 if the secret or an argument is missing or invalid. It is 1 if standard input cannot be read,
//! or if standard output cannot be written.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};
use std::{env, fmt};

use serde_json::{Value, json};
use twt_chat_webhooks::{AppSecret, Event, EventType, Payload, SIGNATURE_HEADER, Timestamp, fixtures};

const STALE: &str = "--stale";
const REPEATED: &str = "--repeated";
const BAD_ITEM: &str = "--bad-item";
const WRONG_SIGNATURE: &str = "--wrong-signature";
const OPTIONS: [&str; 4] = [STALE, REPEATED, BAD_ITEM, WRONG_SIGNATURE];

/// How old a stale event is: 30 days, which is above the tolerance of nearly every receiver.
const STALE_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let secret = env::var_os("TWT_APP_SECRET").unwrap_or_default();
    let now = Timestamp::from(SystemTime::now());
    let command = command(&arguments, secret.as_encoded_bytes(), &mut io::stdin().lock(), now);
    let printed = command.and_then(|Command { line, note }| {
        if let Some(note) = note {
            eprintln!("{note}");
        }
        Ok(writeln!(io::stdout(), "{line}")?)
    });
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(problem.exit_code())
        }
    }
}

/// What the example prints: a line for the shell, and a note for the person.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) line: String,
    pub(crate) note: Option<String>,
}

/// Builds the command. If the argument for the event is `-`, reads the payload from `stdin`.
pub(crate) fn command(
    arguments: &[OsString],
    secret: &[u8],
    stdin: &mut impl Read,
    now: Timestamp,
) -> Result<Command, Problem> {
    let arguments: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let arguments = arguments.ok_or(Problem::Usage)?;
    let (options, places): (Vec<&str>, Vec<&str>) = arguments.iter().partition(|argument| argument.starts_with("--"));
    let (url, event) = match *places {
        [url] => (url, "UNREPLIED"),
        [url, event] => (url, event),
        _ => return Err(Problem::Usage),
    };
    // An empty argument comes from a shell variable that is not set.
    let known = options.iter().all(|option| OPTIONS.contains(option));
    if !known || url.is_empty() || url.starts_with('-') || event.is_empty() {
        return Err(Problem::Usage);
    }
    let secret = AppSecret::new(secret).map_err(|error| Problem::Secret(error.to_string()))?;
    let is = |option| options.contains(&option);

    let (body, note) = if event == "-" {
        if is(STALE) || is(BAD_ITEM) {
            return Err(Problem::SentUnchanged);
        }
        let mut body = Vec::new();
        stdin.read_to_end(&mut body)?;
        (body, None)
    } else {
        let sent_at = if is(STALE) { now.checked_sub(STALE_AGE).unwrap_or(Timestamp::MIN) } else { now };
        let payload = payload(event, sent_at);
        let is_unknown = payload.event.as_unknown().is_some();
        if is_unknown && is(BAD_ITEM) {
            return Err(Problem::NoBadItem);
        }
        let body = if is(BAD_ITEM) { with_bad_item(&payload) } else { payload.to_vec() };
        (body, is_unknown.then(|| note(event)))
    };
    let signature = if is(WRONG_SIGNATURE) { secret.sign(&[&body, &b"\n"[..]].concat()) } else { secret.sign(&body) };
    let request = format!(
        "printf '{}' | curl --silent --show-error --include --globoff --data-binary @- \
         --header 'content-type: application/json' --header '{SIGNATURE_HEADER}: {signature}' --url {}",
        format_of_printf(&body),
        quoted(url),
    );
    let line = if is(REPEATED) { format!("for time in first second; do {request}; done") } else { request };
    Ok(Command { line, note })
}

/// The documented payload of an event, sent at the given time. An unknown event has the content of UNREPLIED.
fn payload(event: &str, sent_at: Timestamp) -> Payload {
    if let Some(payload) = fixtures::payload(&event.into()) {
        return payload.sent_at(sent_at);
    }
    let mut payload = fixtures::unreplied().sent_at(sent_at);
    let content = json!(payload.event)["content"].take();
    // This never fails, because only the content of a documented event is decoded.
    if let Ok(unknown) = Event::from_parts(event, content) {
        payload.event = unknown;
    }
    payload
}

/// Encodes the payload. Adds a second item, whose time is not a number.
fn with_bad_item(payload: &Payload) -> Vec<u8> {
    let mut body = json!(payload);
    if let Some(items) = body["content"].as_array_mut()
        && let Some(mut item) = items.first().cloned()
    {
        item["created_at"] = Value::from("yesterday");
        items.push(item);
    }
    body.to_string().into_bytes()
}

/// The note about an unknown event. The user may have mistyped the name of a documented event.
fn note(event: &str) -> String {
    format!("{event:?} is not a documented event. The documented events are {}.", documented())
}

fn documented() -> String {
    EventType::DOCUMENTED.iter().map(EventType::as_str).collect::<Vec<_>>().join(", ")
}

/// Turns the bytes into a format of `printf`, for use between single quotes.
///
/// A byte with a special meaning for the shell, for `printf` or for a terminal becomes an octal escape. The body goes
/// to `curl` through a pipe, because an argument of `curl` cannot contain a NUL and has a limit of 128 KiB on Linux.
/// The argument of `printf` has no such limit, because `printf` is part of the shell.
fn format_of_printf(bytes: &[u8]) -> String {
    let mut format = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            // `-` could start an option of `printf`, and `!` recalls an earlier command in some shells.
            b'\'' | b'\\' | b'%' | b'-' | b'!' => _ = write!(format, "\\{byte:03o}"),
            b' '..=b'~' => format.push(char::from(byte)),
            _ => _ = write!(format, "\\{byte:03o}"),
        }
    }
    format
}

/// Quotes the text, so that the shell takes it as one word.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Why no command is printed.
#[derive(Debug)]
pub(crate) enum Problem {
    Usage,
    Secret(String),
    SentUnchanged,
    NoBadItem,
    Io(io::Error),
}

impl Problem {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage | Self::Secret(_) | Self::SentUnchanged | Self::NoBadItem => 2,
            Self::Io(_) => 1,
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => write!(
                formatter,
                "usage: TWT_APP_SECRET=… trigger URL [EVENT] [OPTION]…\n\
                 EVENT is one of {}, or any other name, or - to read a payload from standard input.\n\
                 OPTION is one of {}.",
                documented(),
                OPTIONS.join(", "),
            ),
            Self::Secret(error) => write!(
                formatter,
                "{error}: set TWT_APP_SECRET to the AppSecret that your receiver has, such as TWT_APP_SECRET=s3cret",
            ),
            Self::SentUnchanged => {
                write!(formatter, "a payload from standard input is sent unchanged: leave out {STALE} and {BAD_ITEM}")
            }
            Self::NoBadItem => write!(
                formatter,
                "an unknown event has no bad items, because its content can be any JSON: use one of {}",
                documented(),
            ),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}
