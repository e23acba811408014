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
//! A documented event has the current time, so that it passes a check of its age. A payload from standard input is
//! signed and sent unchanged, even if it is not JSON.
//!
//! The exit status is 2 if the secret or an argument is missing or invalid, and 1 if standard input cannot be read.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{self, Read, Write as _};
use std::process::ExitCode;
use std::time::SystemTime;
use std::{env, fmt};

use twt_chat_webhooks::{AppSecret, EventType, SIGNATURE_HEADER, Timestamp, fixtures};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let secret = env::var_os("TWT_APP_SECRET").unwrap_or_default();
    let now = Timestamp::from(SystemTime::now());
    let command = command(&arguments, secret.as_encoded_bytes(), &mut io::stdin().lock(), now);
    let printed = command.and_then(|command| Ok(writeln!(io::stdout(), "{command}")?));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(problem.exit_code())
        }
    }
}

/// Builds the command. If the second argument is `-`, reads the payload from `stdin`.
pub(crate) fn command(
    arguments: &[OsString],
    secret: &[u8],
    stdin: &mut impl Read,
    now: Timestamp,
) -> Result<String, Problem> {
    let arguments: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let (url, event) = match arguments.as_deref() {
        Some([url]) => (*url, "UNREPLIED"),
        Some([url, event]) => (*url, *event),
        _ => return Err(Problem::Usage),
    };
    // An option such as `--help` is not a URL.
    if url.is_empty() || url.starts_with('-') {
        return Err(Problem::Usage);
    }
    let secret = AppSecret::new(secret).map_err(|error| Problem::Secret(error.to_string()))?;

    let (body, (name, value)) = if event == "-" {
        let mut body = Vec::new();
        stdin.read_to_end(&mut body)?;
        let signature = secret.sign(&body).to_string();
        (body, (SIGNATURE_HEADER, signature))
    } else {
        let payload = fixtures::payload(&EventType::from(event)).ok_or_else(|| Problem::Event(event.into()))?;
        let request = secret.sign_payload(&payload.sent_at(now));
        let header = request.header();
        (request.body, header)
    };
    Ok(format!(
        "printf '{}' | curl --silent --show-error --include --globoff --data-binary @- \
         --header 'content-type: application/json' --header '{name}: {value}' --url {}",
        format_of_printf(&body),
        quoted(url),
    ))
}

/// Turns the bytes into a format of `printf`, for use between single quotes.
///
/// A byte with a special meaning for the shell, for `printf` or for a terminal becomes an octal escape. The body goes
/// through a pipe, because an argument cannot contain a NUL and has a limit of 128 KiB on Linux.
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
    Event(String),
    Io(io::Error),
}

impl Problem {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage | Self::Secret(_) | Self::Event(_) => 2,
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
        let documented = || EventType::DOCUMENTED.iter().map(EventType::as_str).collect::<Vec<_>>().join(", ");
        match self {
            Self::Usage => write!(
                formatter,
                "usage: TWT_APP_SECRET=… trigger URL [EVENT]\n\
                 EVENT is one of {}, or - to read a payload from standard input.",
                documented(),
            ),
            Self::Secret(error) => write!(
                formatter,
                "{error}: set TWT_APP_SECRET to the AppSecret that your receiver has, such as TWT_APP_SECRET=s3cret",
            ),
            Self::Event(event) => write!(
                formatter,
                "{event:?} is not a documented event: use one of {}, or - to read a payload from standard input",
                documented(),
            ),
            Self::Io(error) => error.fmt(formatter),
        }
    }
}
